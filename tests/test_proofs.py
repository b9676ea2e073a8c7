"""Each rule's example shows its defect on a real pool, and the mended example does not."""

from __future__ import annotations

import os

import pytest
from proofs.databases import NoServer
from proofs.proof import Proof, proofs, seen

from flake8_dbsession.render.page import page_of
from flake8_dbsession.rules import ALL

PROOFS = [
    pytest.param(proof, server, id=f"{proof.folder.name}-{server}") for proof in proofs() for server in proof.servers
]


@pytest.mark.parametrize(("proof", "server"), PROOFS)
def test_the_defect_is_seen_as_written_and_gone_as_mended(proof: Proof, server: str) -> None:
    if proof.unfit:
        pytest.skip(proof.unfit)
    try:
        before = seen(proof, proof.as_written, server)
        after = seen(proof, proof.as_mended, server)
    except NoServer as reason:
        if os.environ.get("CI"):
            raise
        pytest.skip(str(reason))
    assert before == proof.plan.AS_WRITTEN
    assert after == proof.plan.AS_MENDED
    assert (before != after) == proof.shows_the_defect


@pytest.mark.parametrize("rule", ALL, ids=lambda rule: rule.code)
def test_a_rule_has_a_proof_or_its_page_says_why_not(rule) -> None:
    has_proof = rule.code in {proof.folder.name for proof in proofs()}
    assert has_proof != bool(page_of(rule).section("Why there is no proof"))
