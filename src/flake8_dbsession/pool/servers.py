"""What the server allows: max_connections and the idle limit, as configured, in compose files and settings files."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterable
from typing import NamedTuple

from ..config import Pool
from ..files.reading import line_of, text_of
from .compose import Service
from .factors import Factor, How
from .settings import Server, knowledge
from .shell import option, split

_LIMIT_FLAGS = ["--max_connections", "--max-connections", "-N"]
_IDLE_FLAGS = ["--wait_timeout", "--wait-timeout"]


class Limits(NamedTuple):
    """What one server allows. ``kind`` is its dialect ("" unknown); ``connections`` is max_connections, ``reserved``
    what an ordinary user cannot have of it, ``idle`` the seconds until an idle connection is closed (0: never)."""

    kind: str
    connections: Factor
    reserved: Factor
    idle: Factor

    @property
    def usable(self) -> int | None:
        """The connections that the application can have."""
        if self.connections.number is None:
            return None
        return self.connections.number - (self.reserved.number or 0)

    @property
    def title(self) -> str:
        server = knowledge().servers.get(self.kind)
        return server.title if server else "the server"


def server_of_image(image: str) -> Server | None:
    """The server that a container image runs: ``bitnami/postgresql:16`` is PostgreSQL."""
    servers = knowledge().servers.values()
    return next((server for server in servers if is_one_of(image, (server.name, *server.images))), None)


def is_one_of(image: str, names: Iterable[str]) -> bool:
    """Whether a container image is called so: ``edoburu/pgbouncer:1.23`` is ``pgbouncer``."""
    own = image.rpartition("/")[2].partition(":")[0].partition("@")[0].lower()
    return any(own == name or own.startswith(f"{name}-") for name in names)


def limits(configured: Pool, dialect: str, services: tuple[tuple[str, Service], ...], files: list[str]) -> Limits:
    """What is known of the server of ``dialect`` ("" where that is unknown), the best source first: the user's
    configuration, a server in the compose file, its settings file, and last the documented default. How many
    connections go through a proxy of the compose file is not known."""
    named = configured.server
    running = _running(named or dialect, services)
    kind = named or dialect or (running[1].name if running else "")
    server = knowledge().servers.get(kind)
    connections = _configured("max_connections", configured.max_connections)
    reserved = _configured("reserved", configured.reserved)
    idle = _configured("wait_timeout", configured.wait_timeout)
    return Limits(
        kind,
        connections or _of_proxy(services) or _max_connections(server, running, files),
        reserved or Factor("reserved", server.reserved if server else 0, how=How.DEFAULT),
        idle or _idle(server, running, files),
    )


def _configured(title: str, value: int) -> Factor | None:
    return Factor(title, value, "", 0, How.CONFIGURED) if value else None


def _of_proxy(services: tuple[tuple[str, Service], ...]) -> Factor | None:
    """The limit where a proxy stands before the server; None where none does."""
    for path, service in services:
        if is_one_of(service.image, knowledge().proxies):
            return Factor("max_connections", None, path, service.line, How.UNKNOWN, f"{service.image} is in between")
    return None


class _Running(NamedTuple):
    path: str
    server: Server
    service: Service

    @property
    def words(self) -> list[str]:
        value = self.service.command.value if self.service.command else []
        return split(value) if isinstance(value, str) else value

    @property
    def line(self) -> int:
        return self.service.command.line if self.service.command else self.service.line


def _running(kind: str, services: tuple[tuple[str, Service], ...]) -> _Running | None:
    """The one database service of the compose file that fits; None where there are several or none."""
    found = [_Running(p, s, each) for p, each in services if (s := server_of_image(each.image))]
    fits = [r for r in found if not kind or r.server.name == kind or {r.server.name, kind} == {"mysql", "mariadb"}]
    return fits[0] if len(fits) == 1 else None


def _max_connections(server: Server | None, running: _Running | None, files: list[str]) -> Factor:
    title = "max_connections"
    if running:
        text = option(running.words, _LIMIT_FLAGS) or _dash_c(running.words, title)
        if text and text.isdigit():
            return Factor(title, int(text), running.path, running.line)
    written = _in_settings(title, files)
    if written:
        return written
    if running and not _has_own_settings(running):
        remark = f"default of the image {running.service.image}"
        return Factor(title, running.server.connections, running.path, running.service.line, How.WRITTEN, remark)
    if server:
        return Factor(title, server.connections, "", 0, How.ASSUMED, f"{server.title}'s default")
    return Factor(title, None, "", 0, How.UNKNOWN)


def _idle(server: Server | None, running: _Running | None, files: list[str]) -> Factor:
    title = server.idle_setting if server else "wait_timeout"
    if running:
        text = option(running.words, _IDLE_FLAGS)
        if text and text.isdigit():
            return Factor(title, int(text), running.path, running.line)
    if server is None or not server.closes_idle:
        return Factor(title, server.idle_limit if server else None, how=How.DEFAULT if server else How.UNKNOWN)
    return _in_settings(title, files) or Factor(
        title, server.idle_limit, "", 0, How.DEFAULT, f"{server.title}'s default"
    )


def _dash_c(words: list[str], name: str) -> str | None:
    """``postgres -c max_connections=200``."""
    for flag, setting in itertools.pairwise(words):
        key, _, value = setting.partition("=")
        if flag == "-c" and key.strip() == name:
            return value.strip()
    return None


def _has_own_settings(running: _Running) -> bool:
    """Whether a settings file that we do not see may change the server's default."""
    mounted = any(m.endswith((".cnf", ".conf")) or "conf.d" in m for m in running.service.mounts)
    return mounted or any("config_file" in word or "defaults-" in word for word in running.words)


def _in_settings(name: str, files: list[str]) -> Factor | None:
    """``name = …`` in a ``my.cnf`` or ``postgresql.conf`` of the project."""
    for path in files:
        base = os.path.basename(path)
        if base.endswith(".cnf") or base == "postgresql.conf":
            value = _setting(path, name)
            if value is not None and value.isdigit():
                return Factor(name, int(value), path, line_of(path, name))
    return None


def _setting(path: str, name: str) -> str | None:
    import configparser

    parser = configparser.ConfigParser(
        interpolation=None, strict=False, allow_no_value=True, inline_comment_prefixes=("#",)
    )
    text = text_of(path)
    try:
        parser.read_string(text if path.endswith(".cnf") else f"[mysqld]\n{text}")
    except configparser.Error:
        return None
    for section in ("mysqld", "mariadb", "server"):
        value = parser.get(section, name, fallback=None)
        if value:
            return value.strip()
    return None
