"""What starts the application: compose files, Procfiles, systemd units, supervisor, Dockerfiles; the best one first."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import NamedTuple

from ..files.reading import line_of, text_of
from .compose import Service, Text, services
from .factors import Factor, How, Processes
from .processes import Place, program_of, served_by, workers_in_ini, workers_in_python, workers_of
from .shell import commands, environment_file, split

_ASIDE = ("dev", "test", "local", "ci", "override", "debug", "example", "sample", "e2e", "lint", "devcontainer")

Variables = dict[str, tuple[str, str, int]]


class Deployment(NamedTuple):
    """The services that one kind of file describes, the kinds that were seen and left out, every service of the
    compose file that is believed, the images of all compose files, and the variables that are set: of the ``.env``
    file and of each service."""

    kind: str
    processes: tuple[Processes, ...]
    others: tuple[str, ...]
    services: tuple[tuple[str, Service], ...]
    images: tuple[str, ...]
    variables: tuple[Variables, ...]


def deployment(paths: list[str], root: str) -> Deployment:
    """Read the deployment files among ``paths``. The first kind that starts a known program is believed; the same
    application is usually described several times, so kinds are never added up."""
    variables = _root_variables(root)
    kinds = (
        ("compose", _by_compose),
        ("Procfile", _by_procfile),
        ("systemd", _by_units),
        ("supervisor", _by_supervisor),
        ("Dockerfile", _by_dockerfile),
        ("settings file", _by_settings),
    )
    found = [(kind, tuple(_numbered(read(paths, variables)))) for kind, read in kinds]
    used = next(((kind, listed) for kind, listed in found if listed), ("", ()))
    others = tuple(kind for kind, listed in found if listed and kind != used[0])
    believed = tuple((path, s) for path, *overlays in [compose_files(paths)] if path for s in services(path, *overlays))
    images = tuple(s.image for p in paths if "compose" in os.path.basename(p).lower() for s in services(p) if s.image)
    seen = (variables, *(service.variables for _, service in believed))
    return Deployment(used[0], used[1], others, believed, images, seen)


def is_deployment(name: str) -> bool:
    """Whether a file of this name may say how the application is started or what its server allows."""
    lower = name.lower()
    return (
        (lower.endswith((".yml", ".yaml")) and "compose" in lower)
        or lower.startswith(("procfile", "dockerfile", ".env"))
        or lower.endswith((".service", ".dockerfile", ".cnf"))
        or lower in ("supervisord.conf", "postgresql.conf", "uwsgi.ini", "alembic.ini")
        or (lower.startswith("gunicorn") and lower.endswith(".py"))
    )


def _numbered(found: Iterator[Processes]) -> Iterator[Processes]:
    seen = set()
    for each in found:
        key = (each.service, each.program, each.workers.path, each.workers.line)
        if key not in seen:
            seen.add(key)
            yield each


def _root_variables(root: str) -> Variables:
    path = os.path.join(root, ".env")
    return {name: (value, path, line) for name, (value, line) in environment_file(text_of(path)).items()}


def for_production(paths: list[str], *words: str) -> list[str]:
    """The files whose name (lower case) contains one of ``words``, those for development and tests left out."""
    named = [p for p in paths if any(w in os.path.basename(p).lower() for w in words)]
    kept = [p for p in named if not _is_aside(p)]
    return sorted(kept, key=lambda p: ("prod" not in os.path.basename(p).lower(), p.count(os.sep), p))


def _is_aside(path: str) -> bool:
    folder, name = os.path.split(path.lower())
    parts = name.replace("-", ".").replace("_", ".").split(".")
    return os.path.basename(folder) in _ASIDE or any(part in _ASIDE for part in parts)


def compose_files(paths: list[str]) -> list[str]:
    """The compose file that is believed, followed by the ones for production that are laid over it; [""] for none.

    A file with Docker's own name comes first, then one with another name; the topmost wins.
    """
    found = [p for p in for_production(paths, "compose") if p.endswith((".yml", ".yaml"))]
    found.sort(
        key=lambda p: (os.path.splitext(os.path.basename(p))[0] not in ("compose", "docker-compose"), p.count(os.sep))
    )
    base = found[0] if found else ""
    return [
        base,
        *(p for p in found[1:] if os.path.dirname(p) == os.path.dirname(base) and "prod" in os.path.basename(p)),
    ]


def _started(
    command: str | list[str], service: str, place: Place, copies: Factor | None = None, scripts: bool = True
) -> Iterator[Processes]:
    """The known programs that a command line starts, those of a start script it runs included."""
    for words in commands(command, place.plain()):
        if words[0].endswith(".sh") and scripts:
            yield from _script(words[0], service, place, copies)
            words = words[1:]
        name = program_of(words)
        if name:
            yield Processes(service, name, workers_of(words, place), copies, served_by(words))


def _script(name: str, service: str, place: Place, copies: Factor | None) -> Iterator[Processes]:
    """The programs of a start script beside the deployment file; none of one that chooses between several."""
    for folder in (place.folder, os.path.join(place.folder, "scripts"), os.path.join(place.folder, "docker")):
        path = os.path.join(folder, name)
        text = text_of(path)
        for number, line in enumerate(text.splitlines() if "esac" not in text else (), 1):
            if line.strip() and not line.lstrip().startswith("#"):
                inner = place._replace(path=path, line=number)
                yield from _started(line, service, inner, copies, scripts=False)


def _by_compose(paths: list[str], variables: Variables) -> Iterator[Processes]:
    path, *overlays = compose_files(paths)
    for service in services(path, *overlays) if path else ():
        yield from _compose_service(service, path, variables)


def _compose_service(service: Service, path: str, variables: Variables) -> Iterator[Processes]:
    copies = None
    if service.copies and isinstance(service.copies.value, str):
        number = int(service.copies.value) if service.copies.value.isdigit() else None
        copies = Factor("copies", number, path, service.copies.line, How.WRITTEN if number else How.UNKNOWN)
    seen = {**variables, **(_dockerfile_variables(service.build) if service.build else {}), **service.variables}
    texts = [t for t in (service.entrypoint, service.command) if t]
    if texts:
        command, line = _joined(texts), texts[-1].line
        yield from _started(command, service.name, Place(path, line, os.path.dirname(path), seen), copies)
    elif service.build:
        for text in _dockerfile_commands(service.build):
            place = Place(service.build, text.line, os.path.dirname(service.build), seen)
            yield from _started(text.value, service.name, place, copies)


def _joined(texts: list[Text]) -> str | list[str]:
    if len(texts) == 1:
        return texts[0].value
    return [w for t in texts for w in (t.value if isinstance(t.value, list) else split(t.value))]


def _by_procfile(paths: list[str], variables: Variables) -> Iterator[Processes]:
    for path in for_production(paths, "procfile")[:1]:
        for number, line in enumerate(text_of(path).splitlines(), 1):
            service, colon, command = line.partition(":")
            if colon and not line.startswith("#") and service.strip() != "release":
                yield from _started(command, service.strip(), Place(path, number, os.path.dirname(path), variables))


def _by_units(paths: list[str], variables: Variables) -> Iterator[Processes]:
    for path in [p for p in paths if p.endswith(".service")]:
        own = dict(variables)
        for number, line in enumerate(text_of(path).replace("\\\n", " ").splitlines(), 1):
            key, _, value = line.partition("=")
            if key == "Environment":
                for word in split(value):
                    name, _, text = word.partition("=")
                    own[name] = (text, path, number)
            elif key == "ExecStart":
                service = os.path.basename(path).removesuffix(".service")
                yield from _started(value.lstrip("-@:+!"), service, Place(path, number, os.path.dirname(path), own))


def _by_supervisor(paths: list[str], variables: Variables) -> Iterator[Processes]:
    import configparser

    for path in for_production(paths, "supervisor"):
        parser = configparser.ConfigParser(interpolation=None, strict=False)
        try:
            parser.read(path, encoding="utf-8")
        except (configparser.Error, UnicodeDecodeError):
            continue
        for section in parser.sections():
            command = parser.get(section, "command", fallback="")
            if section.startswith("program:") and command:
                copies = parser.get(section, "numprocs", fallback="1")
                number = Factor("copies", int(copies), path, line_of(path, "numprocs")) if copies.isdigit() else None
                place = Place(path, line_of(path, "command"), os.path.dirname(path), variables)
                yield from _started(command, section.partition(":")[2], place, number)


def _by_dockerfile(paths: list[str], variables: Variables) -> Iterator[Processes]:
    for path in for_production(paths, "dockerfile"):
        seen = {**variables, **_dockerfile_variables(path)}
        service = os.path.basename(os.path.dirname(path)) or "image"
        for text in _dockerfile_commands(path):
            yield from _started(text.value, service, Place(path, text.line, os.path.dirname(path), seen))


def _by_settings(paths: list[str], variables: Variables) -> Iterator[Processes]:
    """A gunicorn or uWSGI settings file that nothing else refers to."""
    for path in for_production(paths, "gunicorn", "uwsgi.ini"):
        if path.endswith(".py"):
            found = workers_in_python(path, ["workers"], Place(path, 0, os.path.dirname(path), variables))
        else:
            found = workers_in_ini(path) if path.endswith(".ini") else None
        if found:
            yield Processes("web", "gunicorn" if path.endswith(".py") else "uwsgi", found)


def _instructions(path: str) -> Iterator[tuple[str, str, int]]:
    pending, start = "", 0
    for number, line in enumerate(text_of(path).splitlines(), 1):
        if line.lstrip().startswith("#"):
            continue
        start = start if pending else number
        pending += line.strip().removesuffix("\\") + " "
        if not line.rstrip().endswith("\\"):
            word, _, rest = pending.strip().partition(" ")
            if word:
                yield word.upper(), rest.strip(), start
            pending = ""


def _dockerfile_commands(path: str) -> list[Text]:
    """The last ENTRYPOINT and CMD, put together as Docker does."""
    last: dict[str, Text] = {}
    for word, rest, line in _instructions(path):
        if word == "FROM":
            last = {}
        elif word in ("CMD", "ENTRYPOINT"):
            last[word] = Text(_exec_form(rest), line)
    parts = [last[word] for word in ("ENTRYPOINT", "CMD") if word in last]
    return [Text(_joined(parts), parts[-1].line)] if parts else []


def _exec_form(text: str) -> str | list[str]:
    if text.startswith("["):
        import json

        try:
            words = json.loads(text)
        except ValueError:
            return text
        return [str(w) for w in words]
    return text


def _dockerfile_variables(path: str) -> Variables:
    found: Variables = {}
    for word, rest, line in _instructions(path):
        if word in ("ENV", "ARG"):
            pairs = [w.partition("=") for w in split(rest)] if "=" in rest else [rest.partition(" ")]
            found.update({name: (value.strip(), path, line) for name, separator, value in pairs if separator})
    return found
