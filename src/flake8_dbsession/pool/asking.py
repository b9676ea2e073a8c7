"""Which statements and functions ask the database: they, or what they call, take a connection."""

from __future__ import annotations

import ast
import weakref
from collections.abc import Iterator
from typing import TYPE_CHECKING

from ..names import all_given, dotted, last_part
from ..session.events import Happening
from ..session.expressions.call import place
from ..session.flow import Flow
from ..session.summary import Own
from ..session.values import CLASS, ENGINE, FUNCTION, OBJECT, Resource, Value
from .put_up_with import is_put_up_with
from .settings import knowledge

if TYPE_CHECKING:
    from ..project.modules.module import Module
    from ..project.project import Project
    from ..session.body import Body

_DEPTH = 4
_ASKING = frozenset({"inspect", "reflect", "prepare", "read_sql", "read_sql_query", "read_sql_table", "to_sql"})
"""Functions that take a connection from the engine they are given."""


class Asking:
    """Answers for the functions of a project, each looked at once."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self._known: dict[str, bool] = {}

    def asking(self, flow: Flow, module: Module, depth: int = _DEPTH) -> Iterator[ast.expr]:
        """The expressions in the body that take a connection, or call a function of the project that does; not those
        without whose answer the function goes on."""
        for node in self._asking(flow, module, depth):
            if not is_put_up_with(self.project, module, flow.body, node.lineno):
                yield node

    def _asking(self, flow: Flow, module: Module, depth: int) -> Iterator[ast.expr]:
        own = [each for each in flow.scope.own if not (self._is_knock(flow, each) or self._is_put_up_with(each))]
        knocks = {each.node for each in flow.scope.own if each not in own}
        events = flow.events(Happening.TAKEN, Happening.OPENED)
        events = [e for e in events if e.node not in knocks and not is_knock(flow, e.resource)]
        direct = [e.node for e in events if e.happening is Happening.TAKEN or (e.resource and e.resource.is_connection)]
        nodes = (*direct, *(each.node for each in own))
        yield from (node for node in nodes if isinstance(node, ast.expr))
        names = self._me(flow.body, module)
        for node in flow.body.own(ast.Call):
            if self._asks(node, module, names, depth):
                yield node

    def _is_knock(self, flow: Flow, own: Own) -> bool:
        """Whether a connection, be it one that a called function takes, is asked nothing."""
        if not own.way:
            return is_knock(flow, own.resource)
        target = self.project.target(Value(FUNCTION, own.way[-1][0], extra=(None, None)))
        return target is not None and is_knock(self.project.flow(target.module, target.body, {}), own.resource)

    def _is_put_up_with(self, own: Own) -> bool:
        """Whether a function on the way to the connection goes on without it."""
        for name, _, line in own.way:
            target = self.project.target(Value(FUNCTION, name, extra=(None, None)))
            if target is not None and is_put_up_with(self.project, target.module, target.body, line):
                return True
        return False

    def makes_application(self, body: Body, module: Module) -> bool:
        """Whether the function makes a web application or job runner."""
        return any((module.names.resolve(n.func) or "") in knowledge().applications for n in body.own(ast.Call))

    def begins_application(self, module: Module) -> bool:
        """Whether the statements of a module make a web application or job runner, or call a function that makes it."""
        called = (self.project.evaluate(module, call.func) for call in module.top.own(ast.Call))
        targets = (self.project.target(value) for value in called if value.kind == FUNCTION)
        made = any(self.makes_application(each.body, each.module) for each in targets if each is not None)
        return made or self.makes_application(module.top, module)

    def _me(self, body: Body, module: Module) -> dict[str, Value]:
        """``self`` in a method."""
        return {body.me: Value(OBJECT, f"{module.name}.{body.owner}".lstrip("."))} if body.me else {}

    def _asks(self, call: ast.Call, module: Module, names: dict[str, Value], depth: int) -> bool:
        if not isinstance(call.func, (ast.Name, ast.Attribute)) or not depth:
            return False
        if last_part(call.func) in _ASKING:
            given = all_given(call)
            plain = (g for g in given if isinstance(g, (ast.Name, ast.Attribute)))
            return any(self.project.evaluate(module, g, names).kind == ENGINE for g in plain)
        head = (dotted(call.func) or "").partition(".")[0]
        if head not in names and not self.project.modules.is_first_party(module.names.qualify(head) or ""):
            return False
        value = self.project.evaluate(module, call.func, names)
        if value.kind == CLASS:
            value = Value(FUNCTION, f"{value.name}.__init__")
        return value.kind == FUNCTION and self._runs_and_asks(value, depth - 1)

    def _runs_and_asks(self, function: Value, depth: int) -> bool:
        """Whether a call of the function runs it here and now, and it asks. Applications are looked at in their
        own factory; generators and coroutines only begin later."""
        if function.name not in self._known:
            self._known[function.name] = False  # a circle ends here
            target = self.project.target(function)
            if target is None or target.is_generator or target.is_async or target.is_fixture or target.is_put_off:
                return False
            touches = self.project.reach.touches(target.module, target.body)
            if touches and not self.makes_application(target.body, target.module):
                flow = self.project.flow(target.module, target.body, {})
                self._known[function.name] = any(True for _ in self.asking(flow, target.module, depth))
        return self._known[function.name]


def is_knock(flow: Flow, connection: Resource | None) -> bool:
    """Whether a connection is asked nothing and given back at once: whoever does that wants to know, before anything
    else begins, whether the server is there."""
    if connection is None or not connection.is_connection or flow.body.node is None:
        return False
    items = [item for block in flow.body.own(ast.With) for item in block.items if item.optional_vars is not None]
    bound = [*flow.body.assigned(), *((item.optional_vars, item.context_expr) for item in items)]
    names = {ast.unparse(target) for target, value in bound if target is not None and place(value) == connection.key}
    asked = [node for node in flow.body.own(ast.Name) if isinstance(node.ctx, ast.Load) and node.id in names]
    ends = [each.value for each in flow.body.own(ast.Attribute) if each.attr == "close"]
    closed = any(e.resource and e.resource.key == connection.key for e in flow.events(Happening.CLOSED))
    return closed and all(node in ends for node in asked)


def may_have_workers(project: Project) -> bool:
    """Whether a file of the project imports what serves the web or runs jobs, which several processes may do."""
    words = (f"{how} {package}".encode() for package in knowledge().serving for how in ("from", "import"))
    return any(map(project.app.is_part, project.app.files_with(*words)))


_ASKED: weakref.WeakKeyDictionary[Project, Asking] = weakref.WeakKeyDictionary()


def asking_of(project: Project) -> Asking:
    """What is known of the project's functions so far."""
    return _ASKED.setdefault(project, Asking(project))
