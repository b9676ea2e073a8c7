"""Puts the new pieces and lines into the text of the file, in the place of the old ones."""

from __future__ import annotations

import ast
import warnings
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from .ground import Ground, Refusal, first_line
from .imports import Insertion
from .orders import Orders
from .piece import Piece
from .reach import Region
from .rebuild import rebuilt


def merged(ground: Ground, regions: Iterable[Region]) -> list[list[ast.stmt]]:
    """The statements of regions that neither meet nor share a line."""
    regions = set(regions)
    body = ground.tree.body
    found: list[tuple[int, int]] = []
    for first, last, _ in sorted(region for region in regions if region.method is None):
        while first and (body[first - 1].end_lineno or 0) >= first_line(body[first]):
            first -= 1
        while last + 1 < len(body) and first_line(body[last + 1]) <= (body[last].end_lineno or 0):
            last += 1
        if found and first <= found[-1][1]:
            first, last = found[-1][0], max(last, found.pop()[1])
        found.append((first, last))
    runs = [body[first : last + 1] for first, last in found]
    inside = {number for first, last in found for number in range(first, last + 1)}
    return [*runs, *([r.method] for r in regions if r.method is not None and r.first not in inside)]


def built(piece: Piece, orders: Orders) -> str:
    """The new text of a piece.

    Raises :class:`~.ground.Refusal` where it would be no Python, or where a string that runs over several lines
    would change its content.
    """
    module = rebuilt(piece.module, orders)
    if not module.body and not module.footer:
        return ""
    text = piece.written(module)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(piece.header + text)
    except SyntaxError as error:
        raise Refusal(f"the new code would not parse: {error.msg}") from None
    if _long_strings(piece.statements, piece.replaced(orders)) - _long_strings([tree], set()):
        raise Refusal("a string over several lines would change")
    return text


def _long_strings(nodes: Iterable[ast.AST], leaving_out: set[ast.AST]) -> Counter[str | bytes]:
    """The strings with a newline in them, by their content."""
    found: Counter[str | bytes] = Counter()
    waiting = list(nodes)
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Constant):
            value = node.value
            if (isinstance(value, str) and "\n" in value) or (isinstance(value, bytes) and b"\n" in value):
                found[value] += 1
        elif node not in leaving_out:
            waiting.extend(ast.iter_child_nodes(node))
    return found


def spliced(ground: Ground, pieces: Sequence[Piece], texts: Mapping[int, str], new: Iterable[Insertion]) -> list[str]:
    """The text of the file, in parts: ``texts`` by the start of their piece, and new lines between the pieces."""
    newline = ground.newlines[0]
    changes = [(piece.start, piece.stop, texts[piece.start]) for piece in pieces]
    changes += [(line, line, text.replace("\n", newline)) for line, text in new]
    parts: list[str] = []
    at = 0
    for start, stop, text in sorted(changes):
        if start < at:
            raise Refusal("new lines would have to stand inside another fix")
        parts += ground.lines[at:start]
        at = stop
        if not text:
            at = _closed_hole(ground.lines, parts, stop)
        elif start == stop and parts and not parts[-1].endswith(("\n", "\r")):
            parts.append(newline + text[: -len(newline)])
        else:
            parts.append(text)
    return parts + ground.lines[at:]


def _closed_hole(lines: Sequence[str], above: list[str], at: int) -> int:
    """The line from which the text goes on after a hole: blank lines on both sides, or at the end, are needless."""
    if not above or not above[-1].strip():
        while at < len(lines) and not lines[at].strip():
            at += 1
    while at == len(lines) and above and not above[-1].strip():
        above.pop()
    return at
