"""Bases of models that Flask-SQLAlchemy is given: ``SQLAlchemy(model_class=Base)`` sets ``Base.query``."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from ...session.values import FLASK_DB, QUERY, Value

if TYPE_CHECKING:
    from ..project import Project


def queries(project: Project) -> dict[str, Value]:
    """The query of each such base, by its dotted name.

    One that ``declarative_base()`` has made is taken as it is (Flask-SQLAlchemy, "Models", on ``model_class``).
    """
    found: dict[str, Value] = {}
    for module in project.app.modules_with(b"model_class="):
        for name, binding in module.names.bindings.items():
            given = (k.value for v in binding.values if isinstance(v, ast.Call) for k in v.keywords if is_base(k))
            bases = [base for value in given if (base := module.names.resolve(value))]
            db = project.value(f"{module.name}.{name}".lstrip(".")) if bases else None
            if db is not None and db.kind == FLASK_DB:
                found.update(dict.fromkeys(bases, Value(QUERY, resource=db.resource)))
    return found


def is_base(keyword: ast.keyword) -> bool:
    return keyword.arg == "model_class"
