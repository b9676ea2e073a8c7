"""Values of the model as JSON can hold them."""

from __future__ import annotations

from enum import Enum
from typing import Any

from ..files.sources import RestsOn
from ..model import Diagnostic, Note, Plan, Safety, Span
from ..run import Outcome
from ..suppress import Unused

_CLASSES: dict[str, Any] = {
    kind.__name__: kind for kind in (Diagnostic, Note, Outcome, Plan, RestsOn, Safety, Span, Unused)
}


def packed(value: Any) -> Any:
    """A value of the model as JSON can hold it."""
    if isinstance(value, Enum):
        return {type(value).__name__: [value.value]}
    if isinstance(value, tuple):
        parts = [packed(part) for part in value]
        return {type(value).__name__: parts} if hasattr(value, "_fields") else parts
    return value


def unpacked(value: Any) -> Any:
    """The value that was :func:`packed`."""
    if isinstance(value, list):
        return tuple(map(unpacked, value))
    if isinstance(value, dict):
        [(name, parts)] = value.items()
        return _class(name)(*map(unpacked, parts))
    return value


def _class(name: str) -> Any:
    if name not in _CLASSES:
        from ..fix import plans

        _CLASSES.update({known: kind for known, kind in vars(plans).items() if hasattr(kind, "_fields")})
    return _CLASSES[name]
