"""What is said of streams after their dependency was left is what the installed FastAPI does."""

from __future__ import annotations

import warnings
from importlib.metadata import version

import pytest
from proofs.bench import bench
from proofs.lab import garbage_left_alone, load
from sqlalchemy import text
from wants import FIXTURES

FOLDER = FIXTURES / "modules" / "fastapi_by_version"
RELEASE = tuple(map(int, version("fastapi").split(".")[:2]))
IS_BETWEEN = (0, 106) <= RELEASE < (0, 118)
LEFT_OUT = {"/while": 1, "/after": 1, "/committed": 0, "/own": 0, "/finished": 0, "/kept": 0}
"""By endpoint: the connections that nobody has given back when the answer has been read."""


@pytest.mark.skipif(not IS_BETWEEN and RELEASE < (0, 121), reason="this FastAPI leaves every dependency afterwards")
@pytest.mark.parametrize("endpoint", LEFT_OUT)
def test_a_stream_leaves_out_what_it_took_with_a_session_that_was_closed(endpoint: str) -> None:
    from fastapi.testclient import TestClient

    with bench(size=5) as lab:
        example = load(FOLDER / ("between" if IS_BETWEEN else "newest") / "streams.py")
        if endpoint not in {route.path for route in example.app.routes}:
            pytest.skip("needs a scope")
        with example.engine.begin() as connection:
            connection.execute(text("CREATE TABLE songs (title VARCHAR(50))"))
            connection.execute(text("INSERT INTO songs VALUES ('one'), ('two')"))
        with garbage_left_alone(), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            assert TestClient(example.app).get(endpoint).status_code == 200
            assert lab.connections_out() == LEFT_OUT[endpoint]
