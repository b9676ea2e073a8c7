"""Which lines have changed since a commit, as git says."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence

from ..model import Diagnostic


class NoGit(Exception):
    """git could not tell; the message is one line."""


Changes = dict[str, list[range]]
"""Absolute path of a file -> its changed lines (1-based)."""

_ALL = range(1, 1 << 60)


def since(commit: str) -> Changes:
    """The lines of the working tree that differ from the commit where this branch left ``commit``.

    Files that git does not know yet count whole. Raises :class:`NoGit`.
    """
    top = _git("rev-parse", "--show-toplevel").strip()
    _git("rev-parse", "--verify", "--quiet", f"{commit}^{{commit}}", says=f"there is no commit {commit!r}")
    try:
        base = _git("merge-base", commit, "HEAD").strip()
    except NoGit:
        base = commit  # they have nothing in common, or the clone is too shallow to tell
    options = ["--no-color", "--no-ext-diff", "--src-prefix=a/", "--dst-prefix=b/", "-U0", "--no-renames"]
    changes = _parsed(_git("-c", "core.quotePath=false", "diff", *options, base, "--"), top)
    untracked = _git("ls-files", "--others", "--exclude-standard", "--full-name", "-z", ":/")
    changes.update((os.path.join(top, name), [_ALL]) for name in untracked.split("\0") if name)
    return changes


def touches(changes: Changes, diagnostic: Diagnostic) -> bool:
    """Whether the report, or a step of its story in the same file, stands on a changed line."""
    lines = changes.get(os.path.realpath(diagnostic.path), [])
    spans = [diagnostic.span, *(note.span for note in diagnostic.notes if note.path in ("", diagnostic.path))]
    return any(span.line < block.stop and span.end_line >= block.start for span in spans for block in lines)


def _git(*arguments: str, says: str = "") -> str:
    try:
        done = subprocess.run(["git", *arguments], capture_output=True, check=False)
    except OSError as error:
        raise NoGit(f"git cannot be run: {error.strerror}") from None
    if done.returncode:
        words = done.stderr.decode("utf-8", "replace").strip().splitlines()
        raise NoGit(says or (words[0] if words else f"git {arguments[0]} failed"))
    return done.stdout.decode("utf-8", "surrogateescape")


def _parsed(diff: str, top: str) -> Changes:
    changes: Changes = {}
    blocks: list[range] = []
    header = False
    for line in diff.split("\n"):
        if line.startswith("diff --git "):
            header = True
        elif header and line.startswith("+++ "):
            blocks = changes.setdefault(os.path.join(top, _name(line[4:])), [])
        elif line.startswith("@@ "):
            header = False
            blocks.append(_block(line.split()[2]))
    return changes


def _name(word: str) -> str:
    """``b/path`` as git writes it; a name with a tab ends in one, a name with a quote stands in quotes."""
    word = word.rstrip("\t")
    if word.startswith('"'):
        word = word[1:-1].encode("latin-1", "backslashreplace").decode("unicode_escape")
    return word.removeprefix("b/")


def _block(word: str) -> range:
    """``+12,3`` or ``+12``."""
    start, _, count = word[1:].partition(",")
    return range(int(start), int(start) + int(count or 1))


def changed_files(changes: Changes, paths: Sequence[str]) -> list[str]:
    """Those of ``paths`` with changed lines."""
    return [path for path in paths if changes.get(os.path.realpath(path))]
