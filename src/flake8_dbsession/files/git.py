"""Where git keeps what it ignores, apart from the ``.gitignore`` files.

See https://git-scm.com/docs/gitignore and https://git-scm.com/docs/gitrepository-layout.
"""

from __future__ import annotations

import os


def git_folder(top: str) -> str:
    """The folder that a repository's clones and work trees share; ``top`` is where its ``.git`` stands."""
    git = os.path.join(top, ".git")
    if os.path.isdir(git):
        return git
    own = os.path.join(top, _text(git).removeprefix("gitdir:").strip())  # a work tree or a submodule
    common = _text(os.path.join(own, "commondir")).strip()
    return os.path.normpath(os.path.join(own, common))


def everywhere(git: str) -> str:
    """The file with what the user ignores in every repository (``core.excludesFile``), which may not be there.

    Asking git costs more than reading many files, so it is asked only where a configuration speaks of it or includes
    other files.
    """
    home = os.environ.get("XDG_CONFIG_HOME") or os.path.expanduser("~/.config")
    told = [
        os.environ.get("GIT_CONFIG_SYSTEM", "/etc/gitconfig"),
        os.environ.get("GIT_CONFIG_GLOBAL", os.path.expanduser("~/.gitconfig")),
        os.path.join(home, "git", "config"),
        os.path.join(git, "config"),
    ]
    spoken = "".join(map(_text, told)).lower()
    if "excludesfile" in spoken or "include" in spoken or "GIT_CONFIG_COUNT" in os.environ:
        answer = _asked(git)
        if answer:
            return answer
    return os.path.join(home, "git", "ignore")


def _asked(git: str) -> str:
    import subprocess

    command = ["git", f"--git-dir={git}", "config", "--type=path", "--get", "core.excludesFile"]
    try:
        done = subprocess.run(command, capture_output=True, check=False)
    except OSError:
        return ""
    return os.fsdecode(done.stdout).rstrip("\n")


def _text(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="surrogateescape") as file:
            return file.read()
    except OSError:
        return ""
