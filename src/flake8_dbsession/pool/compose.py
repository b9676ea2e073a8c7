"""Compose files: services with their commands, variables, copies and images, each with its line."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any, NamedTuple

from ..files.reading import text_of
from .shell import environment_file, expand


class Text(NamedTuple):
    """A scalar or list of a YAML file as text, with the 1-based line it stands in."""

    value: str | list[str]
    line: int


class Service(NamedTuple):
    """One service. ``image`` and ``build`` are "" where there is none; ``build`` is the path of a Dockerfile;
    ``variables``: name -> (value, file, line); ``mounts`` are the paths inside the container."""

    name: str
    line: int
    image: str
    build: str
    command: Text | None
    entrypoint: Text | None
    variables: dict[str, tuple[str, str, int]]
    copies: Text | None
    mounts: tuple[str, ...]


def services(path: str, *overlays: str) -> list[Service]:
    """The services of the compose file at ``path``, with those of ``overlays`` laid over them; none where it cannot
    be read."""
    try:
        return _services(path, *overlays)
    except RecursionError:  # a mapping that is merged into itself
        return []


def _services(path: str, *overlays: str) -> list[Service]:
    folder = os.path.dirname(path)
    fills = {name: value for name, (value, _) in _environment(os.path.join(folder, ".env")).items()}
    found: dict[str, Service] = {}
    for each in (path, *overlays):
        for name, node in _entries(_root(each).get("services")).items():
            service = _service(name, node, folder, each, fills)
            found[name] = _over(found[name], service) if name in found else service
    return list(found.values())


def _over(base: Service, overlay: Service) -> Service:
    """What Compose makes of two files: single values replaced where given, variables merged."""
    merged = base._replace(variables={**base.variables, **overlay.variables}, mounts=base.mounts + overlay.mounts)
    single = {f: getattr(overlay, f) for f in ("image", "build", "command", "entrypoint", "copies")}
    return merged._replace(**{field: value for field, value in single.items() if value})


def _root(path: str) -> dict[str, Any]:
    import yaml

    try:
        return _entries(yaml.compose(text_of(path), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)))
    except yaml.YAMLError:
        return {}


def _service(name: str, node: Any, folder: str, path: str, fills: dict[str, str]) -> Service:
    entries = _extended(_entries(node), folder)
    deploy = _entries(entries.get("deploy"))
    return Service(
        name,
        node.start_mark.line,
        expand(_scalar(entries.get("image")), fills),
        _dockerfile(entries.get("build"), folder),
        _text(entries.get("command"), fills),
        _text(entries.get("entrypoint"), fills),
        dict(_variables(entries, folder, path, fills)),
        _text(deploy.get("replicas") or entries.get("scale"), fills),
        tuple(_mounts(entries.get("volumes"))),
    )


def _extended(entries: dict[str, Any], folder: str) -> dict[str, Any]:
    """The service with the one that it ``extends`` laid under it."""
    extends = _entries(entries.get("extends"))
    name, file = _scalar(extends.get("service")), _scalar(extends.get("file"))
    if not name or not file:
        return entries
    base = _entries(_root(os.path.join(folder, file)).get("services")).get(name)
    return {**_entries(base), **entries}


def _entries(node: Any) -> dict[str, Any]:
    """A mapping node as a dictionary of nodes, merge keys (``<<``) laid under it."""
    found: dict[str, Any] = {}
    pairs = node.value if node is not None and node.id == "mapping" else []
    for key, value in pairs:
        if key.value == "<<":
            for source in value.value if value.id == "sequence" else [value]:
                found = {**_entries(source), **found}
        else:
            found[str(key.value)] = value
    return found


def _scalar(node: Any) -> str:
    return str(node.value) if node is not None and node.id == "scalar" else ""


def _text(node: Any, fills: dict[str, str]) -> Text | None:
    if node is None:
        return None
    line = node.start_mark.line + 1
    if node.id == "sequence":
        return Text([expand(_scalar(item), fills) for item in node.value], line)
    return Text(expand(_scalar(node), fills), line) if _scalar(node) else None


def _dockerfile(node: Any, folder: str) -> str:
    if node is None:
        return ""
    entries = _entries(node)
    context = _scalar(node) or _scalar(entries.get("context")) or "."
    name = _scalar(entries.get("dockerfile")) or "Dockerfile"
    candidates = (os.path.join(folder, context, name), os.path.join(folder, name))
    return next((os.path.normpath(c) for c in candidates if os.path.isfile(c)), "")


def _environment(path: str) -> dict[str, tuple[str, int]]:
    return environment_file(text_of(path))


def _variables(
    entries: dict[str, Any], folder: str, path: str, fills: dict[str, str]
) -> Iterator[tuple[str, tuple[str, str, int]]]:
    files = entries.get("env_file")
    for node in files.value if files is not None and files.id == "sequence" else [files] if files else []:
        name = os.path.normpath(os.path.join(folder, _scalar(node) or _scalar(_entries(node).get("path"))))
        for key, (value, line) in _environment(name).items():
            yield key, (value, name, line)
    environment = entries.get("environment")
    if environment is None:
        return
    if environment.id == "sequence":
        for node in environment.value:
            key, equals, value = _scalar(node).partition("=")
            if equals:
                yield key, (expand(value, fills), path, node.start_mark.line + 1)
    for key, node in _entries(environment).items():
        yield key, (expand(_scalar(node), fills), path, node.start_mark.line + 1)


def _mounts(node: Any) -> Iterator[str]:
    for item in node.value if node is not None and node.id == "sequence" else []:
        target = _scalar(_entries(item).get("target")) or _scalar(item).partition(":")[2].partition(":")[0]
        if target:
            yield target
