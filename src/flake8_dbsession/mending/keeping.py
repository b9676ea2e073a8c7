"""Columns of rows that are read before the rows expire, and kept in names of their own."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from ..fix.plans import InsertBefore, ReplaceExpression, ReplaceInside, Step
from ..names import dotted
from ..project.modules.module import ClassInfo
from ..questions.touching import touches
from ..session.flow import Flow
from ..session.values import ROW, Resource
from ..view import View
from .afterwards import Use
from .common import block_of

_TYPES = frozenset(
    {"int", "str", "float", "bool", "bytes", "date", "datetime", "time", "timedelta", "Decimal", "UUID", "None"}
    | {"EmailStr"}
)
_COLUMN_TYPES = frozenset(
    {"Integer", "SmallInteger", "BigInteger", "String", "Text", "Unicode", "UnicodeText", "Boolean", "Float", "Numeric"}
    | {"Date", "DateTime", "Time", "Interval", "LargeBinary", "Uuid", "UUID", "Enum", "Double"}
    | {"INTEGER", "SMALLINT", "BIGINT", "CHAR", "VARCHAR", "NCHAR", "NVARCHAR", "TEXT", "CLOB", "BOOLEAN", "FLOAT"}
    | {"REAL", "DOUBLE", "DOUBLE_PRECISION", "NUMERIC", "DECIMAL", "DATE", "DATETIME", "TIME", "TIMESTAMP"}
)
_COLUMNS = frozenset({"mapped_column", "Column", "Field"})
_TYPED = frozenset({"type_", "sa_type", "sa_column"})
_CHOICES = (ast.BoolOp, ast.IfExp, ast.Lambda, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
_LEAVES = (ast.Return, ast.Raise, ast.Continue, ast.Break)
_LOOPS = (ast.For, ast.AsyncFor, ast.While)


def keep(view: View, flow: Flow, resource: Resource, statement: ast.stmt, reads: list[Use]) -> tuple[Step, ...]:
    """``page_url = page.url`` before the statement, and ``page_url`` in the place of each of the reads.

    Nothing where that would not surely give the same value: the attribute is no plain column, the row may be another
    one or None by then, or the session is asked for something in between, which may change or load it.
    """
    block = block_of(flow, statement)
    region = block[block.index(statement) :] if block else []
    if not all(can_be_kept(view, flow, statement, region, use) for use in reads):
        return ()
    if not all(is_there(flow, statement, name) for name in {use.name for use in reads}):
        return ()
    if any(is_touched_between(view, flow, resource, statement, use) for use in reads):
        return ()
    taken = names_of(flow)
    columns = dict.fromkeys((use.name, use.attribute) for use in reads)
    names = {column: free_name("_".join(column), taken) for column in columns}
    kept = [InsertBefore(view.span(statement), f"{name} = {'.'.join(column)}") for column, name in names.items()]
    read = [instead(view, flow, use, names[use.name, use.attribute]) for use in reads]
    return (*kept, *dict.fromkeys(read))


def instead(view: View, flow: Flow, use: Use, name: str) -> Step:
    """The name in the place of a read; places inside of f-strings are known to the string only."""
    around = (part for part in flow.body.own(ast.JoinedStr) if use.node in ast.walk(part))
    string = next(around, None)
    if string is None:
        return ReplaceExpression(view.span(use.node), name)
    return ReplaceInside(view.span(string), f"{use.name}.{use.attribute}", name)


def can_be_kept(view: View, flow: Flow, statement: ast.stmt, region: list[ast.stmt], use: Use) -> bool:
    """Whether one read gives what the attribute holds before the statement, and comes after it on every way."""
    inside = [part for each in region for part in ast.walk(each)]
    if not use.same or use.node not in inside or use.node not in flow.body.own_nodes:
        return False
    if not is_plain_column(view, flow, use):
        return False
    return not changes(inside, use) and all(use.name in bound_in(loop) for loop in loops_around(flow, statement))


def is_touched_between(view: View, flow: Flow, resource: Resource, statement: ast.stmt, use: Use) -> bool:
    """Whether the session may do anything from the statement to a read, or to the end of the loop that reads again."""
    again = [loop for loop in flow.body.own(*_LOOPS) if use.node in ast.walk(loop) and loop.lineno >= statement.lineno]
    last = max([use.node.lineno, *(1 + loop.end_lineno for loop in again)])  # type: ignore[attr-defined]
    lines = range(statement.lineno, last)
    return any(node.lineno in lines for node in touches(view, flow, resource))  # type: ignore[attr-defined]


def is_plain_column(view: View, flow: Flow, use: Use) -> bool:
    """Whether the attribute is a column of a plain type, whose value nobody can change in place."""
    values = [s.names[use.name] for states in flow.solution.before for s in states if use.name in s.names]
    models = {value.name for value in values if value.kind == ROW}
    infos = [view.project.class_info(model) for model in models if model]
    return len(infos) == len(models) > 0 and all(
        info is not None and column_of(view, info, use.attribute) for info in infos
    )


def column_of(view: View, info: ClassInfo, attribute: str) -> bool:
    """Whether a mapped class, or one that it extends, declares such a column."""
    for base in view.project.lineage(info):
        if isinstance(base, str):
            continue
        if attribute in base.methods:
            return False
        value, annotation = base.values.get(attribute), base.annotations.get(attribute)
        if annotation is not None:
            return is_plain_annotation(annotation) and (value is None or is_column(value))
        if value is not None:
            return is_column(value) and is_plain_type(value)
    return False


def is_plain_annotation(annotation: ast.expr) -> bool:
    """``Mapped[str]``, ``Mapped[datetime | None]``, ``int`` of SQLModel."""
    names = {last(part) for part in ast.walk(annotation) if isinstance(part, (ast.Name, ast.Attribute))}
    return bool(names & _TYPES) and names <= _TYPES | {"Mapped", "Optional", "datetime", "uuid", "decimal"}


def is_plain_type(value: ast.expr) -> bool:
    """``Column(String(20))``, ``Field(sa_column=Column(TEXT))``; not ``Column(ARRAY(String))``, a list."""
    if not isinstance(value, ast.Call):
        return last(value) in _COLUMN_TYPES
    if last(value.func) not in _COLUMNS:
        return last(value.func) in _COLUMN_TYPES
    named = (keyword.value for keyword in value.keywords if keyword.arg in _TYPED)
    return any(is_plain_type(part) for part in (*value.args, *named))


def is_column(value: ast.expr) -> bool:
    return isinstance(value, ast.Call) and last(value.func) in _COLUMNS


def last(node: ast.AST) -> str:
    return (dotted(node) or "").rpartition(".")[2] if isinstance(node, (ast.Name, ast.Attribute)) else ""


def changes(inside: list[ast.AST], use: Use) -> bool:
    """Whether the name is bound anew there, or the attribute is set and may be read afterwards."""
    loops = [set(ast.walk(part)) for part in inside if isinstance(part, _LOOPS)]
    for part in inside:
        match part:
            case ast.Name(id=name, ctx=ast.Store() | ast.Del()) if name == use.name:
                return True
            case ast.Attribute(value=ast.Name(id=name), attr=attribute, ctx=ast.Store() | ast.Del()):
                again = any(part in loop and use.node in loop for loop in loops)
                if (name, attribute) == (use.name, use.attribute) and (again or is_above(part, use.node)):
                    return True
    return False


def is_above(part: ast.AST, node: ast.AST) -> bool:
    return part.lineno < node.lineno  # type: ignore[attr-defined,no-any-return]


def loops_around(flow: Flow, statement: ast.stmt) -> list[ast.stmt]:
    return [loop for loop in flow.body.own(*_LOOPS) if loop is not statement and statement in ast.walk(loop)]


def bound_in(syntax: ast.AST) -> frozenset[str]:
    return frozenset(p.id for p in ast.walk(syntax) if isinstance(p, ast.Name) and isinstance(p.ctx, ast.Store))


def names_of(flow: Flow) -> frozenset[str]:
    """Every name that the function knows, of its own or of the module."""
    node = flow.body.node
    parts = ast.walk(node) if node is not None else iter(flow.body.own_nodes)
    return frozenset(part.id for part in parts if isinstance(part, ast.Name)) | flow.body.local_names


def free_name(name: str, taken: frozenset[str]) -> str:
    """``lift_id``, or ``lift_id_before`` where that is something else."""
    while name in taken:
        name += "_before"
    return name


def is_there(flow: Flow, statement: ast.stmt, name: str) -> bool:
    """Whether the name surely stands for a row before the statement: it was read, or asked for, on the way there."""
    way = [statement, *way_to(flow, statement)]
    return any(derefers(step, name) or is_guard(step, name) or gives_row(step, name) for step in way)


def way_to(flow: Flow, statement: ast.stmt) -> Iterator[ast.stmt]:
    """The statements that are surely gone through before, in its block and in those around it."""
    block = block_of(flow, statement)
    if not block:
        return
    yield from reversed(block[: block.index(statement)])
    kinds = (*_LOOPS, ast.If, ast.With, ast.AsyncWith, ast.Try)
    around = next((each for each in flow.body.own(*kinds) if is_part(each, block)), None)
    if around is not None:
        yield around
        yield from way_to(flow, around)


def is_part(owner: ast.AST, block: list[ast.stmt]) -> bool:
    return any(getattr(owner, part, None) is block for part in ("body", "orelse", "finalbody"))


def derefers(statement: ast.stmt, name: str) -> bool:
    """Whether a statement reads or sets an attribute of the row in any case."""
    heads = [statement] if not hasattr(statement, "body") else [getattr(statement, "test", None)]
    waiting: list[ast.AST] = [head for head in heads if head is not None]
    while waiting:
        part = waiting.pop()
        if isinstance(part, ast.Attribute) and isinstance(part.value, ast.Name) and part.value.id == name:
            return True
        if not isinstance(part, _CHOICES):
            waiting.extend(ast.iter_child_nodes(part))
    return False


def is_guard(statement: ast.stmt, name: str) -> bool:
    """``if row is None: return``."""
    if not isinstance(statement, ast.If) or not isinstance(statement.body[-1], _LEAVES):
        return False
    match statement.test:
        case ast.UnaryOp(op=ast.Not(), operand=ast.Name(id=asked)):
            return asked == name
        case ast.Compare(left=ast.Name(id=asked), ops=[ast.Is()], comparators=[ast.Constant(value=None)]):
            return asked == name
    return False


def gives_row(statement: ast.stmt, name: str) -> bool:
    """A loop over rows, or a look-up that raises where there is none."""
    match statement:
        case ast.For(target=ast.Name(id=bound)) | ast.AsyncFor(target=ast.Name(id=bound)):
            return bound == name
        case ast.Assign(targets=[ast.Name(id=bound)], value=value) if bound == name:
            call = value.value if isinstance(value, ast.Await) else value
            return isinstance(call, ast.Call) and last(call.func) in ("get_one", "one", "scalar_one", "get_or_404")
    return False
