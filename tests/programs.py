"""Programs made by chance, and runs of them: every kind of statement, in every other.

A program is one function. Whether conditions hold, what is raised, what a context manager swallows and how often
loops turn is decided from outside by a list of numbers; when they are used up, the run is stopped. ``step()`` returns
or raises, ``choose()`` is a condition, ``many()`` an iterable, ``Manager()`` a context manager.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterable
from functools import cached_property
from typing import NamedTuple

from hypothesis import strategies as st

DEPTH = 4
HAS_GROUPS = sys.version_info >= (3, 11)


class Program:
    """The text of a function, and its tree."""

    def __init__(self, text: str, is_async: bool) -> None:
        self.text = text
        self.is_async = is_async

    def __repr__(self) -> str:
        return f"Program(\n{self.text})"

    @cached_property
    def function(self) -> ast.FunctionDef | ast.AsyncFunctionDef:
        return ast.parse(self.text).body[0]


class _Place(NamedTuple):
    """What may stand here: ``jumps`` are the words that leave a block, ``depth`` how many blocks may still open."""

    depth: int
    is_async: bool
    jumps: tuple[str, ...] = ("return step()", "return")

    def inside(self) -> _Place:
        return self._replace(depth=self.depth - 1)

    def in_loop(self) -> _Place:
        return self.inside()._replace(jumps=(*self.jumps, "break", "continue"))

    def in_group(self) -> _Place:
        """In ``except*`` nothing may jump out."""
        return self.inside()._replace(jumps=())


@st.composite
def programs(draw: st.DrawFn) -> Program:
    is_async = draw(st.booleans())
    lines = draw(blocks(_Place(DEPTH, is_async)))
    head = f"{'async ' if is_async else ''}def program():"
    return Program("\n".join([head, *_indented(lines)]) + "\n", is_async)


@st.composite
def blocks(draw: st.DrawFn, place: _Place) -> list[str]:
    count = draw(st.integers(1, 3 if place.depth > 1 else 2))
    return [line for _ in range(count) for line in draw(statements(place))]


@st.composite
def statements(draw: st.DrawFn, place: _Place) -> list[str]:
    if place.depth <= 0 or draw(st.integers(0, 2)) == 0:
        plain = ("step()", "x = step()", "pass", "raise One", "assert choose()", "del_ = [step() for _ in many()]")
        awaits = ("await later()", "x = [step() async for _ in several()]") if place.is_async else ()
        return [draw(st.sampled_from((*plain, *awaits, *place.jumps)))]
    shapes = [_if, _while, _for, _try, _with, _match] + ([_try_star] if HAS_GROUPS else [])
    return draw(st.sampled_from(shapes))(draw, place)


def _if(draw, place):
    lines = ["if choose():", *_body(draw, place.inside())]
    if draw(st.booleans()):
        lines += ["elif choose():", *_body(draw, place.inside())]
    return lines + _maybe(draw, "else:", place.inside())


def _while(draw, place):
    return ["while choose():", *_body(draw, place.in_loop()), *_maybe(draw, "else:", place.inside())]


def _for(draw, place):
    head = draw(st.sampled_from(["for item in many():", *["async for item in several():"] * place.is_async]))
    return [head, *_body(draw, place.in_loop()), *_maybe(draw, "else:", place.inside())]


def _try(draw, place):
    inner = place.inside()
    catches = draw(st.lists(st.sampled_from(["One", "(One, Two) as error", "Exception"]), max_size=2))
    lines = ["try:", *_body(draw, inner)]
    for caught in catches:
        lines += [f"except {caught}:", *_body(draw, inner)]
    if catches:
        lines += _maybe(draw, "else:", inner)
    if not catches or draw(st.booleans()):
        lines += ["finally:", *_body(draw, inner)]
    return lines


def _try_star(draw, place):
    lines = ["try:", *_body(draw, place.inside())]
    for caught in draw(st.sampled_from([["One"], ["One", "Two"], ["(One, Two)", "Exception"]])):
        lines += [f"except* {caught}:", *_body(draw, place.in_group())]
    lines += _maybe(draw, "else:", place.inside())
    return lines + _maybe(draw, "finally:", place.inside())


def _with(draw, place):
    items = draw(st.sampled_from(["Manager()", "Manager() as a", "Manager() as a, Manager()"]))
    head = draw(st.sampled_from(["", *["async "] * place.is_async]))
    return [f"{head}with {items}:", *_body(draw, place.inside())]


def _match(draw, place):
    lines = ["match number():"]
    for case in draw(
        st.sampled_from([["0"], ["0", "1 if choose()"], ["0 | 2", "_"], ["1 if choose()", "x if choose()"]])
    ):
        lines += _indented([f"case {case}:", *_body(draw, place.inside())])
    return lines


def _body(draw, place):
    return _indented(draw(blocks(place)))


def _maybe(draw, head, place):
    return [head, *_body(draw, place)] if draw(st.booleans()) else []


def _indented(lines: Iterable[str]) -> list[str]:
    return [f"    {line}" for line in lines]


# -- runs


class One(Exception):
    pass


class Two(Exception):
    pass


class Stopped(BaseException):
    """The decisions are used up."""


class Ran(NamedTuple):
    """The lines in the order of their execution, and how the function was left: "returned", "raised", "stopped"."""

    lines: list[int]
    end: str


def run(program: Program, decisions: Iterable[int]) -> Ran:
    """Execute the program, and watch its lines."""
    names = _surroundings(iter(decisions))
    exec(compile(program.text, "<program>", "exec", dont_inherit=True), names)
    code = names["program"].__code__
    lines: list[int] = []

    def trace(frame, event, argument):
        if frame.f_code is not code:
            return None
        if event == "line":
            lines.append(frame.f_lineno)
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        called = names["program"]()
        if program.is_async:
            called.send(None)
        end = "returned"
    except StopIteration:
        end = "returned"
    except Stopped:
        end = "stopped"
    except BaseException as error:
        end = "stopped" if _holds_stop(error) else "raised"
    finally:
        sys.settrace(before)
    return Ran(lines, end)


def _holds_stop(error):
    """Whether the stop is in a group, or a handler that was left by it raised something else."""
    parts = (*getattr(error, "exceptions", ()), error.__context__, error.__cause__)
    return isinstance(error, Stopped) or any(_holds_stop(part) for part in parts if part is not None)


def _surroundings(decisions):
    def number():
        try:
            return next(decisions)
        except StopIteration:
            raise Stopped from None

    def step():
        match number():
            case 1:
                raise One
            case 2:
                raise Two
            case 3 if HAS_GROUPS:
                raise ExceptionGroup("both", [One(), Two()])  # noqa: F821 - since 3.11

    async def later():
        step()

    def choose():
        return number() % 2

    def many():
        return iter(range(number() % 3))

    async def several():
        for item in range(number() % 3):
            yield item

    class Manager:
        def __enter__(self):
            step()

        def __exit__(self, *error):
            step()
            return choose()

        async def __aenter__(self):
            step()

        async def __aexit__(self, *error):
            step()
            return choose()

    return {**locals(), "One": One, "Two": Two}
