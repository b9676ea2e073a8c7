"""Create an engine once for the process

What it does
    Reports ``create_engine`` in a function that makes a new engine at each call and keeps it nowhere, where something
    shows that it runs often: a request, task, message or endless loop calls it, from whichever file, or it hands a
    session out to other functions. Also a task, request or message that makes an object with an engine of its own: of
    a class whose constructor or property makes one, for itself or in an object that it keeps, or that inherits such a
    constructor, or a Flask application that Flask-SQLAlchemy is given. The engine of a class is reported itself where
    helpers of a request, task or message make its objects and drop them, also by the name of the class
    (``load(module, "Audit")(config)``), or where ``__init__`` makes it anew at each call, although ``__new__`` gives
    one object to all.

Why it matters
    Each engine has a pool of its own. Twenty calls left 21 connections on the server until the garbage collector ran;
    with ``dispose()`` nothing leaks, but a call costs 25 ms instead of 0.4 ms (measured on MariaDB).

Stays silent when
    Nothing is seen to run the function often; the engine is returned by a factory, kept in a global, attribute,
    dictionary or cache, or disposed; the function notes what it has done, and asks for that before; where the caller
    names the database, unless a request, task or message of the same file runs the function, or an endless loop of it
    that names the same one in each turn (an object of pydantic's settings is the same for all); for NullPool and
    StaticPool; in tests, migrations, commands and what only they call, start-up code and what makes databases and
    tables.

Fix safety
    Unsafe: the engine moves to module level, above its function, and factories made of it move along; it is then made
    when the module is imported. Shown only for async engines, which serve one event loop. Refused where it is made of
    what only the function knows.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from ..mending.hoisting import hoist
from ..model import Diagnostic, Rule
from ..names import OF_REQUESTS, all_given
from ..project.runs.repeated import is_in_endless_loop
from ..questions.asking import SCHEMA, first_of_each_node, is_out_of_scope
from ..questions.chosen import chosen_by_caller, is_chosen_by_caller, is_the_same_in_each_turn
from ..questions.noted import is_done_once
from ..questions.objects_for_calls import escapes, is_used_up, made_for_calls
from ..questions.often import runs_often
from ..questions.singletons import begins_anew
from ..session.events import Event, Happening
from ..session.flow import Flow
from ..session.values import ENGINE, FACTORY, REGISTRY, SESSION
from ..view import View

_ONCE = frozenset({"startup", "command", "migration", "test"})
_ONE = "one object is enough for the process"
_ENGINE = ("engine", "_engine")
_FACTORY = ("SessionLocal", "_SessionLocal")
"""What an engine and a factory are called that have no name yet."""
_ANEW = "__new__ has to make it, or __init__ to ask whether it is there"
_KEEPS = ("init", "register", "bind", "install")
_OF_SCHEMA = SCHEMA | {"compare_metadata"}
_OF_DATABASES = ("CREATE DATABASE", "DROP DATABASE")
"""What is said to a server before there is a database, or to end it."""
_CACHES = frozenset({"lru_cache", "cache", "cached", "cached_property", "memoize"})


def check(view: View) -> Iterator[Diagnostic]:
    for flow in view.flows:
        if flow.body.node is None or is_out_of_scope(view, flow):
            continue
        yield from made_anew(view, flow)
        yield from made_by_helpers(view, flow)
        if not flow.events(Happening.ENGINE_MADE, Happening.OWNER_MADE) or runs_once(view, flow):
            continue
        served = any(runs_often(entry) for entry in view.units.behind(flow.body))
        for event in first_of_each_node(flow.events(Happening.ENGINE_MADE)):
            if not served and (may_differ(view, flow, event.node) or not is_repeated(view, flow, event.node)):
                continue
            if goes_on_for_good(flow, event) or takes_no_connection(flow, event) or is_done_once(flow.body, event.node):
                continue
            if is_dropped(flow, event) or is_used_at_once(view, flow, event):
                message = f"{view.text(event.node)!r} makes an engine, with a pool of its own, at each call"
                plan, refusal = hoist(view, flow, event.node, _FACTORY if is_called(flow, event.node) else _ENGINE)
                yield view.diagnostic(RULE, event.node, message, (), plan, refusal, flow.body)
        yield from owners(view, flow)


def made_anew(view: View, flow: Flow) -> Iterator[Diagnostic]:
    """The engine of an object that there is once, made by a constructor that runs at each call of its class."""
    events = flow.events(Happening.ENGINE_MADE)
    if events and begins_anew(view, flow):
        for event in first_of_each_node([e for e in events if not flow.are_behind_check([e.node])]):
            message = f"each call of {flow.body.owner}() makes an engine anew, and a pool, for the one object"
            yield view.diagnostic(RULE, event.node, message, (), None, _ANEW, flow.body)


def made_by_helpers(view: View, flow: Flow) -> Iterator[Diagnostic]:
    """The engine that a constructor makes for its object, where a helper of what is served makes such objects."""
    events = flow.events(Happening.ENGINE_MADE)
    info = view.module.classes.get(flow.body.owner)
    if not events or info is None or not flow.body.name.endswith(".__init__") or "__del__" in info.methods:
        return
    for event in [e for e in events if not flow.are_behind_check([e.node])][:1]:
        maker = made_for_calls(view, info, chosen_by_caller(view, flow, event.node))
        if maker:
            message = f"each {info.name}() makes an engine, with a pool, and {maker}() makes one at each call"
            yield view.diagnostic(RULE, event.node, message, (), None, _ONE, flow.body)


def owners(view: View, flow: Flow) -> Iterator[Diagnostic]:
    """Objects with an engine of their own, made for each task, request or message and kept nowhere."""
    often = [entry.kind for entry in view.units.entries(flow.body) if runs_often(entry)]
    for event in first_of_each_node(flow.events(Happening.OWNER_MADE)) if often else ():
        if not is_kept(flow, event.node, handed_over="dependency" in often):
            message = f"{view.text(event.node)!r} makes an object with an engine of its own, and a pool, at each call"
            yield view.diagnostic(RULE, event.node, message, (), None, _ONE, flow.body)


def is_repeated(view: View, flow: Flow, made: ast.AST) -> bool:
    """Whether anything shows that the engine is made again and again: an endless loop, what the process serves, or that
    each call is for a session of another function."""
    in_loop = isinstance(made, ast.expr) and is_in_endless_loop(flow.body, [made])
    for_each_session = hands_session_out(flow) and view.is_called_by_function(flow.body)
    return in_loop or for_each_session or view.is_repeated(flow.body, runs_often)


def may_differ(view: View, flow: Flow, made: ast.AST) -> bool:
    """Whether each call may be for another database."""
    return is_chosen_by_caller(view, flow, made) and not is_the_same_in_each_turn(view, flow, made)


def hands_session_out(flow: Flow) -> bool:
    """Whether the function returns a session, or yields it."""
    results = [state.result for state in flow.returned]
    return any(value.kind == SESSION for value in (*results, *(value for value, _ in flow.scope.yields)))


def is_kept(flow: Flow, made: ast.AST, handed_over: bool) -> bool:
    """Whether the object is bound to anything but a local name, handed out, or closed at the end."""
    for node in flow.body.own_nodes:
        match node:
            case ast.Return(value=ast.expr() as value) if value is made:
                return not handed_over
            case ast.withitem(context_expr=value) if value is made:
                return True
            case ast.Assign(targets=[target], value=value) | ast.AnnAssign(target=target, value=ast.expr() as value):
                if any(part is made for part in ast.walk(value)):
                    return not isinstance(target, ast.Name) or is_used_up(flow.body, target.id)
    return False


def runs_once(view: View, flow: Flow) -> bool:
    """Whether the function runs once in a process: at a start, for a command, cached, or to make the tables."""
    cached = any(n.rpartition(".")[2] in _CACHES for n in view.project.decorators(view.module, flow.body))
    started = any(entry.kind in _ONCE for entry in view.units.entries(flow.body))
    schema = any(node.attr in _OF_SCHEMA for node in flow.body.own(ast.Attribute)) or makes_database(flow)
    name = flow.body.name.rpartition(".")[2]
    named = name in ("main", "init_db", "setup")  # the whole name: ``init_db_of_task`` may run for each task
    return cached or started or schema or named or view.serves_commands(flow.body)


def makes_database(flow: Flow) -> bool:
    """Whether the function makes or drops a database: ``text("CREATE DATABASE shop")``."""
    texts = (node.value for node in flow.body.own(ast.Constant) if isinstance(node.value, str))
    return any(text.strip().upper().startswith(_OF_DATABASES) for text in texts)


def is_dropped(flow: Flow, event: Event) -> bool:
    """Whether the engine is bound to a plain local name that is neither returned, kept, passed on nor disposed."""
    names = {
        n
        for s in (*flow.returned, *flow.raised)
        for n, v in s.names.items()
        if v.kind in (ENGINE, FACTORY, REGISTRY) and not n.startswith("<")
    }
    name = bound_to(flow, event.node)
    if not name or any(s.result.kind in (ENGINE, FACTORY, REGISTRY) for s in flow.returned):
        return False
    if name not in flow.body.local_names or name not in names:
        return False
    return not any(escapes(node, name) or is_handed_over(flow, node, name) for node in flow.body.own_nodes)


def goes_on_for_good(flow: Flow, event: Event) -> bool:
    """Whether an endless loop of the function works with the engine that was made before it."""
    line: int = event.node.lineno  # type: ignore[attr-defined]
    return any(isinstance(each.test, ast.Constant) and each.lineno > line for each in flow.body.own(ast.While))


def takes_no_connection(flow: Flow, event: Event) -> bool:
    """Whether the engine is not used, or only says how statements are written: ``table.compile(engine)``."""
    name = bound_to(flow, event.node)
    if not name:
        return False
    uses = [n for n in flow.body.own(ast.Name) if n.id == name and isinstance(n.ctx, ast.Load)]
    calls = (c for c in flow.body.own(ast.Call) if isinstance(c.func, ast.Attribute) and c.func.attr == "compile")
    compiling = {given for call in calls for given in all_given(call)}
    return compiling.issuperset(uses)


def bound_to(flow: Flow, made: ast.AST) -> str:
    """The plain name that something made is assigned to, "" for none."""
    names = (target.id for target, value in flow.body.assigned() if value is made and isinstance(target, ast.Name))
    return next(names, "")


def is_handed_over(flow: Flow, node: ast.AST, name: str) -> bool:
    """``models.init_models(engine)``: whoever is called like that keeps it."""
    match node:
        case ast.Call(func=ast.Name(id=called)):
            owner = ""
        case ast.Call(func=ast.Attribute(attr=called, value=ast.Name(id=owner))):
            pass
        case _:
            return False
    given = (*node.args, *(word.value for word in node.keywords))
    keeps = called.islower() and any(word in called for word in _KEEPS) and owner not in flow.body.local_names
    return keeps and any(isinstance(argument, ast.Name) and argument.id == name for argument in given)


def is_used_at_once(view: View, flow: Flow, event: Event) -> bool:
    """``create_engine(…).connect()``, ``Session(create_engine(…))``, ``g.engine = create_engine(…)``,
    ``make_factory()()``.

    So is one that a factory is set to before it makes a session: ``Factory.configure(bind=create_engine(…))``.
    """
    made = event.node
    for node in flow.body.own_nodes:
        match node:
            case ast.Call() if node in opening(flow) and (is_given(node, made) or node.func is made):
                return not is_put_away(flow, node)
            case ast.Call(func=ast.Attribute(value=factory, attr="configure")) if is_given(node, made):
                return any(isinstance(call, ast.Call) and same(call.func, factory) for call in opening(flow))
            case ast.Attribute(value=value, attr="connect" | "begin" | "execute" | "raw_connection") if value is made:
                return True
            case ast.withitem(context_expr=ast.Call() as call) if is_given(call, made):
                return True
            case ast.Assign(value=value, targets=[ast.Attribute(value=ast.Name() as owner)]) if value is made:
                return view.names.resolve(owner) in OF_REQUESTS
    return False


def is_called(flow: Flow, made: ast.AST) -> bool:
    """Whether what is made is a factory that is called at once: ``make_factory()()``."""
    return any(isinstance(call, ast.Call) and call.func is made for call in opening(flow))


def opening(flow: Flow) -> list[ast.AST]:
    """The calls that make the function's own sessions."""
    return [event.node for event in flow.events(Happening.OPENED)]


def is_put_away(flow: Flow, made: ast.AST) -> bool:
    """``self.session = Session(…)``: it is bound to anything but a local name."""
    targets = [target for target, value in flow.body.assigned() if value is made]
    return any(not isinstance(target, ast.Name) or target.id not in flow.body.local_names for target in targets)


def is_given(call: ast.Call, made: ast.AST) -> bool:
    return any(given is made for given in all_given(call))


def same(one: ast.expr, other: ast.expr) -> bool:
    return ast.dump(one) == ast.dump(other)


RULE = Rule("ORM403", "engine-per-call", "engine made at each call", check)
