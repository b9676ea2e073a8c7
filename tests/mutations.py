"""Small changes to real Python files: bytes, lines, tokens and trees. Each takes a text and a source of chance."""

from __future__ import annotations

import ast
import copy
import io
import keyword
import token
import tokenize
from collections.abc import Callable, Iterator
from random import Random

ODD_BYTES = (b"\0", b"\xff", b"\r", b"\x0c", b"\xef\xbb\xbf", b"\\", b"\t", b'"""', b"(", b"\xc3\xa9", b"# noqa: ORM\n")
ODD_TOKENS = [*keyword.kwlist, *token.EXACT_TOKEN_TYPES, "match", "type", "0", "1.5j", "'x'", "f'{x}'", "session", "db"]

TAKING = """
import sqlalchemy.orm
session = sqlalchemy.orm.Session()
session.add(session.get(db, 1))
session.commit()
rows = session.execute(db).all()
"""
"""A connection that is taken, so that there is more to report and to mend."""


def mutated(data: bytes, chance: Random) -> bytes:
    """``data`` after one to three changes of one sort; the same where none can be made."""
    change = chance.choices((of_tree, of_tokens, of_lines, of_bytes), (8, 2, 2, 1))[0]
    try:
        return change(data, chance, chance.choice((1, 1, 2, 3)))
    except (SyntaxError, ValueError, RecursionError, tokenize.TokenError, LookupError, IndexError):
        return of_bytes(data, chance, 1)


def of_bytes(data: bytes, chance: Random, times: int) -> bytes:
    """Bytes that are removed, doubled, or odd."""
    for _ in range(times):
        start = chance.randrange(len(data) + 1)
        end = start + chance.choice((0, 1, 1, 2, 8, 200))
        piece = chance.choice((b"", data[start:end] * 2, chance.choice(ODD_BYTES), bytes([chance.randrange(256)])))
        data = data[:start] + piece + data[end:]
    return data


def of_lines(data: bytes, chance: Random, times: int) -> bytes:
    """Lines that are removed, doubled, moved, indented, or joined."""
    lines = data.splitlines(keepends=True)
    for _ in range(times):
        here, there = chance.randrange(len(lines)), chance.randrange(len(lines))
        match chance.randrange(6):
            case 0:
                del lines[here : here + chance.choice((1, 1, 3))]
            case 1:
                lines.insert(there, lines[here])
            case 2:
                lines[here], lines[there] = lines[there], lines[here]
            case 3:
                lines[here] = b"    " + lines[here]
            case 4:
                lines[here] = lines[here].lstrip() if chance.random() < 0.5 else lines[here].removeprefix(b"    ")
            case _:
                lines[here] = lines[here].rstrip() + chance.choice((b"; ", b" \\\n", b"\r\n", b"\r"))
    return b"".join(lines)


def of_tokens(data: bytes, chance: Random, times: int) -> bytes:
    """Tokens that are removed, doubled, replaced, or exchanged."""
    text = data.decode()
    tokens = [one for one in tokenize.generate_tokens(io.StringIO(text).readline) if one.string.strip()]
    lines = text.splitlines(keepends=True)
    for one in sorted(chance.sample(tokens, times), key=lambda one: one.start, reverse=True):
        (row, start), (end_row, end) = one.start, one.end
        if row != end_row:
            continue
        other = chance.choice((chance.choice(ODD_TOKENS), chance.choice(tokens).string, "", f"{one.string} " * 2))
        line = lines[row - 1]
        lines[row - 1] = f"{line[:start]} {other} {line[end:]}"
    return "".join(lines).encode()


# -- trees


def of_tree(data: bytes, chance: Random, times: int) -> bytes:
    """Statements that are removed, moved, or put into blocks, and expressions that are exchanged; always Python."""
    tree = ast.parse(data)
    for _ in range(times):
        chance.choice((_in_blocks, _in_blocks, _in_expressions))(tree, chance)
    return ast.unparse(ast.fix_missing_locations(tree)).encode() + b"\n"


def _blocks(tree: ast.AST) -> list[list[ast.stmt]]:
    """Every list of statements."""
    found = []
    for node in ast.walk(tree):
        for name in ("body", "orelse", "finalbody"):
            block = getattr(node, name, None)
            if isinstance(block, list) and block:
                found.append(block)
    return found


def _in_blocks(tree: ast.Module, chance: Random) -> None:
    blocks = _blocks(tree)
    block = chance.choice(blocks)
    at = chance.randrange(len(block))
    match chance.randrange(5):
        case 0:
            block[at:at] = ast.parse(TAKING).body
        case 1:
            block[at : at + 1] = [] if len(block) > 1 else [ast.Pass()]
        case 2:
            block.insert(at, copy.deepcopy(chance.choice(chance.choice(blocks))))
        case 3:
            block.insert(at, chance.choice(_leaving(chance, tree)))
        case _:
            end = chance.randint(at + 1, len(block))
            block[at:end] = [chance.choice(WRAPPERS)(block[at:end], _expression(tree, chance))]


def _leaving(chance: Random, tree: ast.Module) -> list[ast.stmt]:
    value = _expression(tree, chance)
    texts = ("return", "break", "continue", "raise", "pass", "yield", "global session", "del session")
    return [ast.parse(text).body[0] for text in texts] + [
        ast.Return(value),
        ast.Raise(value),
        ast.Expr(ast.Yield(value)),
        ast.Expr(ast.YieldFrom(value)),
        ast.Expr(ast.YieldFrom(ast.Tuple([value, copy.deepcopy(value)], ast.Load()))),
        ast.Expr(ast.Await(value)),
        ast.Assign([ast.Name("session", ast.Store())], value),
    ]


def _in_expressions(tree: ast.Module, chance: Random) -> None:
    """One expression in the place of another."""
    places = list(_places(tree))
    if not places:
        return
    parent, field, index = chance.choice(places)
    other = _expression(tree, chance)
    if chance.random() < 0.3:
        other = chance.choice((ast.Await(other), ast.Call(other, [], []), ast.Attribute(other, "close", ast.Load())))
    if index is None:
        setattr(parent, field, other)
    else:
        getattr(parent, field)[index] = other


def _places(tree: ast.AST) -> Iterator[tuple[ast.AST, str, int | None]]:
    """Where expressions stand that are read."""
    for node in ast.walk(tree):
        if isinstance(node, (ast.JoinedStr, ast.FormattedValue, ast.pattern)):
            continue
        for field, value in ast.iter_fields(node):
            if _is_read(value):
                yield node, field, None
            elif isinstance(value, list):
                yield from ((node, field, at) for at, inner in enumerate(value) if _is_read(inner))


def _is_read(value: object) -> bool:
    return isinstance(value, ast.expr) and isinstance(getattr(value, "ctx", ast.Load()), ast.Load)


def _expression(tree: ast.Module, chance: Random) -> ast.expr:
    found = [node for node in ast.walk(tree) if _is_read(node) and not isinstance(node, (ast.Slice, ast.Starred))]
    return copy.deepcopy(chance.choice(found)) if found else ast.Constant(None)  # type: ignore[arg-type]


def _wrapper(text: str) -> Callable[[list[ast.stmt], ast.expr], ast.stmt]:
    """A compound statement in which ``BODY`` is put around statements and ``VALUE`` is an expression."""

    def wrap(body: list[ast.stmt], value: ast.expr) -> ast.stmt:
        tree = ast.parse(text)
        for node in ast.walk(tree):
            for name, inner in ast.iter_fields(node):
                if isinstance(inner, list):
                    spots = [at for at, one in enumerate(inner) if _is_body(one)]
                    for at in reversed(spots):
                        inner[at : at + 1] = copy.deepcopy(body)
                elif isinstance(inner, ast.Name) and inner.id == "VALUE":
                    setattr(node, name, value)
        return tree.body[0]

    return wrap


def _is_body(node: object) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Name) and node.value.id == "BODY"


WRAPPERS = tuple(
    _wrapper(text)
    for text in (
        "if VALUE:\n BODY",
        "if VALUE:\n pass\nelse:\n BODY",
        "while VALUE:\n BODY",
        "while True:\n BODY",
        "for item in VALUE:\n BODY\nelse:\n BODY",
        "async for item in VALUE:\n BODY",
        "try:\n BODY\nexcept Exception:\n pass",
        "try:\n BODY\nexcept VALUE as error:\n raise\nelse:\n BODY",
        "try:\n pass\nfinally:\n BODY",
        "try:\n BODY\nexcept* ValueError:\n BODY" if hasattr(ast, "TryStar") else "try:\n BODY\nfinally:\n pass",
        "with VALUE as session:\n BODY",
        "async with VALUE as session, VALUE:\n BODY",
        "match VALUE:\n case [1, *_] if VALUE:\n  BODY\n case _:\n  BODY",
        "def inner(session=VALUE):\n BODY",
        "async def inner(*args, **kwargs):\n BODY",
        "class Inner(VALUE):\n BODY",
    )
)
