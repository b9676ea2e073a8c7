"""Facts for people: what is known, and why."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ..known import Entry
from ..session.state import CLOSED, ENTRY, FAILED, GUESSED, HOLDING, IDLE, KEPT, RETURNED, STORED, UNSURE, Life
from ..session.summary import Summary, Wait
from ..session.values import (
    AMBIENT,
    ATTRIBUTE,
    ENGINE,
    FACTORY,
    FLASK_DB,
    GENERATOR,
    MANAGER,
    OBJECT,
    OPENED,
    QUERY,
    REGISTRY,
    RESULT,
    ROW,
    ROWS,
    SESSION,
    Resource,
    Value,
)
from ..story import through
from . import ClassFacts, Facts, FunctionFacts, Named, Parameter, Release, Teardown

_WAITS = {"sleep": "sleeps", "network": "waits for the network", "wait": "waits", "hash": "computes a slow hash"}
_PHASES = (
    (ENTRY, "as it was"),
    (IDLE | CLOSED, "without a connection"),
    (HOLDING & ~FAILED, "holding a connection"),
    (FAILED, "holding a connection, failed"),
    (UNSURE, "used by code that cannot be seen"),
)
_VALUES = {
    FACTORY: "makes sessions: {}",
    REGISTRY: "a registry",
    FLASK_DB: "Flask-SQLAlchemy",
    ENGINE: "an engine",
    SESSION: "a session",
    OBJECT: "an object of {}",
    MANAGER: "a context manager",
    GENERATOR: "a generator",
    QUERY: "a query",
    RESULT: "a result",
    ROW: "a row",
    ROWS: "rows",
}


def told(facts: Facts, with_silent: bool = False) -> str:
    """The whole page; functions of which nothing is known are left out unless ``with_silent``."""
    blocks = [[f"{facts.module or 'module'} ({facts.path})"]]
    blocks += _headed("declares", map(_release, facts.declared))
    blocks += _headed("names", map(_named, facts.names))
    blocks += _headed("when a unit of work ends", map(_teardown, facts.teardowns))
    blocks += [[_class(one), *_indented(_kept(one))] for one in facts.classes]
    for function in facts.functions:
        lines = list(_function(function))
        if lines or with_silent:
            blocks.append([_heading(function), *_indented(lines or ["nothing is known"])])
    given = (f"{one.function} as {_entry(one.entry)}, by {one.given_by or 'the module'}" for one in facts.handed_over)
    blocks += _headed("hands over", given)
    return "\n\n".join("\n".join(block) for block in blocks) + "\n"


def _headed(heading: str, lines: Iterable[str]) -> list[list[str]]:
    shown = _indented(lines)
    return [[heading, *shown]] if shown else []


def _indented(lines: Iterable[str]) -> list[str]:
    return [f"    {line}" for line in lines]


def _release(release: Release) -> str:
    said = f"{release.name} {release.pinned or release.allows}".rstrip()
    return f"{said} ({release.path})" if release.path else said


def _named(named: Named) -> str:
    return f"{named.name}, line {named.line}: {_value(named.value)}"


def _value(value: Value) -> str:
    words = _VALUES.get(value.kind, value.kind).format(value.name)
    return f"{words} ({value.resource.type})" if value.kind == SESSION and value.resource else words


def _teardown(teardown: Teardown) -> str:
    if not teardown.by:
        return f"{teardown.registry}: nothing is seen that removes it"
    return f"{teardown.registry}: removed by {', '.join(teardown.by)}"


# -- classes


def _class(one: ClassFacts) -> str:
    return f"class {one.name}, line {one.line}{': for with' if one.is_manager else ''}"


def _kept(one: ClassFacts) -> Iterator[str]:
    for kept in one.keeps:
        released = f"given back by {', '.join(kept.released_by)}" if kept.released_by else "no method gives it back"
        yield f"keeps {_value(kept.value)} as self.{kept.attribute}, from {kept.stored_by}; {released}"


# -- functions


def _heading(function: FunctionFacts) -> str:
    kind = "async " if function.is_async else ""
    return f"{kind}{'generator' if function.is_generator else 'function'} {function.name}, line {function.line}"


def _function(function: FunctionFacts) -> Iterator[str]:
    """What is said about a function; nothing where nothing is known."""
    summary = function.summary
    said = [*map(_run_by, function.entries), *_hands_out(summary), *map(_parameter, function.parameters)]
    said += [*_around(summary), *map(_wait, dict.fromkeys(wait for wait, *_ in summary.waits)), *_ends(summary)]
    yield from said
    if said:
        yield from (f"line {s.line}: {s.session and s.session + ' '}{s.happening}: {s.text}" for s in function.steps)


def _run_by(entry: Entry) -> str:
    cleans = f", which releases {', '.join(sorted(entry.cleans))} afterwards" if entry.cleans else ""
    return f"run by {entry.framework} as {_entry(entry)}{cleans}"


def _entry(entry: Entry) -> str:
    beside = f" (in a {entry.runs})" if entry.runs in ("thread", "process", "greenlet", "task") else ""
    return f"{entry.kind}{beside}"


def _hands_out(summary: Summary) -> Iterator[str]:
    for verb, value, life in (
        ("returns", summary.returns, summary.returned_life),
        ("yields", summary.yields, None),
    ):
        resource = value.resource
        if value.kind in _VALUES or resource is not None:
            origin = "opened here" if resource is not None and resource.origin == OPENED else ""
            left = f", {_life(life)}" if life is not None and life.phases != ENTRY else ""
            yield f"{verb} {_value(value)}{origin and ', ' + origin}{left}"
    if summary.makes_engine:
        yield "makes an engine at each call"


def _parameter(parameter: Parameter) -> str:
    return f"leaves a session given for {parameter.name!r} {_ways_out(parameter.returned, parameter.raised)}"


def _around(summary: Summary) -> Iterator[str]:
    """Registries, and what the object keeps."""
    if summary.removes_all:
        yield "removes registries that it gets by name"
    normal, failed = dict(summary.normal), dict(summary.failed)
    for resource in dict.fromkeys([*normal, *failed]):
        if resource.origin in (AMBIENT, ATTRIBUTE):
            yield f"leaves {_resource(resource)} {_ways_out(normal.get(resource), failed.get(resource))}"


def _resource(resource: Resource) -> str:
    return f"the registry {resource.key}" if resource.origin == AMBIENT else resource.key


def _ways_out(returned: Life | None, raised: Life | None) -> str:
    if returned is None or raised is None or raised == returned:
        return _life(returned or raised or Life(ENTRY))
    return f"{_life(returned)}; where it raises, {_life(raised)}"


def _life(life: Life) -> str:
    words = [word for phases, word in _PHASES if life.phases & phases]
    marks = [
        word
        for mark, word in ((STORED | RETURNED, "handed on"), (KEPT, "kept"), (GUESSED, "perhaps closed"))
        if life.marks & mark
    ]
    return " or ".join(words or ["in a transaction"]) + (f" ({', '.join(marks)})" if marks else "")


def _wait(wait: Wait) -> str:
    duration = f" {wait.seconds:g} s" if wait.seconds else ""
    place = f" at {wait.chain[-1][1]}:{wait.chain[-1][2]}" if wait.chain else f", line {wait.line}" if wait.line else ""
    return f"{_WAITS[wait.kind]}{duration}: {through(wait)}{place}"


def _ends(summary: Summary) -> Iterator[str]:
    if summary.never_returns:
        yield "never returns"
