"""A proof: the example of a rule as written and as mended, what is done with it, and what must be seen."""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import pathlib
import types
from typing import Any, NamedTuple

from .bench import bench, to_the_end
from .lab import create_tables, garbage_left_alone, load
from .pool import SIZE

FIXTURES = pathlib.Path(__file__).resolve().parents[2] / "fixtures"


class Proof(NamedTuple):
    """One ``proof.py``; ``plan`` is the module itself."""

    folder: pathlib.Path
    plan: types.ModuleType

    @property
    def servers(self) -> tuple[str, ...]:
        """Where it is shown."""
        return getattr(self.plan, "SERVERS", ("sqlite",))

    @property
    def unfit(self) -> str:
        """Why the example cannot run on the installed releases; empty if it can."""
        return getattr(self.plan, "UNFIT", "")

    @property
    def shows_the_defect(self) -> bool:
        """Whether there is a difference to be seen on the installed releases."""
        return getattr(self.plan, "SHOWS_THE_DEFECT", True)

    @property
    def as_written(self) -> pathlib.Path:
        """The file with the defect."""
        return self.folder / getattr(self.plan, "EXAMPLE", "example.py")

    @property
    def as_mended(self) -> pathlib.Path:
        """The same file after our fixer, or mended by hand where there is no fixer."""
        fixed = self.as_written.with_suffix(".fixed.py")
        return fixed if fixed.exists() else self.as_written.with_suffix(".mended.py")


def proofs() -> list[Proof]:
    """Every proof beside a fixture, by folder name."""
    return [Proof(path.parent, load(path)) for path in sorted(FIXTURES.glob("*/proof.py"))]


def seen(proof: Proof, file: pathlib.Path, server: str) -> dict[str, Any]:
    """What is seen when ``file`` does what the proof says, on ``server``. Raises :class:`pool_servers.NoServer`."""
    driver = getattr(proof.plan, "DRIVERS", {}).get(server, "")
    around = getattr(proof.plan, "around", contextlib.nullcontext)
    with bench(server, driver, getattr(proof.plan, "POOL", SIZE)) as lab, around() as lab.around:
        if hasattr(proof.plan, "before"):
            proof.plan.before()
        example = load(file)
        create_tables(example)
        if hasattr(proof.plan, "prepare"):
            _result(proof.plan.prepare(example))
        with garbage_left_alone():
            lab.watch.forget_holds()
            return _result(proof.plan.observe(example, lab))


def _result(value: Any) -> Any:
    return asyncio.run(to_the_end(value)) if inspect.iscoroutine(value) else value
