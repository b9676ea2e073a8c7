"""Carries plans out: from the bytes of a file and some plans to the bytes that the file should have.

This package is where libcst is used. The steps of a plan are looked up (``ground``, ``piece``,
``positions``), turned into orders for libcst nodes (``resolve``, ``expressions``, ``imports``), and the
pieces of the file that they touch are built anew (``rebuild``). Nothing is detected here.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import libcst as cst

from ...model import Plan
from ..plans import AddImport
from . import expressions
from .appended import appended
from .ground import Ground, Refusal
from .imports import insertions, joinable, missing
from .orders import Orders
from .piece import Piece
from .reach import Region, marked_lines, meet, refuse_marked, region, stretches
from .resolve import resolve
from .splice import built, merged, spliced

__all__ = ["Outcome", "carry_out"]


class Outcome(NamedTuple):
    """The new bytes, the plans that made them, and the plans that did not, each with its reason."""

    data: bytes
    applied: tuple[Plan, ...]
    refused: tuple[tuple[Plan, str], ...]


def carry_out(data: bytes, path: str, plans: Sequence[Plan], *, noqa: str = "") -> Outcome:
    """Carries out ``plans`` on the file ``data``, each whole or not at all.

    Of plans that meet, the first in the file wins; the others are refused with "overlaps another fix" and can be
    tried again on the result. A plan that would change a line marked ``# noqa`` is refused; with
    ``noqa="ORM"`` only a bare ``# noqa`` and one for codes of that beginning count. Outside the edits the
    file stays the same to the byte. ``path`` is for messages. Raises nothing for what it cannot do.
    """
    try:
        work = _work_on(data, path, noqa)
    except Refusal as refusal:
        return Outcome(data, (), tuple((plan, str(refusal)) for plan in plans))
    chosen, refused = _choose(work.ground, plans, work.marked)
    try:
        return Outcome(work.attempt(chosen), tuple(chosen), tuple(refused))
    except Refusal:
        good, bad = work.sorted_out(chosen)
        return Outcome(work.attempt(good), tuple(good), (*refused, *bad))


def _choose(ground: Ground, plans: Sequence[Plan], marked: set[int]) -> tuple[list[Plan], list[tuple[Plan, str]]]:
    """The plans that do not meet each other nor a marked line, in the order of the file, and the rest."""
    chosen: list[Plan] = []
    refused: list[tuple[Plan, str]] = []
    for plan in sorted(dict.fromkeys(plans), key=stretches):
        try:
            if not plan.steps:
                raise Refusal("the plan has no steps")
            refuse_marked(ground, plan, marked)
            if any(meet(plan, other) for other in chosen):
                raise Refusal("overlaps another fix")
            chosen.append(plan)
        except Refusal as refusal:
            refused.append((plan, str(refusal)))
    return chosen, refused


@lru_cache(maxsize=1)
def _work_on(data: bytes, path: str, noqa: str) -> _Work:
    """The work on a file: the last one is kept, since its reports come one after the other."""
    ground = Ground(data, path)
    return _Work(ground, marked_lines(ground, noqa))


class _Work:
    """Attempts on one file. Pieces are read once, however often they are tried."""

    def __init__(self, ground: Ground, marked: set[int]) -> None:
        self.ground = ground
        self.marked = marked
        self.pieces: dict[tuple[ast.stmt, ast.stmt], Piece] = {}

    def attempt(self, plans: Sequence[Plan]) -> bytes:
        """The file after all of ``plans``; raises :class:`~.ground.Refusal` where any of them cannot be."""
        if not plans:
            return self.ground.source.data
        try:
            return self.ground.encode("".join(self._carried_out(plans)))
        except cst.CSTValidationError as error:
            raise Refusal(f"the new code would not be valid: {error}") from None
        except RecursionError:
            raise Refusal("the code is nested too deeply") from None

    def sorted_out(self, plans: Sequence[Plan]) -> tuple[list[Plan], list[tuple[Plan, str]]]:
        """The plans that can be carried out together, and the others with their reasons."""
        good: list[Plan] = []
        bad: list[tuple[Plan, str]] = []
        for plan in plans:
            try:
                self.attempt([plan])
                self.attempt([*good, plan])
                good.append(plan)
            except Refusal as refusal:
                bad.append((plan, str(refusal)))
        return good, bad

    def _carried_out(self, plans: Sequence[Plan]) -> list[str]:
        imports = missing(self.ground, plans)
        joins = {step: joinable(self.ground, step, limit, self.marked) for step, limit in imports.items()}
        regions = [pair for plan in plans for pair in region(self.ground, plan)]
        regions += [
            Region(number, number) for number, each in enumerate(self.ground.tree.body) if each in joins.values()
        ]
        pieces = [self._piece(statements) for statements in merged(self.ground, regions)]
        orders = {piece.start: Orders() for piece in pieces}
        for plan in plans:
            for piece, wanted in resolve(self.ground, pieces, plan):
                orders[piece.start].add(wanted)
        self._join(pieces, orders, joins)
        new = [*insertions(self.ground, [step for step in imports if joins[step] is None])]
        for plan in plans:
            new += appended(self.ground, plan)
        texts = {piece.start: built(piece, orders[piece.start]) for piece in pieces}
        return spliced(self.ground, pieces, texts, new)

    def _piece(self, statements: Sequence[ast.stmt]) -> Piece:
        ends = statements[0], statements[-1]
        if ends not in self.pieces:
            self.pieces[ends] = Piece(self.ground, statements)
        return self.pieces[ends]

    def _join(
        self, pieces: Sequence[Piece], orders: dict[int, Orders], joins: dict[AddImport, ast.ImportFrom | None]
    ) -> None:
        for statement in dict.fromkeys(each for each in joins.values() if each is not None):
            piece = next(piece for piece in pieces if statement in piece.statements)
            node = piece.location(statement).node
            names = [step.name for step, joined in joins.items() if joined is statement]
            orders[piece.start].expressions[node].append((node, expressions.names_joined(sorted(names))))
