"""What a call of a solved function does to the sessions of its caller."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from typing import TYPE_CHECKING

from ..events import Happening, Second, Swallowed
from ..expressions.removing import remove_all
from ..state import (
    CLOSED,
    ENTRY,
    FAILED,
    GUESSED,
    HELD,
    HOLDING,
    IDLE,
    KEPT,
    STORED,
    SWALLOWED,
    TOLD,
    UNSURE,
    Life,
    doubt,
)
from ..summary import Own, Summary, Wait
from ..syntax import names_below
from ..values import (
    OPENED,
    PARAMETER,
    Resource,
    Value,
)
from .formals import SELF, Formals
from .hearing import goes_on_anyway
from .lending import reads

if TYPE_CHECKING:
    from ..expressions.evaluate import Evaluation


def apply(
    ev: Evaluation,
    summary: Summary,
    formals: Formals,
    node: ast.AST,
    function: Value,
    path: str,
    ended: tuple[Resource, ...] = (),
) -> None:
    """The callee's effects on the caller's sessions; functions that it is given have ``ended`` some by themselves."""
    wait_as_inside(ev, summary, formals, node, (function.name or "<lambda>", path), ended)
    if summary.removes_all:
        remove_all(ev)
    if summary.takes_own:
        released = tuple(filter(None, map(formals.of_caller, summary.takes_own.free)))
        beside(ev, node, (function.name, path), summary.takes_own, released)
    if summary.can_raise:
        for kind, lives in summary.failures or (("other", ()),):
            ev.now.may_raise(kind, failed(ev, lives, formals) if lives else None)
    if summary.makes_engine:
        ev.now.event(Happening.ENGINE_MADE, node, None, function.name)
        ev.scope.engines.append(node)
    if summary.makes_owner:
        own(ev, node, function.name)
    for formal, life in summary.normal:
        actual = formals.of_caller(formal) if life.phases == IDLE else None
        if actual is not None:
            ev.now.cut(actual, node)
    for actual in filter(None, map(formals.of_caller, summary.used)):
        ev.now.after_failure(actual, node)
    if summary.never_returns:
        ev.now.is_dead = True
    if not summary.normal:
        return
    before = dict(ev.now.lives)
    ev.now.lives = changed(ev, summary.normal, formals, function.name)
    closed = set(filter(None, map(formals.of_caller, summary.closes)))
    swallow(ev, summary, formals, node)
    for resource, life in list(ev.now.lives.items()):
        old = before.get(resource, Life(ENTRY))
        if life.may_hold and not old.may_hold:
            ev.now.lives, now = before, ev.now.lives
            ev.now._second(resource, node)
            ev.now.lives = now
            ev.now.event(Happening.TAKEN, node, resource)
            ev.now.after_end(resource, old, node)
            ev.now.steps[resource] = node
        elif not life.may_hold:
            ev.now.steps.pop(resource, None)
            if resource in closed:
                ev.now.detach(resource)
                ev.now.closed.add(resource)
            elif old.may_hold and not resource.keeps_rows:
                ev.now.expire(resource)


def swallow(ev: Evaluation, summary: Summary, formals: Formals, node: ast.AST) -> None:
    """What a handler inside has caught, of which the caller is told nothing, or does not listen."""
    for formal, handler in summary.swallows:
        ev.now.steps["caught", formals.of_caller(formal)] = Swallowed(node, handler, formal)
    for formal, handler in summary.told if summary.told and goes_on_anyway(ev.body, node) else ():
        actual = formals.of_caller(formal)
        life = ev.now.lives.get(actual) if actual is not None else None
        if actual is not None and life is not None and life.marks & TOLD:
            ev.now.lives[actual] = Life(life.phases, life.marks & ~TOLD | SWALLOWED)
            ev.now.steps["caught", actual] = Swallowed(node, handler, formal)


def wait_as_inside(
    ev: Evaluation,
    summary: Summary,
    formals: Formals,
    node: ast.AST,
    callee: tuple[str, str],
    ended: tuple[Resource, ...] = (),
) -> None:
    """The waits of a callee (its name and path), each for what is held meanwhile; ``ended`` is not."""
    for what, free, held in summary.waits:
        through = what.inside(callee, node.lineno)  # type: ignore[attr-defined]
        released, inside = (tuple(sorted({*filter(None, map(formals.of_caller, each))})) for each in (free, held))
        report_wait(ev, through, node, (*released, *ended), inside)


def failed(ev: Evaluation, lives: Iterable[tuple[Resource, Life]], formals: Formals) -> dict[Resource, Life]:
    """The caller's lives as an exception of the callee leaves them: whoever catches that is the one who swallows."""
    after = changed(ev, ((r, Life(life.phases, life.marks & ~(SWALLOWED | TOLD))) for r, life in lives), formals)
    fresh = {actual for formal, life in lives if life.phases & FAILED and (actual := formals.of_caller(formal))}
    return {r: life.fails_anew(ev.now.life(r)) if r in fresh else life for r, life in after.items()}


def own(ev: Evaluation, node: ast.AST, name: str) -> None:
    """An object with an engine of its own is made."""
    ev.now.event(Happening.OWNER_MADE, node, None, name)
    ev.scope.owners.append(node)


def beside(
    ev: Evaluation,
    node: ast.AST,
    callee: tuple[str, str],
    own: Own,
    released: tuple[Resource, ...] = (),
) -> None:
    """The callee (its name and path) takes a connection of its own while the caller holds one, not ``released`` yet."""
    way = ((*callee, own.line), *own.way)
    free = tuple(sorted({*ev.now.given_back(), *released}))
    ev.now.own = ev.now.own or Own(node, getattr(node, "lineno", 0), own.resource, way, free)
    for resource in (each for each in ev.now.held() if each not in released):
        if own.resource.is_apart_from(resource) and resource != own.resource:
            ev.now.event(Happening.SECOND, node, resource, Second(own.resource, way))


def report_wait(
    ev: Evaluation,
    what: Wait,
    node: ast.AST,
    released: tuple[Resource, ...] = (),
    inside: tuple[Resource, ...] = (),
) -> None:
    """One wait: reported for what is held, here or ``inside`` a call, and remembered for callers that may hold more."""
    here = [r for r in ev.now.held() if r not in released]
    held = dict.fromkeys((*here, *inside))
    for resource in held:
        ev.now.event(Happening.WAITED, node, resource, what if resource not in here else what.held_before())
    free = {r for r, life in ev.now.lives.items() if not life.phases & ENTRY and r.origin != OPENED}
    free |= set(released)
    read = {r: step for r in here if (step := row_read(ev, r)) is not None}
    untold = {r for r in held if r in ev.scope.untold or (r in ev.scope.rows and (r in read or r not in here))}
    if is_given(ev, node):
        untold |= set(held)
    if read:
        what = what._replace(read=("", "", min(step.lineno for step in read.values())))
    ev.scope.hear(what, tuple(sorted(free)), tuple(sorted(untold)), node)


def is_given(ev: Evaluation, node: ast.AST) -> bool:
    """Whether what waits is a parameter, ``work()`` or ``await work``: nobody but the caller knows that it does."""
    asked = node.value if isinstance(node, ast.Await) else node.func if isinstance(node, ast.Call) else node
    return isinstance(asked, ast.Name) and any(parameter.arg == asked.id for parameter in ev.body.parameters)


def row_read(ev: Evaluation, resource: Resource) -> ast.Attribute | ast.Call | None:
    """The attribute of a row that was given, or of one of several, by which a session has taken its connection anew, or
    the call of a function that was passed such a row and has read it."""
    step = ev.now.steps.get(resource) if resource in ev.scope.rows else None
    asked = [step.value] if isinstance(step, ast.Attribute) else step.args if isinstance(step, ast.Call) else []
    names = {each.id for each in asked if isinstance(each, ast.Name)}
    if not names or not isinstance(step, (ast.Attribute, ast.Call)):
        return None
    given = {parameter.arg for parameter in ev.body.parameters}
    loops = ev.body.own(ast.For, ast.comprehension)
    given |= {name for loop in loops if names_below(loop.iter) & given for name in names_below(loop.target)}
    return step if names & given else None


def changed(
    ev: Evaluation, lives: Iterable[tuple[Resource, Life]], formals: Formals, name: str = ""
) -> dict[Resource, Life]:
    """The caller's lives after the callee left its formals as ``lives`` say (ENTRY: as they were).

    What the callee only passes on to unknown code comes back to the caller, who still has to close it; not so an object
    that has opened it, which may be kept there and closed. What a callee does whose ``name`` says that it reads ends no
    transaction.
    """
    after = dict(ev.now.lives)
    for formal, life in lives:
        actual = formals.of_caller(formal)
        if actual is None:
            continue
        old = ev.now.life(actual)
        phases = (life.phases & ~ENTRY) | old.phases if life.phases & ENTRY else life.phases
        if life.phases & HELD and not life.phases & ~(HOLDING | IDLE | ENTRY):
            phases = life.phases & HOLDING  # on the way inside on which it is taken and not given back
        if life.phases & UNSURE and old.surely_holds and not life.phases & ~(UNSURE | ENTRY | HELD) and reads(name):
            phases = old.phases
        stored = kept_by_callee(formals, actual) if life.marks & KEPT else 0
        of_object = formal.origin == PARAMETER and "." in formal.key
        not_kept = KEPT if of_object else GUESSED | KEPT
        after[actual] = Life(phases, old.marks | stored | life.marks & ~not_kept)
    touched = {formals.of_caller(formal) for formal, _ in lives}
    for ended in (r for r in touched if r is not None and not after[r].phases & ~(IDLE | CLOSED)):
        doubt(after, ended, touched)
    return after


def kept_by_callee(formals: Formals, actual: Resource) -> int:
    """What the callee keeps on its object is out of the caller's hands, unless it is the caller's own object.

    ``super().__init__(session)``: who makes the object has the session, as where the constructor keeps it by itself.
    """
    return KEPT if formals.receiver == SELF and actual.origin == PARAMETER else STORED
