"""The fix of a session on an object whose methods are jobs: ``submit(self.work)``, where ``work`` uses ``self.db``."""

from __future__ import annotations

import ast
import os
from collections.abc import Iterator
from typing import NamedTuple

from ..fix.plans import AddImport, DeleteStatement, OpenInWith, ReplaceExpression, Step
from ..model import Plan, Safety
from ..names import Function
from ..project.app import MOST_FILES
from ..project.modules.module import ClassInfo
from ..session.events import Event, Happening
from ..session.flow import Flow
from ..session.state import CHANGED, WRITTEN, State
from ..session.values import FACTORY, QUERY, RESULT, ROW, ROWS, Resource
from ..view import View
from .common import Answer, finally_around
from .hoisting import bound_in, loaded, statements_above
from .keeping import free_name, names_of

REASON = "each job takes a connection of its own, and sees what others have changed only when it is committed"
_ROWS = frozenset({ROW, ROWS, QUERY, RESULT})
_PROXIED = frozenset(
    {"add", "add_all", "begin", "begin_nested", "bulk_insert_mappings", "bulk_save_objects", "bulk_update_mappings"}
    | {"close", "commit", "connection", "delete", "execute", "expire", "expire_all", "expunge", "expunge_all", "flush"}
    | {"get", "merge", "no_autoflush", "query", "refresh", "rollback", "scalar", "scalars"}
)
"""What a scoped_session passes on to the session of the thread, from SQLAlchemy 1.4 on."""


class Jobs(NamedTuple):
    """A class whose jobs use one session that it keeps: the attribute, how it is made, and the jobs."""

    info: ClassInfo
    attribute: str
    made: ast.Call
    methods: list[Flow]

    @property
    def name(self) -> str:
        return f"self.{self.attribute}"


def for_methods(view: View, flow: Flow, event: Event, resource: Resource, where: ast.AST) -> Answer:
    """Each job opens a session; where its helpers use the attribute too, that becomes a registry."""
    jobs, refusal = jobs_of(view, flow, event, where)
    if jobs is None:
        return None, refusal
    for job in jobs.methods:
        refusal = next(unfinished(job.returned, resource), "")
        if refusal:
            return None, refusal
    inside = [each.body.node for each in jobs.methods]
    helped = [m for m in reached(jobs) if m not in inside and uses(m, jobs.attribute)]
    nested = any(use not in job.body.own_nodes for job in jobs.methods for use in uses(job.body.node, jobs.attribute))
    if helped or nested:
        return with_registry(view, jobs)
    return with_sessions(view, jobs)


def jobs_of(view: View, flow: Flow, event: Event, where: ast.AST) -> tuple[Jobs | None, str]:
    """Every job of the class that uses the attribute; or why they cannot be told."""
    info = view.module.classes.get(flow.body.owner)
    attribute = event.detail.name.removeprefix("self.")
    made = info.attribute_values.get(attribute, []) if info is not None else []
    if info is None or len(made) != 1 or made[0][0] is not where or not isinstance(where, ast.Call):
        return None, "the session is not made in one place of the class"
    if loaded(where) - bound_in(statements_above(view, info.node)):
        return None, "the session is made of what is not known at module level"
    flows = {each.body.name: each for each in view.flows if each.body.owner == flow.body.owner}
    handed = [e.detail for each in flows.values() for e in each.events(Happening.HANDED_OVER)]
    names = dict.fromkeys(d.to for d in handed if d.through == "self" and d.name == event.detail.name)
    methods = [flows.get(f"{flow.body.owner}.{name.removeprefix('self.')}") for name in names]
    if None in methods or any(not isinstance(m.body.node, Function) for m in methods if m is not None):
        return None, "the jobs are no methods of the class"
    if any(calls_itself(info, name) for name in names):
        return None, "a job is called by the class itself, too, in its own thread"
    return Jobs(info, attribute, where, [m for m in methods if m is not None]), ""


def calls_itself(info: ClassInfo, name: str) -> bool:
    """Whether a method calls ``self.work()`` and does not only hand it over."""
    return any(isinstance(part, ast.Call) and ast.unparse(part.func) == name for part in ast.walk(info.node))


def unfinished(ends: list[State], resource: Resource) -> Iterator[str]:
    """Why a job cannot do with a session that ends when it ends."""
    for state in ends:
        if state.result.kind in _ROWS:
            yield "what a job returns may be a row, which can no longer load anything once its session is closed"
        life = state.lives.get(resource)
        if life is not None and life.marks & (WRITTEN | CHANGED):
            yield "what a job changes is committed by somebody else"


def uses(method: ast.AST | None, attribute: str) -> list[ast.Attribute]:
    """``self.db`` in a method."""
    parts = ast.walk(method) if method is not None else ()
    return [p for p in parts if isinstance(p, ast.Attribute) and p.attr == attribute and is_me(p.value)]


def is_me(node: ast.expr) -> bool:
    return isinstance(node, ast.Name) and node.id == "self"


def reached(jobs: Jobs) -> list[Function]:
    """The methods that the jobs call or hand on, at any depth, without the jobs."""
    waiting: list[ast.AST] = [job.body.node for job in jobs.methods if job.body.node is not None]
    found: dict[str, Function] = {}
    while waiting:
        for part in ast.walk(waiting.pop()):
            if isinstance(part, ast.Attribute) and is_me(part.value) and part.attr not in found:
                method = jobs.info.methods.get(part.attr)
                if method is not None:
                    found[part.attr] = method
                    waiting.append(method)
    return list(found.values())


def with_sessions(view: View, jobs: Jobs) -> Answer:
    """``with SessionLocal() as db:`` in each job, around what uses ``self.db``, which becomes ``db``."""
    steps: list[Step] = []
    made = view.source.segment(view.span(jobs.made))
    for job in jobs.methods:
        own = uses(job.body.node, jobs.attribute)
        if not any(use in own for statement in job.body.statements for use in ast.walk(statement)):
            return None, f"{job.body.name}() uses the session where it is defined"
        taken = names_of(job)
        name = next(n for n in (jobs.attribute.strip("_"), free_name("own_session", taken)) if n not in taken)
        first, last = extent(job, own)
        steps.append(OpenInWith(view.span(first), view.span(last), made, name))
        steps += [ReplaceExpression(view.span(use), name) for use in own]
    if is_needless(view, jobs):
        statement = next(s for s in ast.walk(jobs.info.node) if isinstance(s, ast.Assign) and s.value is jobs.made)
        steps.append(DeleteStatement(view.span(statement)))
    return Plan("open a session in each job", Safety.UNSAFE, tuple(steps), REASON), ""


def extent(job: Flow, own: list[ast.Attribute]) -> tuple[ast.stmt, ast.stmt]:
    """The statements from the first that uses the session to the last that uses it, or what it gave or was given."""
    block = job.body.statements
    holding = [n for n, each in enumerate(block) if any(use in own for use in ast.walk(each))]
    first, last = holding[0], holding[-1]
    while last + 1 < len(block):
        rows = {n for each in block[first : last + 1] for n in (*stored(each), *given(each, own))}
        later = [n for n in range(last + 1, len(block)) if rows & read_in(block[n])]
        if not later:
            break
        last = later[-1]
    return block[first], block[last]


def stored(statement: ast.AST) -> set[str]:
    return {p.id for p in ast.walk(statement) if isinstance(p, ast.Name) and isinstance(p.ctx, ast.Store)}


def given(statement: ast.AST, own: list[ast.Attribute]) -> set[str]:
    """The names that methods of the session get."""
    calls = (p for p in ast.walk(statement) if isinstance(p, ast.Call) and isinstance(p.func, ast.Attribute))
    asked = [call for call in calls if any(part in own for part in ast.walk(call.func))]
    return {name for call in asked for argument in call.args for name in read_in(argument)}


def read_in(statement: ast.AST) -> set[str]:
    return {p.id for p in ast.walk(statement) if isinstance(p, ast.Name) and isinstance(p.ctx, ast.Load)}


def is_needless(view: View, jobs: Jobs) -> bool:
    """Whether nobody but the jobs may use the attribute: not the class, not its file, nor one that speaks of both."""
    inside = {use for job in jobs.methods for use in uses(job.body.node, jobs.attribute)}
    if any(isinstance(use.ctx, ast.Load) and use not in inside for use in uses(jobs.info.node, jobs.attribute)):
        return False
    named = (p for p in ast.walk(view.source.tree) if isinstance(p, ast.Attribute) and p.attr == jobs.attribute)
    extended = any(jobs.info.qualified in other.bases for other in view.module.classes.values())
    if extended or not all(is_me(part.value) for part in named):
        return False
    words = (f".{jobs.attribute}".encode(), jobs.info.node.name.encode())
    files, here = view.project.app.files, os.path.abspath(view.source.path)
    speaking = view.project.app.files_with(words[0], beside=words[1:])
    return len(files) <= MOST_FILES and not any(path != here for path in speaking)


def with_registry(view: View, jobs: Jobs) -> Answer:
    """``self.db = scoped_session(SessionLocal)``, and ``self.db.remove()`` when a job ends."""
    if view.project.evaluate(view.module, jobs.made.func).kind != FACTORY or jobs.made.args or jobs.made.keywords:
        return None, "a registry needs a factory of sessions"
    every = [use for method in jobs.info.methods.values() for use in uses(method, jobs.attribute)]
    asked = {p.value for p in ast.walk(jobs.info.node) if isinstance(p, ast.Attribute) and p.attr in _PROXIED}
    if any(isinstance(use.ctx, ast.Load) and use not in asked for use in every):
        return None, "the session is passed on, or used as a registry cannot be"
    steps: list[Step] = [ReplaceExpression(view.span(jobs.made), f"scoped_session({ast.unparse(jobs.made.func)})")]
    steps.append(AddImport("sqlalchemy.orm", "scoped_session"))
    for job in jobs.methods:
        wrapped, refusal = finally_around(view, job.body.statements, f"{jobs.name}.remove()", "")
        if wrapped is None:
            return None, refusal
        steps += wrapped.steps
    title = f"keep a registry as {jobs.name!r}, and remove the session of each job"
    return Plan(title, Safety.UNSAFE, tuple(steps), REASON), ""
