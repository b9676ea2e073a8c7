"""The fix of a session that threads share: each job works in a session of its own."""

from __future__ import annotations

import ast
from itertools import pairwise

from ..fix.plans import AppendStatements, ReplaceExpression, Step
from ..model import Plan, Safety
from ..session.events import Event, Handover, Happening
from ..session.flow import Flow
from ..session.values import FUNCTION, OPENED, PARAMETER, SESSION, Resource, Value
from ..view import View
from .common import Answer
from .hoisting import bound_in, is_free, loaded, place_for, statements_above
from .job_methods import REASON, for_methods, unfinished

WRAPPER = "in_own_session"
_CODE = """
def {name}(work, *arguments):
    with {made} as session:
        return work(session, *arguments)
""".strip()


def own_sessions(view: View, flow: Flow, event: Event, where: ast.AST) -> Answer:
    """A session for each job, by whatever way the jobs get the one that they share; ``where`` it is taken."""
    detail: Handover = event.detail
    if event.resource is None or event.resource.is_async or event.resource.is_connection:
        return None, "each job needs a connection of its own"
    if detail.through == "self":
        return for_methods(view, flow, event, event.resource, where)
    if detail.through == "argument" and event.resource.origin == OPENED:
        return for_function(view, flow, event, event.resource)
    return None, "each job needs a session of its own, and its rows loaded by id"


def for_function(view: View, flow: Flow, event: Event, resource: Resource) -> Answer:
    """``submit(in_own_session, work, …)``: a function of the module opens the session and calls the job with it."""
    made = opened_by(flow, resource)
    if made is None or loaded(made) - bound_in(statements_above(view, made)):
        return None, "the session is made of what is not known at module level"
    given = given_to(event)
    if given is None:
        return None, "the session is not the first argument of the job"
    work, session = given
    if any(e.detail.through == "row" for e in flow.events(Happening.HANDED_OVER) if e.node is event.node):
        return None, "the job gets rows of the session as well, which have to be loaded by id"
    refusal = job_refusal(view, flow, work)
    if refusal:
        return None, refusal
    code = _CODE.format(name=WRAPPER, made=ast.unparse(made))
    steps: list[Step] = [ReplaceExpression(view.span(work), WRAPPER)]
    steps.append(ReplaceExpression(view.span(session), view.source.segment(view.span(work))))
    if is_free(view, WRAPPER):
        above = statements_above(view, made)
        steps.append(AppendStatements(view.span(place_for(above, loaded(made))), code))
    elif not is_same(view, code):
        return None, f"{WRAPPER!r} means something else here"
    return Plan("open a session in each job", Safety.UNSAFE, tuple(steps), REASON), ""


def opened_by(flow: Flow, resource: Resource) -> ast.Call | None:
    """The one call that makes the session."""
    opened = [event.node for event in flow.events(Happening.OPENED) if event.resource == resource]
    return opened[0] if len(opened) == 1 and isinstance(opened[0], ast.Call) else None


def given_to(event: Event) -> tuple[ast.expr, ast.expr] | None:
    """The job and the session in ``submit(work, session)``, ``partial(work, session)``, ``Thread(target=work, …)``."""
    name = event.detail.name
    for call in ast.walk(event.node):
        match call:
            case ast.Call(args=args, keywords=keywords):
                named = {keyword.arg: keyword.value for keyword in keywords}
                work = named.get("target") or named.get("function") or (args[-1] if args else None)
                match named.get("args"):
                    case ast.Tuple(elts=[first, *_]) | ast.List(elts=[first, *_]) if work is not None:
                        args = [work, first]
                for job, given in pairwise(args):
                    if isinstance(given, ast.Name) and given.id == name:
                        return job, given
    return None


def job_refusal(view: View, flow: Flow, work: ast.expr) -> str:
    """Why the job cannot do with a session that ends when it ends; "" where it can."""
    function = view.project.evaluate(view.module, work)
    target = view.project.target(function) if function.kind == FUNCTION else None
    is_local = isinstance(work, ast.Name) and work.id in flow.body.local_names
    if target is None or not target.body.parameters or is_local:
        return "what the job does with the session cannot be seen"
    parameter = target.body.parameters[0].arg
    session = Resource(PARAMETER, parameter, "Session")
    job = view.project.flow(target.module, target.body, {parameter: Value(SESSION, resource=session)}, {})
    return next(unfinished(job.returned, session), "")


def is_same(view: View, code: str) -> bool:
    definition = view.names.bindings[WRAPPER].definition
    return isinstance(definition, ast.FunctionDef) and ast.unparse(definition) == ast.unparse(ast.parse(code))
