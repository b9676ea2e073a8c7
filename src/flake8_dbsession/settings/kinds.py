"""What values a setting can take: how one is read, what to say of a wrong one, and its JSON Schema."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

_CODE = re.compile(r"ALL|ORM[0-9]{0,3}")


class Kind(NamedTuple):
    """``read`` turns a TOML value into what :class:`Config` holds, or raises ``ValueError`` with what was expected."""

    read: Callable[[Any], Any]
    schema: Mapping[str, Any]


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError(f"expected a string, not {value!r}")
    return value


def _texts(value: Any) -> tuple[str, ...]:
    if not isinstance(value, (list, tuple)) or not all(isinstance(item, str) for item in value):
        raise ValueError(f"expected a list of strings, not {value!r}")
    return tuple(value)


def _boolean(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError(f"expected true or false, not {value!r}")
    return value


def _number(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise ValueError(f"expected a whole number, not {value!r}")
    return value


def _codes(value: Any) -> tuple[str, ...]:
    wrong = [code for code in _texts(value) if not _CODE.fullmatch(code)]
    if wrong:
        raise ValueError(f"expected codes such as 'ORM101', 'ORM2' or 'ALL', not {wrong[0]!r}")
    return tuple(value)


def _codes_by_pattern(value: Any) -> tuple[tuple[str, tuple[str, ...]], ...]:
    if not isinstance(value, Mapping):
        raise ValueError(f"expected a table of patterns and lists of codes, not {value!r}")
    return tuple((pattern, _codes(codes)) for pattern, codes in value.items())


def _counts_by_name(value: Any) -> tuple[tuple[str, int], ...]:
    if not isinstance(value, Mapping):
        raise ValueError(f"expected a table of names and whole numbers, not {value!r}")
    return tuple((name, _number(count)) for name, count in value.items())


def one_of(*choices: str) -> Kind:
    """One of a few words."""

    def read(value: Any) -> str:
        if value not in choices:
            raise ValueError(f"expected {' or '.join(map(repr, choices))}, not {value!r}")
        return str(value)

    return Kind(read, {"enum": list(choices)})


_CODE_SCHEMA = {"type": "string", "pattern": f"^({_CODE.pattern})$"}

text = Kind(_text, {"type": "string"})
texts = Kind(_texts, {"type": "array", "items": {"type": "string"}})
entries = Kind(_texts, texts.schema)
"""Texts that may hold blanks: ``name -> advice``."""
boolean = Kind(_boolean, {"type": "boolean"})
number = Kind(_number, {"type": "integer", "minimum": 0})
codes = Kind(_codes, {"type": "array", "items": _CODE_SCHEMA})
codes_by_pattern = Kind(
    _codes_by_pattern,
    {"type": "object", "additionalProperties": {"type": "array", "items": _CODE_SCHEMA}},
)
counts_by_name = Kind(_counts_by_name, {"type": "object", "additionalProperties": number.schema})
