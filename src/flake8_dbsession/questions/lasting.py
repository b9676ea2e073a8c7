"""What is kept for as long as the process lives: at module level, on classes, in default arguments, and in objects."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from ..names import Function, dotted
from ..project.app import MOST_FILES
from ..project.modules.module import Module, made_by_new
from ..project.project import Project
from ..session.body import Body
from ..session.events import Happening
from ..session.flow import Flow
from ..session.values import CLASS, Resource
from ..view import View
from .closing_attributes import closes, is_attribute
from .singletons import is_called_by_functions, is_kept_by_its_class, is_the_one
from .stored import is_closed_from_outside, stored

_DEPTH = 2
"""A store that a server keeps, of which one is made at module level."""


def lasting(module: Module) -> Iterator[tuple[str, ast.expr]]:
    """What module level, class bodies and default arguments bind, and what module level puts into other objects."""
    for name, binding in module.names.bindings.items():
        yield from ((name, value) for value in binding.values)
    for target, value in module.top.assigned():
        if isinstance(target, (ast.Attribute, ast.Subscript)):
            yield ast.unparse(target), value
    for info in module.classes.values():
        yield from ((f"{info.name}.{name}", value) for name, value in info.values.items())
    for body in module.bodies.values():
        yield from ((ast.unparse(value), value) for value in body.defaults.values())


def kept_by_functions(flow: Flow) -> Iterator[tuple[str, ast.AST]]:
    """Each global name under which a function keeps the session of a factory of its own, and the call that opens it:
    what that is, only the function knows."""
    for event in flow.events(Happening.OPENED) if flow.body.node is not None else ():
        if isinstance(event.node, ast.Call) and root_of(event.node.func) in flow.body.local_names:
            names = (t.id for t, value in flow.body.assigned() if value is event.node and isinstance(t, ast.Name))
            yield from ((name, event.node) for name in names if name not in flow.body.local_names)


def root_of(expression: ast.expr) -> str:
    """``make`` of ``make.factory``, or of ``make()``; "" for what begins with no name."""
    while isinstance(expression, (ast.Attribute, ast.Call)):
        expression = expression.value if isinstance(expression, ast.Attribute) else expression.func
    return expression.id if isinstance(expression, ast.Name) else ""


def is_run(module: Module) -> bool:
    """A file that is run, not imported: it says so, or as it begins it reads its command line or asks somebody."""
    reads = any(isinstance(f, ast.Attribute) and f.attr == "parse_args" for f in called_at_once(module))
    asks = (is_for_running, needs_argument, asks_somebody)
    return reads or any(is_one(each) for each in module.source.tree.body for is_one in asks)


def is_for_running(statement: ast.stmt) -> bool:
    """``if __name__ == "__main__":``."""
    match statement:
        case ast.If(test=ast.Compare(left=ast.Name(id="__name__"))):
            return True
    return False


def needs_argument(statement: ast.stmt) -> bool:
    """``year = sys.argv[1]``: without a command line of its own the file cannot be read to its end."""
    match statement:
        case ast.Assign(value=ast.Subscript(value=ast.Attribute(attr="argv"), slice=ast.Constant(value=int(place)))):
            return place > 0
    return False


def asks_somebody(statement: ast.stmt) -> bool:
    """``name = input("Name: ")``: somebody sits before the file as it is read."""
    if isinstance(statement, Function | ast.ClassDef):
        return False
    calls = (part.func for part in ast.walk(statement) if isinstance(part, ast.Call))
    return any(isinstance(function, ast.Name) and function.id == "input" for function in calls)


def at_import(module: Module) -> list[ast.Call]:
    """The calls of the module's own statements, without those for when the file is run."""
    run = {part for each in module.source.tree.body if is_for_running(each) for part in ast.walk(each)}
    return [call for call in module.top.own(ast.Call) if call not in run]


def called_at_once(module: Module) -> Iterator[ast.expr]:
    """What the statements of the module call: ``work()``, ``args = parser.parse_args()``."""
    for statement in module.source.tree.body:
        if isinstance(statement, (ast.Expr, ast.Assign)) and isinstance(statement.value, ast.Call):
            yield statement.value.func


def is_one_shot(view: View) -> bool:
    """Whether the file ends its process with its work: a script, or what is run, not imported, and serves nobody."""
    return view.is_script or (is_run(view.module) and not view.serves_for_good and not is_imported(view))


def is_imported(view: View) -> bool:
    """Whether another module of the application imports the file."""
    last = view.module.name.rpartition(".")[2].encode()
    return any(view.project.app.importing(view.module, b"import " + last, last + b" import"))


def kept_with_objects(view: View, flow: Flow) -> Iterator[tuple[str, ast.AST, str]]:
    """Each session that is kept on an object of the process: attribute, the call that opens it, keeper.

    By a constructor, or by another method of an object that is kept itself, where nobody closes the session.
    """
    if flow.body.owner not in view.module.classes:
        return
    name, begins = f"{view.module.name}.{flow.body.owner}", flow.body.name.endswith(".__init__")
    for attribute, resource, call in stored(flow):
        if begins or is_left_open(view, flow, attribute, resource):
            is_used = is_used_beside(view, flow, attribute)
            keeper = keeper_of(view.project, name, _DEPTH if begins else 1) if is_used else ""
            keeper = keeper or kept_by_itself(view, name)
            if keeper:
                yield attribute, call, keeper
    yield from ((attribute, call, flow.body.owner) for attribute, call in put_on_the_one(view, flow))


def is_used_beside(view: View, flow: Flow, attribute: str) -> bool:
    """Whether another method of the object speaks of the attribute."""
    methods = view.module.classes[flow.body.owner].methods.values()
    used = (part for method in methods if method is not flow.body.node for part in ast.walk(method))
    return any(is_attribute(part, attribute) for part in used)


def put_on_the_one(view: View, flow: Flow) -> Iterator[tuple[str, ast.AST]]:
    """What ``__new__`` opens for the object that it keeps, ``cls._object.session = make()``: attribute and call."""
    if isinstance(flow.body.node, Function) and flow.body.name.endswith(".__new__"):
        is_one = may_serve(view) and is_the_one(view, view.module.classes[flow.body.owner])
        made = made_by_new(flow.body.node) if is_one else set()
        opened = [event.node for event in flow.events(Happening.OPENED)]
        for target, value in flow.body.assigned():
            if isinstance(target, ast.Attribute) and dotted(target.value) in made and value in opened:
                yield target.attr, value


def kept_by_itself(view: View, name: str) -> str:
    """The name of a class that gives one object to all functions of what serves; "" for any other.

    Where ``__new__`` gives it the constructor begins anew each time: what that opens is lost with the next call.
    """
    info = view.project.class_info(name)
    if info is None or not may_serve(view):
        return ""
    is_one = is_called_by_functions(view, info) if view.project.is_made_once(name) else is_kept_by_its_class(view, info)
    return info.name if is_one else ""


def may_serve(view: View) -> bool:
    """Whether the file is of something that serves, in a project that can be looked through."""
    return len(view.project.app.files) <= MOST_FILES and serves(view.project, view.module)


def is_left_open(view: View, flow: Flow, attribute: str, resource: Resource) -> bool:
    """Whether a session that a method puts on its object, for those who ask later, is closed by nobody."""
    if any(event.resource == resource for event in flow.events(Happening.TAKEN)):
        return False  # of its own work, ORM101 speaks of that
    name = f"{view.module.name}.{flow.body.owner}"
    own = view.module.classes[flow.body.owner].methods.values()
    is_entered = flow.body.name.endswith(("enter__", ".setUp"))
    is_closed = is_entered or any(closes(method, attribute) for method in own)
    return not is_closed and not is_closed_from_outside(view.project, name, attribute)


def keeper_of(project: Project, owner: str, depth: int) -> str:
    """What keeps an object of the class for the process, itself or in an object that holds it; "" for nothing.

    A project that is too large to look through keeps none.
    """
    if len(project.app.files) > MOST_FILES:
        return ""
    holders: dict[str, None] = {}
    for module in project.app.modules_with(f"{owner.rpartition('.')[2]}(".encode()):
        if not serves(project, module):
            continue
        for name, value in lasting(module):
            if makes(project, module, value, owner):
                return f"{module.name}.{name}".strip(".")
        for info in module.classes.values():
            values = (value for pairs in info.attribute_values.values() for value, _ in pairs)
            if depth > 1 and info.qualified != owner and any(makes(project, module, v, owner) for v in values):
                holders[info.qualified] = None
    return next(filter(None, (keeper_of(project, holder, depth - 1) for holder in holders)), "")


def is_made_for_calls(project: Project, owner: str) -> bool:
    """Whether the project makes objects of the class, and each of them for one call of the function that makes it.

    Those of tests, and of a file that is tried out, do not count. A project that is too large to look through makes
    others, too.
    """
    if len(project.app.files) > MOST_FILES:
        return False
    named = project.app.modules_with(f"{owner.rpartition('.')[2]}(".encode())
    modules = [module for module in named if not project.config.is_test(module.path)]
    if any(makes(project, module, call, owner) for module in modules for call in at_import(module)):
        return False
    made = [
        is_for_the_call(body, call)
        for module in modules
        for body in module.bodies.values()
        for call in body.own(ast.Call)
        if makes(project, module, call, owner)
    ]
    return bool(made) and all(made)


def is_for_the_call(body: Body, made: ast.Call) -> bool:
    """Whether an object is made for a name that the function only asks: ``desk = Desk()``, ``desk.work()``.

    Or for a block, or to be asked at once.
    """
    asked = {attribute.value for attribute in body.own(ast.Attribute)}
    if made in asked or any(item.context_expr is made for item in body.own(ast.withitem)):
        return True
    names = [t.id for t, value in body.assigned() if value is made and isinstance(t, ast.Name)]
    used = (node for node in body.own(ast.Name) if node.id in names and isinstance(node.ctx, ast.Load))
    return bool(names) and body.local_names.issuperset(names) and asked.issuperset(used)


def serves(project: Project, module: Module) -> bool:
    """Whether the module is imported by what runs for long: no test, no command and nothing that is run itself."""
    return project.app.is_part(module.path) and not is_run(module)


def makes(project: Project, module: Module, value: ast.expr, owner: str) -> bool:
    """Whether the expression makes an object of the class."""
    if not isinstance(value, ast.Call):
        return False
    made = project.evaluate(module, value.func)
    return made.kind == CLASS and made.name == owner
