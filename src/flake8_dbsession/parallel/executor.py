"""Checking on the workers of a Dask cluster, with the outcome of a local run.

The workers need this version of flake8-dbsession on the same version of Python, and no access to our disk: each gets
the project once, as a :class:`~flake8_dbsession.parallel.parcel.Parcel`, and then chunks of paths. Work that dies with
its worker is handed out again; a file over which workers die again and again is reported, and the rest is checked.
"""

from __future__ import annotations

import os
import sys
import threading
import warnings
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import CancelledError, Future, as_completed
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

from .. import __version__, run
from ..config import Config
from ..model import Diagnostic
from ..run import Outcome
from ..settings.reading import ConfigError
from .parcel import Parcel, TooLarge, pack, unpacked

if TYPE_CHECKING:
    from distributed import Client

Item = TypeVar("Item")
Result = TypeVar("Result")
ATTEMPTS = 3
"""How often a chunk is handed out before its items are given up; from the second time on they go one by one."""
PATIENCE = 60
"""Seconds to wait for the scheduler, and for a first worker."""
_SIZE = 16
_ONE_AT_A_TIME = threading.Lock()


class Unavailable(ConfigError):
    """A cluster that cannot be used; the message is one line."""


def in_order(
    submit: Callable[[Sequence[Item]], Future[list[Result]]],
    items: Sequence[Item],
    lost: Callable[[Item], Result],
    progress: Callable[[int], None] = lambda done: None,
    size: int = _SIZE,
) -> list[Result]:
    """The results of all items, in their order; the counterpart of :func:`flake8_dbsession.parallel.workers.in_order`.

    ``submit`` hands a chunk to an executor of :mod:`concurrent.futures`. A chunk whose future fails is submitted
    again, item by item; ``lost`` gives the result of an item that fails every time. An interrupt cancels the rest.
    """
    done: dict[int, Result] = {}
    chunks = [range(start, min(start + size, len(items))) for start in range(0, len(items), size)]
    for _ in range(ATTEMPTS):
        for numbers, results in _finished(submit, items, chunks):
            done.update(zip(numbers, results, strict=True))
            progress(len(done))
        chunks = [range(number, number + 1) for number in range(len(items)) if number not in done]
        if not chunks:
            break
    return [done[number] if number in done else lost(item) for number, item in enumerate(items)]


def _finished(
    submit: Callable[[Sequence[Item]], Future[list[Result]]], items: Sequence[Item], chunks: Sequence[range]
) -> Iterator[tuple[range, list[Result]]]:
    """The chunks that come back, as they come back."""
    futures: dict[Future[list[Result]], range] = {}
    try:
        for numbers in chunks:
            futures[submit([items[number] for number in numbers])] = numbers
        for future in as_completed(futures):
            try:
                yield futures[future], future.result()
            except (Exception, CancelledError):  # the worker died, or what it sent back cannot be read
                continue
    finally:
        for future in futures:
            future.cancel()


def check_files(
    paths: Sequence[str],
    config: Config,
    scheduler: str,
    debug: bool = False,
    progress: Callable[[int], None] = lambda done: None,
) -> list[Outcome]:
    """The outcome of every file, in the order of ``paths``; raises :class:`Unavailable`.

    Files that the workers cannot have (outside the root, or not readable) are checked here.
    """
    try:
        parcel = pack(config.root)
    except TooLarge as error:
        raise Unavailable(str(error)) from None
    sent = {name for name, _ in parcel.files}
    places = {path: _below(path, config.root) for path in paths}
    away = [(path, place) for path, place in places.items() if place in sent]
    with connected(scheduler) as client:
        executor = client.get_executor()  # type: ignore[no-untyped-call]
        tree = client.submit(_same, parcel, key=f"dbsession-project-{parcel.digest}")

        def submit(chunk: Sequence[tuple[str, str]]) -> Future[list[Outcome]]:
            future: Future[list[Outcome]] = executor.submit(check_chunk, tree, chunk, config, debug)
            return future

        found = in_order(submit, away, _lost, progress)
    outcomes = dict(zip([path for path, _ in away], found, strict=True))
    return [outcomes[path] if path in outcomes else run.check_file(path, config, debug) for path in paths]


def check_chunk(parcel: Parcel, chunk: Sequence[tuple[str, str]], config: Config, debug: bool) -> list[Outcome]:
    """On a worker: the outcomes of some files, each given as the path to show and its place below the root."""
    with _ONE_AT_A_TIME:
        root = unpacked(parcel)
        inner = config._replace(root=root, cache_dir="")
        return [_check(path, os.path.join(root, place), inner, debug) for path, place in chunk]


def _check(path: str, place: str, config: Config, debug: bool) -> Outcome:
    outcome = run.check_file(place, config, debug)
    problem = outcome.problem._replace(path=path) if outcome.problem is not None else None
    diagnostics = tuple(_renamed(diagnostic, path, place, config.root) for diagnostic in outcome.diagnostics)
    return outcome._replace(path=path, diagnostics=diagnostics, problem=problem)


def _renamed(diagnostic: Diagnostic, path: str, place: str, root: str) -> Diagnostic:
    """The report with our paths in place of the worker's."""
    notes = (note._replace(path=path if note.path == place else _cut(note.path, root)) for note in diagnostic.notes)
    return diagnostic._replace(path=path, notes=tuple(notes))


def _cut(path: str, root: str) -> str:
    return path[len(root) + 1 :] if path.startswith(root + os.sep) else path


def _below(path: str, root: str) -> str:
    """The place of a file below the root, with slashes."""
    try:
        return os.path.relpath(os.path.abspath(path), os.path.abspath(root)).replace(os.sep, "/")
    except ValueError:  # another drive
        return path


@contextmanager
def connected(scheduler: str) -> Iterator[Client]:
    """A client of the cluster, once it has workers that can do our work; raises :class:`Unavailable`."""
    try:
        from distributed import Client
    except ImportError as error:
        told = "--executor dask needs distributed; install it with: pip install 'flake8-dbsession[dask]'"
        raise Unavailable(f"{told} ({error})") from None
    if not scheduler:
        raise Unavailable("--executor dask needs the address of a scheduler: --scheduler tcp://host:8786")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of large graphs: the project is sent once
        try:
            client = Client(scheduler, timeout=PATIENCE, set_as_default=False)  # type: ignore[no-untyped-call]
        except (OSError, ValueError) as error:
            raise Unavailable(f"no scheduler answers at {scheduler}: {' '.join(str(error).split())}") from None
        with client:
            _inspect(client)
            yield client


def _inspect(client: Client) -> None:
    """See to it that the workers would say what we would."""
    try:
        there = _asked(client)
    except TimeoutError:
        raise Unavailable(f"no worker joined the cluster in {PATIENCE} seconds") from None
    except Exception as error:
        words = f"{type(error).__name__}: {error}"
        raise Unavailable(f"the workers need flake8-dbsession {__version__} ({words})") from None
    for worker, found in there.items():
        if found != versions():
            raise Unavailable(f"{worker} has {_spelt(found)}, and here is {_spelt(versions())}")


def _asked(client: Client) -> dict[str, tuple[str, str]]:
    """The versions of every worker, once there is one."""
    client.wait_for_workers(1, timeout=PATIENCE)
    found: dict[str, tuple[str, str]] = client.run(versions)
    return found


def versions() -> tuple[str, str]:
    """What decides about the outcome of a check: our version and that of the parser."""
    return __version__, ".".join(map(str, sys.version_info[:2]))


def _spelt(found: tuple[str, str]) -> str:
    return f"flake8-dbsession {found[0]} on Python {found[1]}"


def _lost(item: tuple[str, str]) -> Outcome:
    return Outcome(item[0], problem=run.lost(item[0]))


def _same(parcel: Parcel) -> Parcel:
    return parcel
