"""What the rules about waiting share: one report for each place that waits while a connection is held."""

from __future__ import annotations

import ast
import itertools
import math
from collections.abc import Callable, Iterable, Iterator

from ..mending.releasing import release_before
from ..model import Diagnostic, Note, Rule
from ..pool.without import has_no_pool
from ..questions.asking import ends, ends_with_commands, first_of_each_node, is_of_the_start, is_out_of_scope, within
from ..questions.at_entry import waits_at_entry
from ..questions.held import Held
from ..questions.locks import is_guard_of_session, is_inside_lock, is_own_lock, is_short_lock
from ..questions.shells import serves_one_person
from ..session.events import Event, Happening
from ..session.flow import Flow
from ..session.summary import Wait
from ..story import chain, holding, read_inside, seconds, taken, through
from ..view import View, asked_once

_SERVED = frozenset({"requests", "jobs", "its jobs", "tasks", "updates"})
"""What a process waits for that serves until it is stopped."""

_FOR_GOOD = (".run_forever", ".serve_forever", ".IOLoop.start")
"""The ends of names of what turns a loop of events until somebody stops it."""

_TASKS = "other tasks"

_KINDS = ("network", "wait", "sleep", "hash")
"""The kinds of waits, those first that may last longest."""


def waits(view: View, rule: Callable[[], Rule], kinds: frozenset[str], verb: str) -> Iterator[Diagnostic]:
    """A report of ``rule`` for each wait of one of the ``kinds``; ``verb`` says what the place does."""
    found = all_waits(view, rule, kinds, verb)
    first = next(found, None)
    if first is not None and not has_no_pool(view):
        yield first
        yield from found


def all_waits(view: View, rule: Callable[[], Rule], kinds: frozenset[str], verb: str) -> Iterator[Diagnostic]:
    """The same, whether anybody else may want the connection or not."""
    for flow in view.flows:
        for event in told_waits(view, flow):
            if event.detail.kind in kinds:
                yield report(view, rule(), flow, event, verb)
        at_entry = (each for each in waits_at_entry(view, flow) if each.event.detail.kind in kinds)
        at_entry = (each for each in at_entry if is_reported(view, flow, each.event))
        for event, held in itertools.islice(at_entry, 1):  # what mends the first mends those that follow
            yield report_at_entry(view, rule(), flow, event, held, verb)


@asked_once
def told_waits(view: View, flow: Flow) -> list[Event]:
    """The waits of a function that are worth a report, of any kind: one for each place. A call that asks the network
    and sleeps between its tries is told as the former, since what mends one of the two mends the other."""
    events = [e for e in flow.events(Happening.WAITED) if is_reported(view, flow, e)]
    if is_setting_up(view, flow):
        events = [e for e in events if e.detail.kind != "hash"]
    if events and serves_one_person(view, flow.body):
        return []
    if events and (is_over_once(view, flow) or ends_with_commands(view, flow) or is_of_the_start(view, flow)):
        events = [] if view.is_test else [e for e in events if is_endless(view, e) or is_until_told(flow, e)]
    return first_of_each_place(sorted(events, key=weight))


def is_over_once(view: View, flow: Flow) -> bool:
    """Whether it is what a module does as it begins, and comes to an end: a script, or the start of a process."""
    return flow.body.node is None and ends(view, flow)


def is_reported(view: View, flow: Flow, event: Event) -> bool:
    """Whether a wait is nothing that another report speaks of, or that is over soon."""
    return (
        not polls_file(flow, event)
        and not listens(event)
        and not is_own_lock(flow, event)
        and not is_inside_lock(view, flow, event)
        and not is_guard_of_session(flow, event)
        and not is_short_lock(view, event)
        and not is_told(view, flow, event)
    )


def file_waits(view: View, rule: Callable[[], Rule]) -> Iterator[Diagnostic]:
    """Sleeps in a loop that waits for a file."""
    for flow in view.flows:
        if is_out_of_scope(view, flow):
            continue
        for event in first_of_each_node([e for e in flow.events(Happening.WAITED) if polls_file(flow, e)]):
            yield report(view, rule(), flow, event, "waits for a file")


def lifetimes(view: View, rule: Callable[[], Rule]) -> Iterator[Diagnostic]:
    """The ``yield`` of what runs around an application, from its start to its end, with a connection."""
    for flow in view.flows:
        if not flow.body.is_generator or is_out_of_scope(view, flow) or not is_of_the_whole_life(view, flow):
            continue
        for event in first_of_each_node(flow.events(Happening.STREAMED)):
            if event.resource is not None:
                message = f"{holding(flow, event.resource)} for as long as the application runs"
                plan, refusal = release_before(view, flow, event)
                yield view.diagnostic(rule(), event.node, message, taken(view, event.taken), plan, refusal, flow.body)


def is_of_the_whole_life(view: View, flow: Flow) -> bool:
    """Whether the function is a lifespan handler, ``FastAPI(lifespan=lifespan)``: it yields once between start and
    end."""
    return any(entry.kind == "startup" for entry in view.units.entries(flow.body))


def first_of_each_place(events: Iterable[Event]) -> list[Event]:
    """The first of those that begin at one place in the text, ``self.store`` and ``self.store.find()``: what mends one
    of them mends the other."""
    first: dict[tuple[int, int], Event] = {}
    for event in first_of_each_node(events):
        first.setdefault((event.node.lineno, event.node.col_offset), event)  # type: ignore[attr-defined]
    return list(first.values())


def weight(event: Event) -> tuple[bool, int, int]:
    """Which of several waits of one place is told, the least first: what the configuration has an advice about, then
    the network, which may not answer for as long as it likes, then the nearest."""
    wait: Wait = event.detail
    return not wait.advice, _KINDS.index(wait.kind), len(wait.chain)


def is_setting_up(view: View, flow: Flow) -> bool:
    """Whether the function makes the first users, by its name or as the start of the server: it hashes once."""
    parts = flow.body.name.replace(".<locals>", "").split(".")
    starts = any(entry.kind == "startup" for entry in view.units.entries(flow.body))
    return starts or any(map(view.project.known.conventions.is_setting_up, parts))


def is_endless(view: View, event: Event) -> bool:
    """Whether the wait lasts as long as the process: a command that serves holds its connection for good, too."""
    name: str = event.detail.name
    fact = view.project.known.call(name)
    serves = (fact is not None and fact.what in _SERVED) or name.endswith(_FOR_GOOD)
    return serves or event.detail.seconds == math.inf


def is_until_told(flow: Flow, event: Event) -> bool:
    """Whether a wait stands in ``while not self.stopped:`` of a method that leaves it to others to set that."""
    line = event.node.lineno  # type: ignore[attr-defined]
    for loop in flow.body.own(ast.While):
        asked = loop.test.operand if isinstance(loop.test, ast.UnaryOp) else loop.test
        match asked:
            case ast.Attribute(value=ast.Name(id=owner), attr=flag) if owner == flow.body.me:
                own = (target for target, _ in flow.body.assigned() if isinstance(target, ast.Attribute))
                if loop.lineno <= line <= (loop.end_lineno or 0) and all(target.attr != flag for target in own):
                    return True
    return False


def is_told(view: View, flow: Flow, event: Event) -> bool:
    """Whether a wait for tasks is reported as what these tasks wait for, or as the session that they share."""
    handed_over = [e.node for e in flow.events(Happening.HANDED_OVER) if e.resource == event.resource]
    if not is_for_tasks(view, event):
        return is_told_inside(flow, event) or (is_given_by(event) and any(within(event.node, n) for n in handed_over))
    if event.node in handed_over:
        return True
    others = [e for e in flow.events(Happening.WAITED) if e.node is event.node]
    return not all(is_for_tasks(view, other) for other in others)


def is_given_by(event: Event) -> bool:
    """Whether a wait is for all that an executor's ``map()`` gives."""
    name: str = event.detail.name
    return name.endswith(".map()")


def is_told_inside(flow: Flow, event: Event) -> bool:
    """Whether the end of a block waits for threads for which it has waited before, or which share the session."""
    block = next((each for each in flow.body.own(ast.With) if is_item_of(each, event.node)), None)
    if block is None or not event.detail.name.endswith(".__exit__"):
        return False
    others = (*flow.events(Happening.WAITED), *flow.events(Happening.HANDED_OVER))
    inside = (other for other in others if other.node is not event.node and within(block, other.node))
    return any(other.resource == event.resource for other in inside)


def is_item_of(block: ast.With, node: ast.AST) -> bool:
    return any(item.context_expr is node for item in block.items)


def is_for_tasks(view: View, event: Event) -> bool:
    """Whether all that is known of a wait is that it is for other tasks."""
    fact = view.project.known.call(event.detail.name)
    return fact is not None and fact.what == _TASKS


def listens(event: Event) -> bool:
    """Whether a wait is that of a websocket for its client, which ORM204 reports."""
    return ".WebSocket.receive" in event.detail.name


def polls_file(flow: Flow, event: Event) -> bool:
    """Whether a sleep stands in ``while not os.path.exists(…)`` or the like."""
    line = event.node.lineno  # type: ignore[attr-defined]
    return event.detail.kind == "sleep" and any(
        isinstance(loop, ast.While) and loop.lineno <= line <= (loop.end_lineno or 0) and asks_for_file(loop.test)
        for loop in flow.body.own_nodes
    )


def asks_for_file(test: ast.expr) -> bool:
    names = (part.attr for part in ast.walk(test) if isinstance(part, ast.Attribute))
    return any(name in ("exists", "isfile", "isdir", "is_file", "is_dir") for name in names)


def report(view: View, rule: Rule, flow: Flow, event: Event, verb: str) -> Diagnostic:
    wait: Wait = event.detail
    assert event.resource is not None
    advice = f" ({wait.advice})" if wait.advice else ""
    meanwhile = holding(flow, event.resource)
    message = f"{through(wait)} {verb}{seconds(wait)} while {meanwhile}{advice}"
    plan, refusal = release_before(view, flow, event)
    return view.diagnostic(rule, event.node, message, story(view, event), plan, refusal, flow.body)


def report_at_entry(view: View, rule: Rule, flow: Flow, event: Event, held: Held, verb: str) -> Diagnostic:
    """A report of a wait while the request's session holds what a dependency has taken."""
    wait: Wait = event.detail
    message = f"{through(wait)} {verb}{seconds(wait)} while {held.meanwhile}"
    return view.diagnostic(rule, event.node, message, chain(wait, event.node), None, held.remedy, flow.body)


def story(view: View, event: Event) -> Iterator[Note]:
    yield from read_inside(event.detail) if event.detail.read[0] else taken(view, event.taken)
    yield from chain(event.detail, event.node)
