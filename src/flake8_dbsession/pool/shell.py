"""Command lines as deployment files write them: variables filled in, ``sh -c`` opened, ``a && b`` taken apart."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

_VARIABLE = re.compile(r"\$(?:\{(\w+)(?::?[-=]([^{}]*)|:?[?+][^{}]*)?\}|(\w+))")
_SEPARATORS = frozenset({"&&", "||", ";", "|", "&"})
_WRAPPERS = frozenset(
    {
        "exec",
        "env",
        "nohup",
        "time",
        "uv",
        "poetry",
        "pipenv",
        "run",
        "tini",
        "dumb-init",
        "--",
        "sudo",
        "newrelic-admin",
        "run-program",
        "ddtrace-run",
        "opentelemetry-instrument",
    }
)


def expand(text: str, variables: Mapping[str, str]) -> str:
    """``text`` with ``$NAME`` and ``${NAME:-default}`` filled in; a variable that is not known stays as written."""

    def value(match: re.Match[str]) -> str:
        name, default = match[1] or match[3], match[2]
        return variables.get(name) or (match[0] if default is None else default)

    return _VARIABLE.sub(value, text.replace("$$", "$"))


def commands(command: str | list[str], variables: Mapping[str, str]) -> Iterator[list[str]]:
    """Every simple command of a command line, as words without wrappers such as ``exec``, ``env A=1`` or ``uv run``."""
    words = split(expand(command, variables)) if isinstance(command, str) else [expand(w, variables) for w in command]
    if len(words) >= 3 and words[0].rpartition("/")[2] in ("sh", "bash", "ash") and words[1] in ("-c", "-lc", "-ec"):
        yield from commands(words[2], variables)
        return
    simple: list[str] = []
    for word in [*words, ";"]:
        separator = word in _SEPARATORS
        if not separator:
            simple.append(word.rstrip(";"))
        if separator or word.endswith(";"):
            bare = _unwrapped(simple)
            if bare:
                yield bare
            simple = []


def split(text: str) -> list[str]:
    """The words of a command line; what shlex cannot read is split at blanks."""
    import shlex

    try:
        return shlex.split(text, comments=False)
    except ValueError:
        return text.split()


def _unwrapped(words: list[str]) -> list[str]:
    start = 0
    while start < len(words) and (words[start].rpartition("/")[2] in _WRAPPERS or _assigns(words[start])):
        start += 1
    bare = words[start:]
    if len(bare) >= 3 and bare[0].rpartition("/")[2].startswith("python") and bare[1] == "-m":
        bare = bare[2:]
    return [bare[0].rpartition("/")[2], *bare[1:]] if bare else []


def _assigns(word: str) -> bool:
    name, equals, _ = word.partition("=")
    return bool(equals) and name.isidentifier()


def option(words: list[str], names: list[str]) -> str | None:
    """The value of an option in ``words``: ``--workers 4``, ``--workers=4``, ``-w 4``, ``-w4``; the last one wins."""
    found = None
    for position, word in enumerate(words):
        for name in names:
            if word == name and position + 1 < len(words):
                found = words[position + 1]
            elif word.startswith(f"{name}="):
                found = word.partition("=")[2]
            elif len(name) == 2 and word.startswith(name) and word[2:].isdigit():
                found = word[2:]
    return found


def environment_file(text: str) -> dict[str, tuple[str, int]]:
    """The variables of an ``.env`` file, each with its line."""
    found: dict[str, tuple[str, int]] = {}
    for number, line in enumerate(text.splitlines(), 1):
        name, equals, value = line.strip().removeprefix("export ").partition("=")
        if equals and name.strip().isidentifier():
            found[name.strip()] = (value.split(" #")[0].strip().strip("\"'"), number)
    return found
