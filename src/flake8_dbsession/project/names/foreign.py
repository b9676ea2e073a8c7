"""What belongs to a library, as far as a function or a module shows: ``environment = jinja2.Environment()``."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING

from ...names import Names, bare
from ...session.body import Body

if TYPE_CHECKING:
    from ..modules.module import Module
    from ..project import Project


def is_of_library(project: Project, body: Body, expression: ast.expr) -> bool:
    """Whether an expression makes an object of a library, or is a variable that is nothing else in the function."""
    module = project.modules.find(body.module)
    if module is None:
        return False
    made = list(bound_to(body, expression.id)) if isinstance(expression, ast.Name) else [expression]
    return bool(made) and all(is_made_by_library(project, module, value) for value in made)


def bound_to(body: Body, name: str) -> Iterator[ast.expr | None]:
    """What a variable of a function is bound to by assignments and blocks."""
    for target, value in body.assigned():
        if isinstance(target, ast.Name) and target.id == name:
            yield value
    for block in body.own(ast.With, ast.AsyncWith):
        for item in block.items:
            if isinstance(item.optional_vars, ast.Name) and item.optional_vars.id == name:
                yield item.context_expr


def is_made_by_library(project: Project, module: Module, value: ast.expr | None) -> bool:
    """``jinja2.Environment()``: a call of a class that is none of the project's."""
    name = (module.names.resolve(value.func) or "") if isinstance(value, ast.Call) else ""
    owner, _, last = name.rpartition(".")
    return bool(owner) and last[:1].isupper() and not project.modules.is_first_party(name)


def is_name_of_library(project: Project, names: Names, expression: ast.expr) -> bool:
    """``HTTPBearer()``, or ``oauth2_scheme`` that a module binds to such an object."""
    qualified = names.resolve(bare(expression)) or ""
    if not project.modules.is_first_party(qualified):
        return bool(qualified)
    module, name = project.split(qualified)
    binding = module.names.bindings.get(name) if module is not None else None
    if module is None or binding is None:
        return False
    made = (module.names.resolve(value.func) for value in binding.values if isinstance(value, ast.Call))
    return any(each and not project.modules.is_first_party(each) for each in made)
