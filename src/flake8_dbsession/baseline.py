"""Old findings that are put up with, so that a project can begin with a clean run and only get better.

A baseline is a sorted JSON file with one finding a line. A finding is known by its content: the file, the rule, the
function around it, the text of its line and how often that occurs, never by a line number. Lines added above,
blanks, and code that moves inside its file change nothing; a function that moves to another file or class takes its
findings along, as long as its name, the rule and the line stay the same.

The file is a ratchet. ``create`` refuses to add findings to an existing one unless forced, ``check`` fails on new
findings and on stale entries (what they stand for is gone), ``prune`` removes the stale ones.
"""

from __future__ import annotations

import json
import os
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from .model import Diagnostic
from .render import Report
from .render.identity import Identity, identity
from .render.paths import relative

VERSION = 1
FILE = "dbsession-baseline.json"
_KEYS = ("path", "code", "function", "line")

Entries = Counter[Identity]
"""What a baseline holds: how often each finding is put up with."""


class Unusable(Exception):
    """A baseline that cannot be read; the message is one line and names the file."""


class Verdict(NamedTuple):
    """``new`` and ``known`` are the findings of a run, in order; ``stale`` the entries that nothing stands for.

    ``kept`` is the baseline as it should be: without the stale entries, with moved ones at their new place.
    """

    new: tuple[Diagnostic, ...]
    known: tuple[Diagnostic, ...]
    stale: Entries
    kept: Entries


def dump(entries: Entries) -> str:
    """The content of a baseline file: sorted, one entry a line, so that merges meet in few places."""
    values = [_value(one, count) for one, count in sorted(entries.items()) if count > 0]
    lines = [f"    {json.dumps(value, ensure_ascii=False)}" for value in values]
    return "\n".join(["{", f'  "version": {VERSION},', '  "findings": [', ",\n".join(lines), "  ]", "}", ""])


def load(path: str) -> Entries:
    """The baseline at ``path``; raises :class:`Unusable` for one that is missing or not a baseline."""
    try:
        with open(path, encoding="utf-8") as file:
            return _parse(json.load(file))
    except OSError as error:
        raise Unusable(f"{path}: cannot be read: {error.strerror}") from None
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise Unusable(f"{path}: is no baseline: {error}") from None


def entries_of(report: Report) -> Entries:
    """The baseline that puts up with every finding of a run."""
    return Counter(_identities(report))


def judge(report: Report, entries: Entries, covered: Callable[[str], bool] = lambda path: True) -> Verdict:
    """Which findings are new, which known, and which entries are stale.

    ``covered`` says whether a path (relative to the root, with slashes) was part of the run, or is gone; an entry
    of any other file is neither used up by a move nor stale.
    """
    left = Counter(entries)
    identities = _identities(report)
    matched = [_take(left, one) for one in identities]
    spare = _by_move(left, covered)
    for number, one in enumerate(identities):
        candidates = [] if matched[number] else spare[_move_key(one)]
        if candidates:
            left[candidates.pop()] -= 1
            matched[number] = True
    pairs = list(zip(report.diagnostics, matched, strict=True))
    stale = Counter({one: count for one, count in left.items() if count > 0 and covered(one.path)})
    kept = Counter(one for one, is_known in zip(identities, matched, strict=True) if is_known)
    kept += left - stale
    return Verdict(tuple(d for d, known in pairs if not known), tuple(d for d, known in pairs if known), stale, kept)


def covered_by(paths: Iterable[str], root: str, unread: Iterable[str] = ()) -> Callable[[str], bool]:
    """What :func:`judge` takes as ``covered``: what is one of ``paths`` or below one of them, or is gone.

    ``unread`` are files among them that could not be checked; ``root`` is where the paths in a baseline start from.
    """
    names = {relative(os.path.abspath(path), root) for path in paths}
    missing = {relative(os.path.abspath(path), root) for path in unread}
    is_all = any(f"{root}/".startswith(f"{name.rstrip('/')}/") for name in names)

    def covered(path: str) -> bool:
        if path in missing:
            return False
        return is_all or not names.isdisjoint(_ancestry(path)) or not os.path.exists(os.path.join(root, path))

    return covered


def _ancestry(path: str) -> Iterator[str]:
    """The path, the folders above it, and ``.``."""
    while path:
        yield path
        path = path.rpartition("/")[0]
    yield "."


def _identities(report: Report) -> list[Identity]:
    return [identity(diagnostic, report.lines(diagnostic.path), report.root) for diagnostic in report.diagnostics]


def _take(left: Entries, one: Identity) -> bool:
    if left[one] <= 0:
        return False
    left[one] -= 1
    return True


def _move_key(one: Identity) -> tuple[str, str, str]:
    """What stays the same when a function moves: the rule, its own name, the line."""
    return one.code, one.function.rpartition(".")[2], one.text


def _by_move(left: Entries, covered: Callable[[str], bool]) -> defaultdict[tuple[str, str, str], list[Identity]]:
    """The entries that nothing has used up, by what stays the same when they move; the first is taken last."""
    spare: defaultdict[tuple[str, str, str], list[Identity]] = defaultdict(list)
    for one in sorted(left, reverse=True):
        if left[one] > 0 and covered(one.path):
            spare[_move_key(one)] += [one] * left[one]
    return spare


def _value(one: Identity, count: int) -> dict[str, str | int]:
    return {**dict(zip(_KEYS, one, strict=True)), "count": count}


def _parse(value: dict[str, object]) -> Entries:
    if value["version"] != VERSION:
        raise ValueError(f"version {value['version']!r} is not known, only {VERSION}")
    entries: Entries = Counter()
    findings = value["findings"]
    if not isinstance(findings, list):
        raise TypeError("'findings' is not a list")
    for finding in findings:
        fields, count = [finding[key] for key in _KEYS], finding["count"]
        if not all(isinstance(field, str) for field in fields) or not isinstance(count, int) or count < 1:
            raise ValueError(f"an entry that cannot be read: {finding}")
        entries[Identity(*fields)] += count
    return entries
