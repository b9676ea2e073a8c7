"""Whether a file can matter at all, by its bytes: asked before anything of the analysis is imported."""

from __future__ import annotations

MARKERS = (
    b"ession",
    b"sqlalchemy",
    b"engine",
    b"db.",
    b"Base",
    b".query",
    b"sqlmodel",
    b"SQLAlchemy",
    b"SQLALCHEMY",
    b"Flask",
    b"_app(",
    b"stream_with_context",
    b"Depends(",
    b"epositor",
    b"repos",
    b"_dao",
    b".dao",
    b"crud",
    b"elery",
    b"dramatiq",
    b"gather(",
    b"uow",
    b"nit_of_work",
)
"""The last ones are words for objects that keep a session for those who never see it, and for tasks and coroutines that
only call."""

_OF_SESSIONS = (b"ession", b"sqlalchemy", b"SQLAlchemy", b"sqlmodel", b"db.")


def can_matter(data: bytes) -> bool:
    """Whether the bytes hold anything that could be a session.

    Bytes that are no text to search in (UTF-16) count, so that somebody hears of them.
    """
    return any(marker in data for marker in MARKERS) or b"\0" in data


def keeps_sessions(data: bytes) -> bool:
    """Whether a module that holds these bytes may work with sessions for those who import it."""
    return any(word in data for word in _OF_SESSIONS)


def may_matter(data: bytes) -> bool:
    """Whether a file can matter by its bytes, or by what it imports."""
    return can_matter(data) or b"import" in data
