"""Finds the spans that plans speak of, by the code that stands there."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from flake8_dbsession.fix.carry_out import Outcome, carry_out
from flake8_dbsession.fix.plans import Step
from flake8_dbsession.model import Plan, Safety, Span
from flake8_dbsession.source import Source


def nodes(source: Source, kinds: tuple[type[ast.AST], ...]) -> Iterator[tuple[Span, str]]:
    """Every node of ``kinds`` in the order of the file, with its code."""
    found = [source.span(node) for node in ast.walk(source.tree) if isinstance(node, kinds)]
    for span in sorted(found, key=lambda span: (span[:2], (-span[2], -span[3]))):
        yield span, source.segment(span)


def _find(data: bytes | str, start: str, kinds: tuple[type[ast.AST], ...], number: int) -> Span:
    source = Source("example.py", data if isinstance(data, bytes) else data.encode())
    found = [span for span, code in nodes(source, kinds) if code.startswith(start)]
    assert len(found) > number, f"nothing begins with {start!r}"
    return found[number]


def statement(data: bytes | str, start: str, number: int = 0) -> Span:
    """The span of the statement (or handler) that begins with ``start``; of several, number ``number``."""
    return _find(data, start, (ast.stmt, ast.ExceptHandler), number)


def expression(data: bytes | str, code: str, number: int = 0) -> Span:
    """The span of the expression ``code``; of several, number ``number``."""
    source = Source("example.py", data if isinstance(data, bytes) else data.encode())
    found = [span for span, text in nodes(source, (ast.expr,)) if text == code]
    assert len(found) > number, f"no expression is {code!r}"
    return found[number]


def plan(*steps: Step, safety: Safety = Safety.SAFE) -> Plan:
    """A plan of ``steps``."""
    return Plan("mend it", safety, steps)


def carried(data: bytes | str, *steps: Step, safety: Safety = Safety.SAFE) -> str:
    """The text after one plan of ``steps``, which must be carried out."""
    done = outcome(data, plan(*steps, safety=safety))
    assert done.refused == ()
    compile(done.data, "example.py", "exec")
    return done.data.decode() if isinstance(data, str) else done.data.decode("latin-1")


def refused(data: bytes | str, *steps: Step, safety: Safety = Safety.SAFE, noqa: str = "") -> str:
    """The reason why one plan of ``steps`` is not carried out; the file must stay as it was."""
    done = outcome(data, plan(*steps, safety=safety), noqa=noqa)
    assert done.applied == ()
    assert done.data == (data if isinstance(data, bytes) else data.encode())
    ((_, reason),) = done.refused
    return reason


def outcome(data: bytes | str, *plans: Plan, noqa: str = "") -> Outcome:
    """What becomes of ``plans``."""
    return carry_out(data if isinstance(data, bytes) else data.encode(), "example.py", plans, noqa=noqa)
