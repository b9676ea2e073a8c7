"""Work in several processes: the same results in the same order, whatever happens to a worker."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time

import pytest

from flake8_dbsession.parallel import workers
from flake8_dbsession.parallel.workers import in_order

ITEMS = list(range(500))


def square(item):
    return item * item


def lost(item):
    return f"lost {item}"


@pytest.mark.parametrize("jobs", [1, 2, 5])
def test_results_come_in_the_order_of_the_items(jobs):
    assert in_order(square, ITEMS, jobs, lost) == [square(item) for item in ITEMS]


def test_more_workers_than_items():
    assert in_order(square, [1, 2], 8, lost) == [1, 4]
    assert in_order(square, [], 8, lost) == []


def test_the_work_is_done_elsewhere():
    assert os.getpid() not in in_order(lambda item: os.getpid(), ITEMS, 2, lost)


def test_large_results_arrive():
    assert [len(result) for result in in_order(lambda item: "x" * 300_000, range(8), 3, lost)] == [300_000] * 8


def test_an_item_that_kills_its_process_is_lost_alone():
    def deadly(item):
        if item in (77, 300):
            os.kill(os.getpid(), signal.SIGKILL)
        return item

    expected = [lost(item) if item in (77, 300) else item for item in ITEMS]
    assert in_order(deadly, ITEMS, 3, lost) == expected


def test_when_every_process_dies_every_item_is_lost():
    assert in_order(lambda item: os._exit(3), range(6), 2, lost) == [lost(item) for item in range(6)]


def test_progress_ends_with_all_items():
    told = []
    in_order(square, ITEMS, 2, lost, told.append)
    assert told == sorted(told)
    assert told[-1] == len(ITEMS)


def test_without_fork_processes_are_spawned(monkeypatch):
    monkeypatch.setattr(workers, "CAN_FORK", False)
    assert in_order(square, ITEMS[:40], 2, lost) == [square(item) for item in ITEMS[:40]]


def test_an_interrupt_leaves_no_worker_behind(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(
        textwrap.dedent(
            """
            import os, sys, time
            from flake8_dbsession.parallel.workers import in_order
            def work(item):
                open(os.path.join(sys.argv[1], str(os.getpid())), "w").close()
                time.sleep(60)
            try:
                in_order(work, range(4), 2, work)
            except KeyboardInterrupt:
                sys.exit(130)
            """
        )
    )
    pids = tmp_path / "pids"
    pids.mkdir()
    process = subprocess.Popen([sys.executable, str(script), str(pids)])
    deadline = time.monotonic() + 30
    while len(os.listdir(pids)) < 2 and time.monotonic() < deadline:
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    assert process.wait(30) == 130
    running = [pid for pid in os.listdir(pids) if os.path.exists(f"/proc/{pid}/exe")]
    assert len(os.listdir(pids)) == 2
    assert running == []
