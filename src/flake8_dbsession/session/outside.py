"""A solved function as its callers see it."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

from .body import Body
from .events import Happening
from .expressions.call import place
from .flow import Flow
from .made_anew import caches, makes_engine, makes_owner, of_either_pool, of_new_engine, pool_outside
from .pausing import is_rare
from .state import ENTRY, IDLE, STORED, SWALLOWED, TOLD, Life, State
from .steps.blocks import commits
from .summary import Heard, Own, Summary
from .values import (
    ATTRIBUTE,
    CONSTANT,
    NONE,
    OBJECT,
    OPENED,
    SESSION,
    TUPLE,
    UNKNOWN,
    Resource,
    Value,
    are_of_different_classes,
    late,
)

_ASKED = (Happening.OPENED, Happening.QUERIED, Happening.COMMITTED)


def summary_of(flow: Flow) -> Summary:
    """What a call of the function does, as far as its callers need to know."""
    normal, failed = joined_lives(flow.returned), joined_lives(flow.raised)
    normal = normal if is_mute(flow.body) else tuple((resource, told(life)) for resource, life in normal)
    kinds = sorted({state.raising for state in flow.raised})
    results = [state.result for state in flow.returned]
    returns = telling(results)
    life = None
    if returns.resource is not None:
        lives = [s.lives[returns.resource] for s in flow.returned if returns.resource in s.lives]
        life = lives[0] if lives else None
    yielded = [value for value, _ in flow.scope.yields]
    yields = telling(yielded)
    left = tuple(each for each in flow.left_failed() if each[0] not in flow.scope.rows or is_given(flow, each[0]))
    return Summary(
        normal=normal,
        failed=failed,
        failures=tuple((kind, joined_lives([s for s in flow.raised if s.raising == kind])) for kind in kinds),
        returns=of_new_engine(flow, handed(flow, of_either_pool(returns, results))),
        returned_life=life,
        yields=of_new_engine(flow, of_either_pool(yields, yielded)),
        gives_back=(gives_back(flow, yields, flow.returned), gives_back(flow, yields, flow.raised)),
        commits=commits(flow.body, yields, flow.events(Happening.COMMITTED)),
        between=tuple((flow.scope.between or {}).items()),
        streams=tuple(sorted(flow.scope.streams)),
        saves=tuple(sorted(flow.scope.saved)),
        waits=tuple(nearest(waits_of_callers(flow, normal))),
        attributes=tuple(flow.scope.attributes.items()),
        never_returns=not flow.returned and bool(flow.raised) and len(flow.body.statements) > 1,
        can_raise=bool(flow.raised),
        makes_engine=makes_engine(flow, returns),
        removes_all=flow.scope.removes_all,
        makes_owner=makes_owner(flow, returns),
        swallows=left if is_mute(flow.body) else (),
        told=() if is_mute(flow.body) else tuple(each for each in left if not ends_sometimes(each[1])),
        used=tuple(sorted(flow.scope.used)),
        closes=tuple(sorted(r for r, life in normal if r in flow.scope.closed and not life.phases & ~IDLE)),
        answers=tuple(sorted(flow.scope.answers.items())),
        takes_own=takes_own(flow),
    )


def waits_of_callers(flow: Flow, given: tuple[tuple[Resource, Life], ...]) -> Iterator[Heard]:
    """The waits that concern a caller, who has given sessions or not.

    Whoever pauses after a failure of something of its own hardly ever does, and says so where it does. A lock that is
    taken and given back inside is held as shortly as that of a ``with`` block, of which callers do not hear either.
    """
    is_lent = any(resource.origin != OPENED for resource, _ in given)
    for heard, node in flow.scope.waits.items():
        wait = heard[0]
        if wait.name.endswith(".acquire") and is_given_back_inside(flow.body, node):
            continue
        if wait.kind != "sleep" or wait.chain or not is_rare(flow.body, node, *asked_of(flow), is_lent):
            yield heard


def nearest(waits: Iterable[Heard]) -> Iterable[Heard]:
    """Of all ways to one and the same wait the shortest: where functions call each other there are thousands."""
    found: dict[tuple[object, ...], Heard] = {}
    for heard in waits:
        wait, *given = heard
        what = (wait._replace(chain=(), line=0), bool(wait.chain), *given)
        if what not in found or len(wait.chain) < len(found[what][0].chain):
            found[what] = heard
    return found.values()


def asked_of(flow: Flow) -> tuple[list[ast.AST], list[ast.AST]]:
    """Where a function waits for others, or for what it asks sessions that it was lent, and where it asks its own."""
    asked = [(e.node, e.resource.origin) for kind in _ASKED for e in flow.events(kind) if e.resource is not None]
    own, lent = ([node for node, origin in asked if (origin == OPENED) is is_own] for is_own in (True, False))
    return [*lent, *(node for (wait, *_), node in flow.scope.waits.items() if wait.kind != "sleep")], own


def is_given_back_inside(body: Body, acquire: ast.AST) -> bool:
    """Whether a function that calls ``lock.acquire()`` calls ``lock.release()``, too."""
    match acquire:
        case ast.Call(func=ast.Attribute(value=lock)):
            releases = (call.func for call in body.own(ast.Call) if isinstance(call.func, ast.Attribute))
            return any(each.attr == "release" and ast.unparse(each.value) == ast.unparse(lock) for each in releases)
    return False


def takes_own(flow: Flow) -> Own | None:
    """Where a session that is opened inside takes a connection, while as few as possible are given back."""
    own = min(flow.scope.own, key=lambda each: len(each.free), default=None)
    return own._replace(resource=pool_outside(flow, own.resource)) if own is not None else None


def handed(flow: Flow, session: Value) -> Value:
    """What is returned; the session of a registry that is built here and kept nowhere is the caller's own.

    One that is kept for later calls (``local.session = session``) is no new one each time.
    """
    resource = session.resource
    if resource is not None and session.kind == SESSION and resource.origin == OPENED:
        return kept_for_later(flow, session, resource)
    made = [e.node for e in flow.events(Happening.REGISTRY_MADE) if resource and place(e.node) == resource.key]
    if resource is None or session.kind != SESSION or not made or caches(flow, made):
        return session
    return session._replace(resource=resource._replace(origin=OPENED, flavour=""))


def kept_for_later(flow: Flow, session: Value, resource: Resource) -> Value:
    """A session that the function opens where there is none yet, and stores: whoever asks again gets the same."""
    stored = any(s.lives[resource].marks & STORED for s in flow.returned if resource in s.lives)
    opened = [e.node for e in flow.events(Happening.OPENED) if e.resource == resource] if stored else []
    if not opened or not flow.are_behind_check(opened):
        return session
    return session._replace(resource=resource._replace(origin=ATTRIBUTE, key=flow.body.qualified))


def gives_back(flow: Flow, yielded: Value, states: list[State]) -> bool:
    """Whether a session that was yielded surely has no connection on these ways out; it has had one since.

    Who yields in several places has one for those that have a session already, such as a request, and gives back what
    is his own.
    """
    lives = [state.lives[yielded.resource] for state in states if yielded.resource in state.lives]
    left = [life for life in lives if life.phases != ENTRY]  # as before the yield, or where another one was yielded
    given_back = [not (life.may_leak or life.phases & ENTRY) for life in left]
    return any(given_back) if len(flow.body.own(ast.Yield)) > 1 else bool(left) and all(given_back)


def is_mute(body: Body) -> bool:
    """Whether a function returns nothing but None."""
    values = (node.value for node in body.own(ast.Return))
    return all(value is None or (isinstance(value, ast.Constant) and value.value is None) for value in values)


def is_given(flow: Flow, resource: Resource) -> bool:
    """Whether the function is given a session as such, and not only rows of it."""
    values = (value for names in flow.starts for value in names.values())
    return any(value.kind == SESSION and value.resource == resource for value in values)


def ends_sometimes(handler: ast.AST) -> bool:
    """Whether a handler rolls back on some of its ways, and so knows why not on the others."""
    return any(isinstance(part, ast.Attribute) and part.attr in ("close", "rollback") for part in ast.walk(handler))


def told(life: Life) -> Life:
    """The life after a function that returns something: a failure that it has swallowed is no secret."""
    return Life(life.phases, life.marks & ~SWALLOWED | TOLD) if life.marks & SWALLOWED else life


def joined_lives(states: list[State]) -> tuple[tuple[Resource, Life], ...]:
    """For each session the join over ``states``; a state that does not know it left it as it was."""
    lives: dict[Resource, Life] = {}
    for resource in {r for state in states for r in state.lives}:
        for state in states:
            life = state.lives.get(resource, Life(ENTRY) if resource.origin != OPENED else None)
            if life is not None:
                lives[resource] = lives[resource].join(life) if resource in lives else life
    return tuple(sorted(lives.items()))


def telling(values: list[Value]) -> Value:
    """The value that says most: a session before anything else, then the first that is known.

    Objects of different classes say nothing: which of them it is, is decided at run time. One that is returned on
    some ways only may be missing. Of tuples each element for itself, so ``return None, []`` does not speak for
    ``return query, conditions``.
    """
    for value in values:
        if value.kind == SESSION:
            return value
    known = next((v for v in values if v != UNKNOWN and v.kind != CONSTANT), UNKNOWN)
    if are_of_different_classes(values):
        return UNKNOWN
    if known.kind == OBJECT and NONE in values:
        return late(known)
    if known.kind != TUPLE or known.name == "dict" or all(value == known for value in values):
        return known
    alike = [v for v in values if v.kind == TUPLE and v.name == known.name and len(v.extra) == len(known.extra)]
    tuples = [v.extra for v in alike]
    return known._replace(extra=tuple(telling(list(element)) for element in zip(*tuples, strict=True)))
