"""The configuration as a JSON Schema for editors, and as TOML for people."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from ..config import Config, Pool
from .reading import KEYS, POOL_KEYS, Key

ID = "dbsession.schema.json"


def main(argv: Sequence[str] | None = None) -> int:
    """``dbsession schema``: prints :func:`json_schema`."""
    argparse.ArgumentParser(prog="dbsession schema", description=__doc__).parse_args(argv)
    print(json.dumps(json_schema(), indent=2))
    return 0


def json_schema() -> dict[str, Any]:
    """The schema of ``dbsession.toml`` and of ``[tool.dbsession]``."""
    properties = {
        "extend": {"type": "string", "description": "another configuration file, which this one adds to"},
        **_properties(KEYS, Config()),
        "pool": {
            "type": "object",
            "description": "the database server and the processes that share it",
            "properties": _properties(POOL_KEYS, Pool()),
            "additionalProperties": False,
        },
    }
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "$id": ID,
        "title": "dbsession",
        "type": "object",
        "properties": properties,
        "additionalProperties": False,
    }


def _properties(keys: Iterable[Key], defaults: Config | Pool) -> dict[str, Any]:
    return {key.name: {**key.kind.schema, "description": key.help, **_default(key, defaults)} for key in keys}


def _default(key: Key, defaults: Config | Pool) -> dict[str, Any]:
    value = getattr(defaults, key.field)
    return {"default": _plain(value, key)} if value or isinstance(defaults, Config) else {}


def as_toml(config: Config) -> str:
    """The whole configuration as the content of a ``dbsession.toml``."""
    pool = list(_lines([key for key in POOL_KEYS if getattr(config.pool, key.field)], config.pool))
    return "\n".join([f"# root: {config.root}", *_lines(KEYS, config), *(["", "[pool]", *pool] if pool else []), ""])


def _lines(keys: Iterable[Key], values: Config | Pool) -> Iterator[str]:
    for key in keys:
        yield f"{key.name} = {_toml(_plain(getattr(values, key.field), key))}"


def _plain(value: Any, key: Key) -> Any:
    """What TOML and JSON know: lists for tuples, a table for pairs."""
    if key.kind.schema.get("type") == "object":
        return {name: list(inner) if isinstance(inner, tuple) else inner for name, inner in value}
    return list(value) if isinstance(value, tuple) else value


def _toml(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(name)} = {_toml(inner)}" for name, inner in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_toml, value)) + "]"
    return json.dumps(value, ensure_ascii=False)
