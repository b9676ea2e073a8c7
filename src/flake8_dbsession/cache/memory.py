"""The outcomes of earlier runs, in a file of the cache folder, with what each of them rests on."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from .. import __version__
from ..config import Config
from ..files.questions import KINDS, Question
from ..files.sources import RestsOn
from ..run import Outcome
from .packing import packed, unpacked
from .state import Changes, File, State, digest_of

OUTCOMES = "outcomes.json"
_OURS = "outcomes."
"""How the name of each file of ours begins."""
_KEEPS_GIT_OUT = ".gitignore"
_DAMAGE = (OSError, AttributeError, IndexError, KeyError, TypeError, ValueError, RecursionError)
"""What reading a file may raise that somebody else has written to."""


def check_files(
    paths: Sequence[str], config: Config, named: frozenset[str], check: Callable[[Sequence[str]], list[Outcome]]
) -> list[Outcome]:
    """The outcome of every file, in the order of ``paths``; ``check`` is asked for those that are not remembered.

    ``named`` are the files that are parsed whatever is in them.
    """
    memory = Memory.of(config) if config.cache_dir else None
    if memory is None:
        return check(paths)
    known = {path: outcome for path in paths if (outcome := memory.outcome(path, path in named)) is not None}
    missing = [path for path in paths if path not in known]
    found = dict(zip(missing, check(missing), strict=True)) if missing else {}
    memory.keep(found, named)
    return [known[path] if path in known else found[path] for path in paths]


class Kept(NamedTuple):
    """What is remembered of one file: whether it was named, and its outcome as JSON holds it (None: nothing came of
    it)."""

    was_named: bool
    outcome: Any
    rests_on: RestsOn


class Memory:
    """What is still true of what was remembered of a project."""

    def __init__(
        self, path: str, config: Config, state: State, before: Mapping[str, File], kept: dict[str, Kept]
    ) -> None:
        self.path = path
        self.config = config
        self.state = state
        self.before = before
        self.kept = kept

    @classmethod
    def of(cls, config: Config, name: str = OUTCOMES) -> Memory | None:
        """What is remembered of the project, in the file ``name`` of its cache folder, and rests on nothing that has
        changed; None where nothing can be."""
        path = os.path.join(config.root, config.cache_dir, name)
        before, kept = _read(path, stamp_of(config))
        state = State.of(config, before)
        return cls(path, config, state, before, unchanged(kept, state.changes(before), config.root)) if state else None

    def outcome(self, path: str, is_named: bool) -> Outcome | None:
        """The remembered outcome of the file at ``path``; one that is named has to have been named then, too."""
        kept = self.kept.get(path)
        if kept is None or kept.was_named < is_named or os.path.abspath(path) not in self.state.files:
            return None
        try:
            outcome = unpacked(kept.outcome) if kept.outcome else Outcome(path)
        except _DAMAGE:
            return None
        return outcome if isinstance(outcome, Outcome) else None

    def knows(self, path: str, data: bytes) -> bool:
        """Whether ``data`` is what stands in the file at ``path``."""
        file = self.state.files.get(os.path.abspath(path))
        return file is not None and file.digest == digest_of(data)

    def add_from_disk(self) -> None:
        """Add what others have remembered since, as far as it is true of the files as they are known here."""
        before, kept = _read(self.path, stamp_of(self.config))
        self.kept = unchanged(kept, self.state.changes(before), self.config.root) | self.kept

    def keep(self, outcomes: Mapping[str, Outcome], named: frozenset[str]) -> None:
        """Remember outcomes beside the others."""
        for path, outcome in outcomes.items():
            self.kept.pop(path, None)
            if outcome.problem is None:
                plain = outcome._replace(rests_on=RestsOn())
                content = packed(plain) if plain != Outcome(path) else None
                self.kept[path] = Kept(path in named, content, outcome.rests_on)
        if outcomes or self.state.files != self.before:
            _write(self.path, written(stamp_of(self.config), self.state.files, self.kept))


def stamp_of(config: Config) -> str:
    """What names a version of this package, of Python, a configuration, and where paths start from."""
    return digest_of(repr((__version__, sys.version, os.getcwd(), config)).encode("utf-8", "surrogateescape"))


def unchanged(kept: dict[str, Kept], changes: Changes, root: str) -> dict[str, Kept]:
    """What rests on nothing that has changed."""
    if not changes.files:
        return kept
    if changes.may_change_everything:
        return {}
    root = os.path.abspath(root)
    files = {os.path.relpath(path, root) for path in changes.files}
    asked = {pair for each in kept.values() for pair in each.rests_on.questions}
    others = {(question, yes) for question, yes in asked if changes.change_answer(question, absolute(yes, root))}

    def holds(path: str, rests_on: RestsOn) -> bool:
        is_same = not rests_on.everything and os.path.abspath(path) not in changes.files
        return is_same and files.isdisjoint(rests_on.files) and others.isdisjoint(rests_on.questions)

    return {path: each for path, each in kept.items() if holds(path, each.rests_on)}


def absolute(paths: Sequence[str], root: str) -> frozenset[str]:
    return frozenset(os.path.join(root, path) for path in paths)


def clean(folder: str) -> bool:
    """Remove what was remembered in the cache folder, and the folder where nothing else is in it.

    Returns whether anything was there. Only files of ours go: a folder may have been configured that holds others.
    Raises ``OSError``.
    """
    ours = [name for name in _names(folder) if name.startswith(_OURS) and os.path.isfile(os.path.join(folder, name))]
    for name in ours:
        os.unlink(os.path.join(folder, name))
    left = _names(folder)
    if ours and left in ([], [_KEEPS_GIT_OUT]):
        for name in left:
            os.unlink(os.path.join(folder, name))
        os.rmdir(folder)
    return bool(ours)


def _names(folder: str) -> list[str]:
    try:
        return os.listdir(folder)
    except OSError:
        return []


# -- the file


def written(stamp: str, files: Mapping[str, File], kept: Mapping[str, Kept]) -> dict[str, Any]:
    """What is remembered as JSON holds it: paths and questions stand once, and are meant by their numbers."""
    paths = Numbers()
    questions = Numbers()
    outcomes = {
        path: [
            each.was_named,
            each.outcome,
            [paths.of(file) for file in each.rests_on.files],
            [questions.of(question) for question in each.rests_on.questions],
            each.rests_on.everything,
        ]
        for path, each in kept.items()
    }
    asked = [
        [question.kind, _texts(question.words), _texts(question.beside), [paths.of(path) for path in answers]]
        for question, answers in questions.known
    ]
    return {"stamp": stamp, "files": files, "outcomes": outcomes, "questions": asked, "paths": list(paths.known)}


def _read(path: str, stamp: str) -> tuple[dict[str, File], dict[str, Kept]]:
    """The files as they were and what was remembered; nothing where the file is of another stamp, or damaged."""
    import json

    try:
        with open(path, "rb") as file:
            found = json.load(file)
        if found["stamp"] != stamp:
            return {}, {}
        paths = list(map(str, found["paths"]))
        questions = [
            (Question(kind, _bytes(words), _bytes(beside)), tuple(paths[number] for number in answers))
            for kind, words, beside, answers in found["questions"]
        ]
        if not {question.kind for question, _ in questions} <= KINDS:
            return {}, {}
        files = {path: File(*of) for path, of in found["files"].items()}
        return files, {
            path: Kept(
                bool(was_named),
                outcome,
                RestsOn(tuple(paths[n] for n in on), tuple(questions[n] for n in asked), bool(everything)),
            )
            for path, (was_named, outcome, on, asked, everything) in found["outcomes"].items()
        }
    except _DAMAGE:
        return {}, {}


class Numbers:
    """Things by the number under which each stands when all are listed once."""

    def __init__(self) -> None:
        self.known: dict[Any, int] = {}

    def of(self, thing: Any) -> int:
        return self.known.setdefault(thing, len(self.known))


def _texts(words: tuple[bytes, ...]) -> list[str]:
    return [word.decode("latin-1") for word in words]


def _bytes(words: Sequence[str]) -> tuple[bytes, ...]:
    return tuple(word.encode("latin-1") for word in words)


def _write(path: str, content: dict[str, Any]) -> None:
    """Put the file there whole, or leave what was there."""
    import json

    folder, own = os.path.dirname(path), f"{path}.{os.getpid()}"
    try:
        os.makedirs(folder, exist_ok=True)
        with open(os.path.join(folder, _KEEPS_GIT_OUT), "w", encoding="utf-8") as file:
            file.write("*\n")
        with open(own, "w", encoding="utf-8") as file:
            json.dump(content, file, separators=(",", ":"))
        os.replace(own, path)
    except OSError:
        return
