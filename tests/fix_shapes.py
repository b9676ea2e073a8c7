"""Python files of all shapes, and what a plan makes of their syntax tree, worked out without the fixer."""

from __future__ import annotations

import ast
import io
import tokenize
from collections import Counter
from typing import Any

from hypothesis import strategies as st

from flake8_dbsession.fix.plans import (
    DeleteStatement,
    InsertAfter,
    InsertBefore,
    InsertFirst,
    OpenInWith,
    Step,
    WrapInFinally,
    WrapInWith,
)
from flake8_dbsession.model import Span
from flake8_dbsession.source import Source

SMALL = [
    "s.add(x)",
    "pass",
    "s = make(a, 'é')",
    "t: T = make()",
    'x = """one\n two\n\tthree"""',
    "y = f'{x!r:>{y}} {x}'",
    "z = (1,  # first\n 2,\n\n  3)",
    "print('a' \\\n   'b')",
    "del x, y",
    "assert x, 'ünï'",
    "x = [a\n for a in b\n    # why\n if a]",
    "f(lambda q: q, *a, **b)",
]
HEADERS = [
    "if x:",
    "if (x\n and y):",
    "while x:",
    "for é in y:",
    "with a as b, c:",
    "try:",
    "def f(a, b='é'):",
    "class C(B):",
]
ASYNC = ["async def f(a):"]
COMMENTS = ["", "  # why", " # type: ignore  "]


@st.composite
def blocks(draw: Any, indent: str, depth: int, step: str) -> list[str]:
    """The lines of a block, each with its newline."""
    lines: list[str] = []
    for _ in range(draw(st.integers(1, 4 if depth else 5))):
        lines += draw(st.sampled_from([[], [], ["\n"], [f"{indent}# note\n"], ["# far left\n"], [f"{indent}  \n"]]))
        if depth < 3 and draw(st.booleans()):
            lines += draw(compounds(indent, depth, step))
        else:
            smalls = draw(st.lists(st.sampled_from(SMALL), min_size=1, max_size=draw(st.sampled_from([1, 1, 3]))))
            end = draw(st.sampled_from(["", "", ";"])) + draw(st.sampled_from(COMMENTS))
            lines.append(indent + "; ".join(smalls) + end + "\n")
    if indent and draw(st.booleans()):
        lines.append(f"{indent}# end\n")
    return lines


@st.composite
def suites(draw: Any, header: str, indent: str, depth: int, step: str) -> list[str]:
    """A header and its block, which may stand on the line of the header."""
    comment = draw(st.sampled_from(COMMENTS))
    if draw(st.integers(0, 4)) == 0:
        smalls = draw(st.lists(st.sampled_from([s for s in SMALL if "\n" not in s]), min_size=1, max_size=3))
        return [f"{indent}{header} {'; '.join(smalls)}{comment}\n"]
    inner = indent + draw(st.sampled_from([step, step, step + " "]))
    return [f"{indent}{header}{comment}\n", *draw(blocks(inner, depth + 1, step))]


@st.composite
def compounds(draw: Any, indent: str, depth: int, step: str) -> list[str]:
    """A compound statement with some of the branches that it may have."""
    header = draw(st.sampled_from(HEADERS + ASYNC))
    lines: list[str] = []
    if header.startswith(("def", "class", "async")) and draw(st.booleans()):
        lines += [f"{indent}@deco(1,\n   2)\n", f"{indent}# deco\n"]
    lines += draw(suites(header, indent, depth, step))
    branches: list[str] = []
    if header == "try:":
        handlers = draw(st.sampled_from([[], ["except E as e:"], ["except A:", "except:"]]))
        branches = [*handlers, *(["else:"] if handlers and draw(st.booleans()) else [])]
        branches += ["finally:"] if not handlers or draw(st.booleans()) else []
    elif header.startswith(("if", "while", "for")) and draw(st.booleans()):
        branches = ["elif y:", "else:"] if header.startswith("if") else ["else:"]
    for branch in branches:
        lines += draw(suites(branch, indent, depth, step))
    return lines


@st.composite
def files(draw: Any) -> bytes:
    """A whole file, in some encoding, with some newline."""
    text = "".join(draw(blocks("", 0, draw(st.sampled_from(["    ", "  ", "\t"])))))
    if draw(st.booleans()):
        text = text.rstrip("\n \t")
    newline = draw(st.sampled_from(["\n", "\r\n", "\r"]))
    encoding = draw(st.sampled_from(["utf-8", "utf-8-sig"] + ["latin-1"] * (newline != "\r")))
    cookie = "# coding: latin-1\n" if encoding == "latin-1" else ""
    return (cookie + text).replace("\n", newline).encode(encoding)


def placed(source: Source) -> list[tuple[list[ast.stmt], int, Span]]:
    """Every statement that stands in a block by itself: the block, its number in it, and its span."""
    found = []
    for node in ast.walk(source.tree):
        for name in ("body", "orelse", "finalbody"):
            block = getattr(node, name, None)
            if not isinstance(block, list) or _is_elif(source, node, name):
                continue
            found += [(block, number, source.span(statement)) for number, statement in enumerate(block)]
    return found


def _is_elif(source: Source, node: ast.AST, name: str) -> bool:
    block = getattr(node, name)
    return (
        isinstance(node, ast.If)
        and name == "orelse"
        and len(block) == 1
        and isinstance(block[0], ast.If)
        and source.segment(source.span(block[0])).startswith("elif")
    )


@st.composite
def steps(draw: Any, source: Source) -> Step:
    """A step on statements that stand in ``source``."""
    places = placed(source)
    block, number, span = draw(st.sampled_from(places))
    last = draw(st.integers(number, len(block) - 1))
    end = source.span(block[last])
    inside = [s for b, n, s in places if b is block and number < n <= last]
    drop = tuple(draw(st.lists(st.sampled_from(inside), unique=True, max_size=2))) if inside else ()
    choices: list[Step] = [
        DeleteStatement(span),
        InsertBefore(span, "new()"),
        InsertAfter(span, "new()"),
        WrapInFinally(span, end, "new()", drop),
        WrapInFinally(span, span, "new()"),
        OpenInWith(span, end, "new()", "made"),
    ]
    statement = block[number]
    if isinstance(statement, ast.Assign | ast.AnnAssign) and isinstance(statement.value, ast.Call):
        target = statement.targets[0] if isinstance(statement, ast.Assign) else statement.target
        choices += [WrapInWith(span, source.span(statement.value), ast.unparse(target), end, drop)] * 4
    if getattr(statement, "body", None):
        choices.append(InsertFirst(span, "new()"))
    return draw(st.sampled_from(choices))


def after(source: Source, *wanted: Step) -> str:
    """The dump of the tree as steps that do not meet should make it."""
    tree = ast.parse(source.data)
    home = Source(source.path, source.data, tree)
    places = [(block, block[number], span) for block, number, span in placed(home)]
    spans = {id(statement): span for _, statement, span in places}
    for step in wanted:
        where = next(span for span in step if isinstance(span, tuple))
        block, statement = next((block, found) for block, found, span in places if span == where)
        _take(block, statement, step, spans)
    tree.body = _cleaned(tree).body  # type: ignore[attr-defined]
    return ast.dump(tree)


_GONE = ast.Pass()


def _take(block: list[ast.stmt], statement: ast.stmt, step: Step, spans: dict[int, Span]) -> None:
    """Changes ``block`` as ``step`` on ``statement`` should."""
    number = block.index(statement)
    new = ast.parse("new()").body[0]
    match step:
        case DeleteStatement():
            block[number] = _GONE
        case InsertBefore():
            block.insert(number, new)
        case InsertAfter():
            block.insert(number + 1, new)
        case InsertFirst():
            inner = statement.body  # type: ignore[attr-defined]
            inner.insert(1 if _has_docstring(statement) else 0, new)
        case OpenInWith():
            stop = next(n for n, s in enumerate(block) if spans.get(id(s)) == step.last) + 1
            item = ast.withitem(ast.parse("new()").body[0].value, ast.Name("made", ast.Store()))  # type: ignore[attr-defined]
            block[number:stop] = [ast.With([item], block[number:stop])]
        case WrapInFinally() | WrapInWith():
            stop = next(n for n, s in enumerate(block) if spans.get(id(s)) == step.last) + 1
            _wrap(block, number, stop, step, spans, new)


def _wrap(block: list[ast.stmt], start: int, stop: int, step: Any, spans: dict[int, Span], new: ast.stmt) -> None:
    first = block[start]
    taken = [s if spans.get(id(s)) not in step.drop else _GONE for s in block[start:stop]]
    around: Any
    if isinstance(step, WrapInWith):
        assert isinstance(first, ast.Assign | ast.AnnAssign)
        target = first.targets[0] if isinstance(first, ast.Assign) else first.target
        around = ast.With([ast.withitem(first.value, target)], taken[1:])
    elif stop - start == 1 and isinstance(first, ast.Try):
        first.finalbody.append(new)
        return
    else:
        around = ast.Try(taken, [], [], [new])
    block[start:stop] = [around]


def _has_docstring(node: ast.stmt) -> bool:
    functions = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
    return isinstance(node, functions) and ast.get_docstring(node) is not None


def _cleaned(node: Any) -> Any:
    """Empty branches go, an empty block gets ``pass``, and a ``try`` of nothing but a body is its body."""
    for name in ("body", "orelse", "finalbody", "handlers", "cases"):
        block = getattr(node, name, None)
        if not isinstance(block, list):
            continue
        kept = [child for child in block if child is not _GONE]
        if not kept and name == "body" and not isinstance(node, ast.Module):
            kept = [ast.Pass()]
        block[:] = kept
        for child in kept:
            _cleaned(child)
            if isinstance(child, ast.Try) and not child.handlers and not child.finalbody:
                block[block.index(child) : block.index(child) + 1] = child.body
    return node


def comments(text: str, spans: tuple[Span, ...] = ()) -> Counter[str]:
    """The comments of ``text``, but for those that belong to the statements at ``spans``.

    These are the ones inside, behind on the last line, and below as long as they stand further to the right.
    """
    found: Counter[str] = Counter()
    reach = {span: span.end_line for span in spans}
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type != tokenize.COMMENT:
            continue
        for span, line in reach.items():
            if token.start[0] > line and token.start[1] > span.column:
                code = "".join(text.splitlines(keepends=True)[line : token.start[0] - 1])
                reach[span] = token.start[0] if not code.strip() else line
        if not any(span[:2] <= token.start and token.start[0] <= line for span, line in reach.items()):
            found[token.string.rstrip()] += 1
    return found
