"""Do not keep the request's session for a streaming response

What it does
    Reports a streaming response (``StreamingResponse``, ``EventSourceResponse``, ``stream_with_context``) that is
    returned while the request's session holds a connection, a generator that holds one while it yields to such a
    response, and a websocket that holds one while it waits for its client or passes on a stream (``async for``). What
    dependencies and the hooks of Flask (``before_request``) have taken before the function counts, too.

Why it matters
    The connection is given back when the client has read the last byte. A dependency with ``yield`` is left after the
    response in FastAPI before 0.106 and from 0.118 on, and Flask's ``stream_with_context`` keeps the app context for
    the whole stream (measured): a handful of slow clients empty the pool. From 0.106 to 0.117, and with
    ``scope="function"``, the session is closed before the stream begins; a stream that uses it takes a connection again
    that nobody gives back (measured).

Stays silent when
    Nothing is held when the response is made, or only where a statement has failed before; when a block around the
    ``return`` ends the transaction; when the content is finished data; where a generator only says its last words,
    ``yield "error"; return``; when the installed FastAPI leaves the dependency first, and where Flask removes its
    session, or a teardown that of ``g``, before it sends the stream: without ``stream_with_context``.

Fix safety
    ``session.commit()`` goes before the statement that makes the response, where the stream needs neither the session
    nor rows of it: columns that the statement reads are read before and kept in names of their own. How far it can be
    trusted is decided as for a wait (ORM203): safe where the function handles a request whose hooks and dependencies
    have only read with the session, and has only read itself. There is no fix for a stream that works with the session,
    for websockets, and for what dependencies and hooks hold: read what the stream needs in a session of its own and
    close it before returning.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from ..mending.common import block_of, statement_of
from ..mending.streaming import end_before_stream
from ..model import Diagnostic, Rule
from ..names import OF_REQUESTS
from ..project.runs.injection import given_back_by, held_at_entry, is_filled, providers, scope_of, streams_that_need
from ..project.runs.sending import is_sent_on
from ..project.runs.teardown import is_removed_around, speaks_of_g
from ..questions.asking import first_of_each_node, is_out_of_scope
from ..questions.at_entry import WaitAtEntry, waits_at_entry
from ..questions.pushed import passed_on
from ..questions.streams import KEEPER, keeps_context, used_before_stream
from ..session.body import Body
from ..session.events import Event, Happening
from ..session.flow import Flow
from ..session.outside import summary_of
from ..session.values import AMBIENT, ATTRIBUTE, CAPTURED, OPENED, PARAMETER, Resource
from ..story import name_of
from ..view import View
from .holding import listens

_LEFT = "FastAPI leaves this dependency before it sends the response"
_REFUSAL = "what the stream needs has to be read before, in a session of its own"


def check(view: View) -> Iterator[Diagnostic]:
    for flow in view.flows:
        if is_out_of_scope(view, flow):
            continue
        events = [e for e in flow.events(Happening.STREAMED) if is_kept(view, flow, e)]
        found = [report(view, flow, event) for event in first_of_each_node(events)]
        yield from {diagnostic.span: diagnostic for diagnostic in reversed(found)}.values()
        if not events:
            yield from taken_by_dependencies(view, flow)
            yield from taken_by_hooks(view, flow)
            yield from left_to_streams(view, flow)
        yield from taken_for_streams(view, flow)
        yields = [e for e in flow.events(Happening.STREAMED) if is_sent(view, flow, e)]
        for event in yields[:1]:
            yield place(view, flow, event, "at each turn of the stream, for as long as its reader takes")
        if not yields:
            yield from opened_again(view, flow)
        for event in first_of_each_node([e for e in flow.events(Happening.WAITED) if listens(e)]):
            yield place(view, flow, event, "while the websocket waits for its client")
        for wait in [each for each in waits_at_entry(view, flow) if listens(each.event)][:1]:
            yield listening(view, flow, wait)
        for event in first_of_each_node(passed_on(view, flow)):
            yield place(view, flow, event, "while the websocket sends what comes of a stream")


def listening(view: View, flow: Flow, wait: WaitAtEntry) -> Diagnostic:
    """A websocket waits for its client while what ran before it has left a session with its connection."""
    who = f"session {wait.held.name!r}, which {wait.held.dependency}() has used,"
    message = f"{who} keeps its connection while the websocket waits for its client"
    return view.diagnostic(RULE, wait.event.node, message, (), None, wait.held.remedy, flow.body)


def taken_by_dependencies(view: View, flow: Flow) -> Iterator[Diagnostic]:
    """The sessions that another dependency of the endpoint has used, and that nothing here gives back."""
    answers = flow.events(Happening.ANSWERED)
    if not answers:
        return
    held = held_at_entry(view.project, view.module, flow.body)
    given_back = {e.resource.key for e in flow.events(Happening.CLOSED, Happening.COMMITTED) if e.resource is not None}
    left = held.keys() - given_back_by(view.project, flow.body.qualified) if held else ()
    for name, provider in providers(view.project, view.module, flow.body) if left else ():
        if provider.name in left and name not in given_back and outlasts_stream(view, flow.body, name):
            parameter = next(p for p in flow.body.parameters if p.arg == name)
            dependency = held[provider.name].name.rpartition(".")[2]
            notes = [view.note("the response is produced while it is sent", answers[0].node)]
            message = f"session {name!r}, which {dependency}() has used, keeps its connection until the stream ends"
            yield view.diagnostic(RULE, parameter, message, notes, None, _REFUSAL, flow.body)


def taken_by_hooks(view: View, flow: Flow) -> Iterator[Diagnostic]:
    """The session that a hook of Flask has used before the view, and that nothing here gives back.

    What the stream itself holds is reported there.
    """
    inside = set(held_by_streams_inside(view, flow))
    for resource, hook, start in used_before_stream(view, flow):
        if resource in inside:
            continue
        name, before = name_of(flow, resource), hook.body.name.rpartition(".")[2]
        message = f"session {name!r}, which {before}() has used before, keeps its connection until the stream ends"
        yield view.diagnostic(RULE, start, message, (), None, _REFUSAL, flow.body)


def held_by_streams_inside(view: View, flow: Flow) -> Iterator[Resource]:
    """The sessions that keep their connection while a generator that stands in the function is sent."""
    for other in view.flows:
        if other.body.name.startswith(f"{flow.body.name}.<locals>."):
            events = other.events(Happening.STREAMED)
            yield from (event.resource for event in events if event.resource and is_sent(view, other, event))


def left_to_streams(view: View, flow: Flow) -> Iterator[Diagnostic]:
    """The endpoint's session that it gives to a generator of another module, which works with it as it is sent."""
    given = [event for event in flow.events(Happening.STREAMED_LATER) if not is_seen_here(view, event.detail)]
    filled = dict(providers(view.project, view.module, flow.body)) if given else {}
    for event in first_of_each_node([e for e in given if e.resource is not None and e.resource.key in filled]):
        assert event.resource is not None
        name, generator = name_of(flow, event.resource), event.detail.rpartition(".")[2]
        if outlasts_stream(view, flow.body, name):
            message = f"session {name!r} keeps its connection at each turn of {generator}(), until all is sent"
            yield view.diagnostic(RULE, event.node, message, (), None, _REFUSAL, flow.body)
        else:
            message = f"session {name!r} takes a connection in {generator}() after it was closed; nobody gives it back"
            notes = [view.note(_LEFT, flow.body.node or event.node)]
            yield view.diagnostic(RULE, event.node, message, notes, None, _REFUSAL, flow.body)


def is_seen_here(view: View, generator: str) -> bool:
    """Whether a generator stands in this file, where its own turns are reported."""
    return generator.removeprefix(f"{view.module.name}.") in view.module.bodies


def taken_for_streams(view: View, flow: Flow) -> Iterator[Diagnostic]:
    """The session that a dependency takes a connection with, and that it keeps for an endpoint that streams."""
    filled = dict(providers(view.project, view.module, flow.body)) if view.mentions(b"Depends") else {}
    taken = {e.resource.key: e for e in flow.events(Happening.TAKEN) if e.resource is not None}
    lives = {r.key: life for r, life in summary_of(flow).normal if r.origin == PARAMETER} if filled else {}
    kept = [name for name in filled if name in taken and name in lives and lives[name].may_hold]
    streams = streams_that_need(view.project, flow.body.qualified) if kept else []
    for name in kept if streams else ():
        provider = filled[name].name
        holding = [each for each in streams if provider not in given_back_by(view.project, each)]
        if not holding or not outlasts_stream(view, flow.body, name):
            continue
        parameter = next(p for p in flow.body.parameters if p.arg == name)
        notes = [view.note("the connection is taken here", taken[name].node)]
        message = f"session {name!r} keeps its connection until the stream of {listed(holding)}"
        yield view.diagnostic(RULE, parameter, message, notes, None, _REFUSAL, flow.body)


def listed(endpoints: list[str]) -> str:
    """``play() ends, and those of sing() and 2 more``"""
    first, *others = dict.fromkeys(f"{each.rpartition('.')[2]}()" for each in endpoints)
    if not others:
        return f"{first} ends"
    named = " and ".join(others[:2]) if len(others) < 3 else f"{others[0]} and {len(others) - 1} more"
    return f"{first} ends, and {'that' if len(others) == 1 else 'those'} of {named}"


def is_sent(view: View, flow: Flow, event: Event) -> bool:
    """Whether a ``yield`` belongs to a generator that is the content of a streaming response."""
    if event.detail != "yield" or event.resource is None or is_last_word(flow, event.node):
        return False
    senders = [entry.framework for entry in view.units.entries(flow.body) if entry.kind == "stream"]
    senders += [name for name in view.project.decorators(view.module, flow.body) if name.endswith(KEEPER)]
    if event.resource.flavour == "flask":  # without it the app context is gone when the generator runs
        return any(name.endswith(KEEPER) for name in senders)
    return bool(senders) or (event.resource.origin == OPENED and is_sent_on(view.units, flow.body))


def is_last_word(flow: Flow, node: ast.AST) -> bool:
    """Whether nothing comes after a ``yield`` but others and a ``return``: whoever reads them is at the end."""
    statement = statement_of(flow, node)
    block = block_of(flow, statement) if statement is not None else []
    rest = block[block.index(statement) + 1 :] if statement in block else []
    return bool(rest) and isinstance(rest[-1], ast.Return) and all(map(is_yield, rest[:-1]))


def is_yield(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Yield)


def place(view: View, flow: Flow, event: Event, how_long: str) -> Diagnostic:
    assert event.resource is not None
    message = f"session {name_of(flow, event.resource)!r} keeps its connection {how_long}"
    notes = [view.note("the connection is taken here", event.taken)] if event.taken is not None else []
    endpoint = endpoint_of(view, flow, event.resource)
    if endpoint is not None and not outlasts_stream(view, endpoint, event.resource.key):
        notes.append(view.note(f"{_LEFT}: nobody gives this connection back", endpoint.node or event.node))
    return view.diagnostic(RULE, event.node, message, notes, None, _REFUSAL, flow.body)


def opened_again(view: View, flow: Flow) -> Iterator[Diagnostic]:
    """What a stream takes with the session of its endpoint after that was closed, and does not give back."""
    if not flow.body.is_generator or not any(entry.kind == "stream" for entry in view.units.entries(flow.body)):
        return
    for event in first_of_each_node(flow.events(Happening.TAKEN)):
        endpoint = endpoint_of(view, flow, event.resource)
        lives = [state.lives[event.resource] for state in flow.returned if event.resource in state.lives]
        if endpoint is None or event.resource is None or not any(life.may_hold for life in lives):
            continue
        if not outlasts_stream(view, endpoint, event.resource.key):
            name = name_of(flow, event.resource)
            message = f"session {name!r} takes a connection for the stream after it was closed; nobody gives it back"
            notes = [view.note(_LEFT, endpoint.node or event.node)]
            yield view.diagnostic(RULE, event.node, message, notes, None, _REFUSAL, flow.body)


def endpoint_of(view: View, flow: Flow, resource: Resource | None) -> Body | None:
    """The endpoint around a function whose dependency fills the session that the function uses."""
    if resource is None or resource.origin != CAPTURED or not view.mentions(b"Depends"):
        return None
    outer = view.module.bodies.get(flow.body.name.rpartition(".<locals>.")[0])
    names = [name for name, _ in providers(view.project, view.module, outer)] if outer is not None else []
    return outer if resource.key in names else None


def is_kept(view: View, flow: Flow, event: Event) -> bool:
    """Whether the session lives on after the function has returned the response."""
    resource = event.resource
    if resource is None or event.detail == "yield" or resource.origin == OPENED:
        return False
    if not is_held_on_return(flow, resource):
        return False
    if is_sent_by_flask(view, resource, event):
        return keeps_context(view, flow, event)
    name = resource.key if resource.origin == PARAMETER else filled_with(view, flow, resource)
    return not name or outlasts_stream(view, flow.body, name)


def is_held_on_return(flow: Flow, session: Resource) -> bool:
    """Whether the session may still hold a connection as the function returns, behind the blocks around its ``return``:
    ``with session.begin(): return StreamingResponse(…)`` ends the transaction before anything is sent."""
    lives = (state.lives.get(session) for state in flow.returned)
    return any(life is not None and life.may_leak for life in lives)  # or what the response is made of has it


def filled_with(view: View, flow: Flow, session: Resource) -> str:
    """The parameter that a dependency fills with an object that has the session, ``songs.session``; "" for none."""
    name = session.key.removeprefix(".").partition(".")[0] if session.origin == ATTRIBUTE else ""
    return name if name and is_filled(view.project, view.module, flow.body, name) else ""


def is_sent_by_flask(view: View, session: Resource, event: Event) -> bool:
    """Whether the session ends with the app context, before the first byte of a plain response: a registry that is
    removed there, and what a teardown finds on ``g``."""
    is_plain = event.detail in ("flask.Response", "werkzeug.Response", "werkzeug.wrappers.Response")
    if session.origin == ATTRIBUTE:
        owner, _, rest = session.key.lstrip(".").partition(".")
        is_on_g = is_plain and view.names.qualify(owner) in OF_REQUESTS
        return is_on_g and view.project.once(speaks_of_g, rest.partition(".")[0])
    is_removed = session.flavour == "flask" or (is_plain and is_removed_around(view.project, session))
    return session.origin == AMBIENT and is_removed


def outlasts_stream(view: View, body: Body, name: str) -> bool:
    """Whether FastAPI leaves the dependency that fills a parameter only when the response has been sent."""
    scope = scope_of(view.project, view.module, body, name)
    return view.project.app.holds_dependency_while_streaming(view.source.path, scope)


def report(view: View, flow: Flow, event: Event) -> Diagnostic:
    assert event.resource is not None
    name = name_of(flow, event.resource)
    where: ast.AST = next((p for p in flow.body.parameters if p.arg == name), event.node)
    notes = [view.note("the response is produced while it is sent", event.node)] if where is not event.node else []
    if event.taken is not None:
        notes.insert(0, view.note("the connection is taken here", event.taken))
    message = f"session {name!r} keeps its connection until the streamed response is finished"
    plan, refusal = end_before_stream(view, flow, event)
    return view.diagnostic(RULE, where, message, notes, plan, refusal, flow.body)


RULE = Rule("ORM204", "stream-while-connected", "request's session kept for a streaming response", check)
