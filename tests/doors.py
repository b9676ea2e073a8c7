"""Small projects and the command run in them, for the tests of the doors."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import flake8_dbsession

LEAK = """\
from sqlalchemy import create_engine, select
from sqlalchemy.orm import sessionmaker

SessionLocal = sessionmaker(create_engine("sqlite://"))


def count(article):
    session = SessionLocal()
    return len(session.scalars(select(article)).all())
"""
"""One ORM101, on line 8 from column 15 (counted from 1), with a safe fix."""

MENDED = LEAK.replace("    session = SessionLocal()\n    return", "    with SessionLocal() as session:\n        return")
HELPER = "def finish(session):\n    session.{method}()\n"
USER = """\
from helper import finish
from sqlalchemy import create_engine, select
from sqlalchemy.orm import sessionmaker

SessionLocal = sessionmaker(create_engine("sqlite://"))


def count(article):
    session = SessionLocal()
    try:
        return len(session.scalars(select(article)).all())
    finally:
        finish(session)
"""
CLEAN = "print('nothing of ours')\n"


def lay(root: Path, **files: str) -> Path:
    """Write files below ``root``; in a keyword, ``__`` stands for ``/`` and ``_py`` at the end for ``.py``."""
    for name, text in files.items():
        path = root / (name.replace("__", "/").removesuffix("_py") + (".py" if name.endswith("_py") else ""))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


def dbsession(*arguments: str, cwd: Path, data: bytes | None = None, **environment: str) -> subprocess.CompletedProcess:
    """The command as a process of its own, with text output."""
    return run(sys.executable, "-m", "flake8_dbsession", *arguments, cwd=cwd, data=data, **environment)


def run(*command: str, cwd: Path, data: bytes | None = None, **environment: str) -> subprocess.CompletedProcess:
    """Any command, with this checkout's package importable."""
    source = str(Path(flake8_dbsession.__file__).parents[1])
    done = subprocess.run(
        command,
        cwd=cwd,
        input=data,
        stdin=subprocess.DEVNULL if data is None else None,
        capture_output=True,
        env={**os.environ, "PYTHONPATH": source, "PYTHONUTF8": "1", **environment},
        timeout=120,
        check=False,
    )
    done.stdout, done.stderr = done.stdout.decode(), done.stderr.decode()
    return done
