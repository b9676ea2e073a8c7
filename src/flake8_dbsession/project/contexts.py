"""What an application does whenever an app context of Flask is left: in a thread or a command as after a request."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING

from ..names import bare, dotted
from ..session.body import Body
from ..session.values import REGISTRY, Resource
from .modules.module import Module

if TYPE_CHECKING:
    from .project import Project

_TEARDOWN = "teardown_appcontext"
_SIGNAL = "appcontext_tearing_down"
_SIGNALS = frozenset({f"flask.{_SIGNAL}", f"flask.signals.{_SIGNAL}"})
_FLASK = frozenset({"flask.Flask", "flask.app.Flask"})


def is_removed_with_contexts(project: Project, registry: Resource) -> bool:
    """Whether a teardown of app contexts removes a plain registry."""
    if registry.flavour != "scoped" or registry.is_async:
        return False
    calls = ((module, call) for module, body in project.once(teardowns) for call in body.own(ast.Call))
    return any(is_removal(project, module, call, registry) for module, call in calls)


def teardowns(project: Project) -> tuple[tuple[Module, Body], ...]:
    """The functions given to ``app.teardown_appcontext``, or to its signal, outside of tests, for every application.

    That is what a factory does, and a module for the ``Flask(…)`` of its own; what one server adds to the application
    that it gets from a factory happens in its own process only.
    """
    return tuple(_teardowns(project))


def _teardowns(project: Project) -> Iterator[tuple[Module, Body]]:
    for module in project.app.modules_with(_TEARDOWN.encode(), _SIGNAL.encode()):
        if project.config.is_test(module.path):
            continue
        for body in (module.top, *module.bodies.values()):
            if any(is_for_all(module, "<locals>" in body.name, bare(decorator)) for decorator in body.decorators):
                yield module, body
            for call in body.own(ast.Call):
                if call.args and is_for_all(module, body.node is not None, call.func):
                    target = project.target(project.evaluate(module, call.args[0]))
                    if target is not None:
                        yield target.module, target.body


def is_for_all(module: Module, in_factory: bool, taker: ast.expr) -> bool:
    """Whether what stands behind ``@``, or is called, takes a teardown for every application that is made."""
    if isinstance(taker, ast.Attribute) and taker.attr in ("connect", "connect_via"):
        return module.names.resolve(taker.value) in _SIGNALS
    if not isinstance(taker, ast.Attribute) or taker.attr != _TEARDOWN:
        return False
    binding = module.names.bindings.get(dotted(taker.value) or "")
    made = [v for v in binding.values if isinstance(v, ast.Call)] if binding is not None else []
    return in_factory or any(module.names.resolve(call.func) in _FLASK for call in made)


def is_removal(project: Project, module: Module, call: ast.Call, registry: Resource) -> bool:
    """``Session.remove()`` of the very registry."""
    if not isinstance(call.func, ast.Attribute) or call.func.attr not in ("remove", "close"):
        return False
    value = project.evaluate(module, call.func.value)
    return value.kind == REGISTRY and value.resource is not None and value.resource.key == registry.key
