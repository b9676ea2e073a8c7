"""A streaming endpoint before and after its fix: the same bytes, and no connection held while they are sent."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from proofs.bench import bench
from proofs.lab import create_tables, load
from sqlalchemy.ext import asyncio as asyncio_extension
from wants import FIXTURES

AUDIO = b"la la la"


@pytest.fixture
def song(tmp_path, monkeypatch):
    """A file to be sent, and engines whose async ones find a driver."""
    create = asyncio_extension.create_async_engine
    monkeypatch.setattr(
        "sqlalchemy.ext.asyncio.create_async_engine",
        lambda url, **options: create(url.replace("sqlite:", "sqlite+aiosqlite:"), **options),
    )
    (tmp_path / "song.mp3").write_bytes(AUDIO)
    return str(tmp_path / "song.mp3")


def heard(path: Any, song: str) -> tuple[bytes, str, int]:
    """What a listener gets, the title in the header, and how many connections are out while it is sent."""
    with bench() as lab:
        example = load(path)
        create_tables(example)
        with example.SessionLocal.begin() as session:
            session.add(example.Song(id=1, title="Daisy", path=song, played=0))
        with example.SessionLocal() as session:  # as the dependency does, until the response has been sent
            response = example.audio(1, session)
            held = lab.connections_out()
            body = asyncio.run(collected(response.body_iterator))
        return body, response.headers["X-Title"], held


async def collected(body: Any) -> bytes:
    return b"".join([part async for part in body])


def test_the_connection_is_back_while_the_response_is_sent(song):
    path = FIXTURES / "ORM204" / "answered_first.py"
    assert heard(path, song) == (AUDIO, "Daisy", 1)
    assert heard(path.with_suffix(".fixed.py"), song) == (AUDIO, "Daisy", 0)


async def sung(example: Any, lab: Any) -> tuple[bytes, int]:
    async with example.async_engine.begin() as connection:
        await connection.run_sync(example.Base.metadata.create_all)
    async with example.AsyncSessionLocal() as session:
        session.add(example.Song(id=1, title="Daisy Bell", path="", played=0))
        await session.commit()
    async with example.AsyncSessionLocal() as session:
        response = await example.lyrics(1, session)
        held = lab.connections_out()
        words = "".join([part async for part in response.body_iterator]).encode()
    await example.async_engine.dispose()
    return words, held


@pytest.mark.parametrize(("suffix", "held"), [(".py", 1), (".fixed.py", 0)])
def test_so_it_is_with_an_async_session(song, suffix, held):
    with bench() as lab:
        example = load((FIXTURES / "ORM204" / "answered_first.py").with_suffix(suffix))
        assert asyncio.run(sung(example, lab)) == (b"Daisy\nBell\n", held)
