"""Checking on a cluster says what checking here says, and a worker that dies loses nothing."""

from __future__ import annotations

import os
import signal
import sys
import threading
import zlib
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from flake8_dbsession import run
from flake8_dbsession.cli import main
from flake8_dbsession.parallel import executor, parcel
from flake8_dbsession.settings.reading import load

HELPER = """\
def finish(session):
    session.close()
"""
MODULE = """\
from sqlalchemy import create_engine, select
from sqlalchemy.orm import sessionmaker
from shop.helper import finish

SessionLocal = sessionmaker(create_engine("sqlite://"))


def price_{number}(article):
    session = SessionLocal()
    price = session.scalar(select(article))
    {end}
    return price


def helped_{number}(article):
    session = SessionLocal()
    try:
        return session.scalar(select(article))
    finally:
        finish(session)
"""


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A package whose modules need a helper of another module, with a file that cannot be parsed."""
    root = tmp_path / "project"
    package = root / "src" / "shop"
    package.mkdir(parents=True)
    (root / "pyproject.toml").write_text("[tool.dbsession]\n")
    (package / "__init__.py").touch()
    (package / "helper.py").write_text(HELPER)
    for number in range(90):
        end = "session.close()" if number % 3 else "pass"
        (package / f"module_{number:02}.py").write_text(MODULE.format(number=number, end=end))
    (package / "broken.py").write_text("import sqlalchemy\ndef half(session")
    (tmp_path / "outside.py").write_text(MODULE.format(number=0, end="pass"))
    monkeypatch.chdir(root)
    return root


# -- the order and the second chance, on any executor


def here(work, pool):
    return lambda chunk: pool.submit(lambda: [work(item) for item in chunk])


def test_results_keep_the_order_of_the_items():
    told = []
    with ThreadPoolExecutor(4) as pool:
        results = executor.in_order(here(lambda n: n * n, pool), range(100), lambda n: -1, told.append, size=7)
    assert results == [n * n for n in range(100)]
    assert told == sorted(told)
    assert told[-1] == 100


def test_a_chunk_that_fails_is_handed_out_again_one_by_one():
    sizes = []

    def submit(chunk):
        sizes.append(len(chunk))
        future = Future()
        if 3 in chunk and sizes.count(1) < 6:
            future.set_exception(RuntimeError("the worker died"))
        else:
            future.set_result([n + 1 for n in chunk])
        return future

    assert executor.in_order(submit, range(10), lambda n: "lost", size=5) == list(range(1, 11))
    assert sizes == [5, 5, 1, 1, 1, 1, 1, 1]


def test_an_item_that_fails_every_time_is_lost_alone():
    def submit(chunk):
        future = Future()
        if 3 in chunk:
            future.cancel()
            future.set_running_or_notify_cancel()
        else:
            future.set_result(list(chunk))
        return future

    assert executor.in_order(submit, range(6), lambda n: "lost", size=2) == [0, 1, 2, "lost", 4, 5]


def test_an_interrupt_cancels_what_has_not_begun():
    futures = []

    def submit(chunk):
        futures.append(Future())
        if len(futures) == 1:
            futures[0].set_result(list(chunk))
        return futures[-1]

    def interrupt(done):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        executor.in_order(submit, range(4), lambda n: "lost", interrupt, size=1)
    assert [future.cancelled() for future in futures] == [False, True, True, True]


# -- what is sent


def test_a_parcel_holds_code_and_declarations(project):
    (project / "requirements.txt").write_text("sqlalchemy==2.0\n")
    (project / "big.json").write_bytes(b"x" * (parcel.MOST_OF_A_DECLARATION + 1))
    (project / "picture.png").write_bytes(b"x")
    (project / "empty").mkdir()
    for folder in (".git", "node_modules", "my-env"):
        (project / folder).mkdir()
        (project / folder / "hook.py").touch()
    (project / "my-env" / "pyvenv.cfg").touch()
    packed = parcel.pack(str(project))
    names = [name for name, _ in packed.files]
    assert {"pyproject.toml", "requirements.txt", "src/shop/helper.py"} < set(names)
    assert not {"big.json", "picture.png", ".git/hook.py", "node_modules/hook.py", "my-env/hook.py"} & set(names)
    assert "empty" in packed.folders
    assert zlib.decompress(dict(packed.files)["src/shop/helper.py"]).decode() == HELPER
    root = parcel.unpacked(packed)
    assert parcel.unpacked(packed) == root
    with open(os.path.join(root, "src/shop/helper.py")) as file:
        assert file.read() == HELPER
    assert os.path.isdir(os.path.join(root, "empty"))


def test_the_digest_follows_the_content(project):
    first = parcel.pack(str(project))
    assert parcel.pack(str(project)).digest == first.digest
    (project / "src" / "shop" / "helper.py").write_text(HELPER + "\n")
    assert parcel.pack(str(project)).digest != first.digest


def test_a_project_that_is_too_large_is_refused(project, monkeypatch):
    monkeypatch.setattr(parcel, "MOST_OF_ALL", 10)
    with pytest.raises(parcel.TooLarge, match="check its parts one by one"):
        parcel.pack(str(project))


# -- a cluster of two workers


@pytest.fixture(scope="module")
def cluster():
    distributed = pytest.importorskip("distributed", reason="distributed is not installed")
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None, silence_logs=50
    ) as cluster:
        yield cluster


def paths_of(project):
    inside = sorted(str(path.relative_to(project)) for path in project.rglob("*.py"))
    return [*inside, "../outside.py", "src/shop/gone.py"]


def test_a_cluster_says_what_a_local_run_says_even_when_a_worker_dies(project, cluster):
    paths, config = paths_of(project), load(".")
    local = run.check_files(paths, config, jobs=1)
    assert sum(bool(outcome.diagnostics) for outcome in local) > 30
    assert [outcome.path for outcome in local if outcome.problem] == ["src/shop/broken.py", "src/shop/gone.py"]
    victims = [next(iter(cluster.workers.values())).pid]
    told = []

    def kill_one(done):
        told.append(done)
        if victims and done < len(paths) - 20:
            os.kill(victims.pop(), signal.SIGKILL)

    assert executor.check_files(paths, config, cluster.scheduler_address, progress=kill_one) == local
    assert victims == []
    assert told[-1] == len(paths) - 2


def test_the_command_prints_the_same(project, cluster, capfd):
    def output(*options):
        code = main(["check", "src", "--output-format", "json", "--select", "ALL", *options])
        return code, capfd.readouterr().out

    local = output()
    assert local[0] == 2
    assert len(local[1]) > 1000
    assert output("--executor", "dask", "--scheduler", cluster.scheduler_address) == local


def test_workers_of_another_version_are_refused(project, cluster, monkeypatch):
    monkeypatch.setattr(executor, "versions", lambda: ("0.0", "3.99"))
    with pytest.raises(executor.Unavailable, match=r"has flake8-dbsession .* and here is"):
        monkeypatch.setattr(executor, "_asked", lambda client: {"worker": ("9.9", "3.12")})
        executor.check_files(["src/shop/helper.py"], load("."), cluster.scheduler_address)


def test_no_scheduler_is_one_clear_line(project, capfd, monkeypatch):
    monkeypatch.setattr(executor, "PATIENCE", 1)
    code = main(["check", "src", "--executor", "dask", "--scheduler", "tcp://127.0.0.1:9"])
    err = capfd.readouterr().err
    assert code == 2
    assert "no scheduler answers at tcp://127.0.0.1:9" in err
    assert "Traceback" not in err


def test_without_distributed_it_says_what_to_install(project, capfd, monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    assert main(["check", "src", "--executor", "dask", "--scheduler", "tcp://x:1"]) == 2
    assert "pip install 'flake8-dbsession[dask]'" in capfd.readouterr().err


def test_two_threads_of_a_worker_do_not_meet(project):
    packed, config = parcel.pack("."), load(".")
    chunk = [(f"src/shop/module_{n:02}.py", f"src/shop/module_{n:02}.py") for n in range(12)]
    found = {}

    def work(name):
        found[name] = executor.check_chunk(packed, chunk, config, False)

    threads = [threading.Thread(target=work, args=(name,)) for name in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found[0] == found[1] == found[2] == run.check_files([path for path, _ in chunk], config, jobs=1)
