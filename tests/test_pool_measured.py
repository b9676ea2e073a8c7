"""What ``pool.toml`` says of SQLAlchemy and Flask-SQLAlchemy, measured again on the installed releases."""

from __future__ import annotations

import warnings
from typing import Any

import pytest
import sqlalchemy
from sqlalchemy import create_engine, exc, pool
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import create_async_engine

from flake8_dbsession.pool.settings import PoolClass, default_pool, knowledge
from flake8_dbsession.pool.url import parse

KNOWN = knowledge()
MAJOR = int(sqlalchemy.__version__.split(".")[0])
VALUES: dict[str, Any] = {
    "pool_size": 3,
    "max_overflow": 2,
    "pool_timeout": 5,
    "pool_recycle": 60,
    "pool_pre_ping": True,
    "pool_use_lifo": True,
    "pool_reset_on_return": None,
    "pool_logging_name": "measured",
    "echo_pool": False,
}
ENGINES = {"sync": (create_engine, "sqlite://"), "async": (create_async_engine, "sqlite+aiosqlite://")}


def installed(pool_class: PoolClass) -> Any:
    found = getattr(pool, pool_class.name, None)
    return found or pytest.skip(f"SQLAlchemy {sqlalchemy.__version__} has no {pool_class.name}")


def make(kind: str, **options: Any) -> Any:
    factory, url = ENGINES[kind]
    return made(factory, options.pop("url", url), **options)


def made(factory: Any, url: str, **options: Any) -> Any:
    """An engine; skips where this SQLAlchemy or this environment lacks the driver."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return factory(url, **options)
        except (ModuleNotFoundError, exc.NoSuchModuleError) as error:
            pytest.skip(f"SQLAlchemy {sqlalchemy.__version__}: {error}")


def test_every_pool_option_is_measured() -> None:
    assert VALUES.keys() == KNOWN.options.keys()


@pytest.mark.parametrize("pool_class", KNOWN.pools.values(), ids=lambda p: p.name)
def test_a_pool_class_rejects_what_the_table_says(pool_class: PoolClass) -> None:
    kind = "async" if "Async" in pool_class.name else "sync"
    rejected = set()
    for name, value in VALUES.items():
        try:
            make(kind, poolclass=installed(pool_class), **{name: value})
        except TypeError:
            rejected.add(name)
    assert rejected == pool_class.rejects


@pytest.mark.parametrize("kind", ENGINES)
@pytest.mark.parametrize("pool_class", KNOWN.pools.values(), ids=lambda p: p.name)
def test_a_pool_class_fits_the_engines_that_the_table_says(pool_class: PoolClass, kind: str) -> None:
    fits = pool_class.only in ("", kind) or MAJOR < 2
    if fits:
        make(kind, poolclass=installed(pool_class))
    else:
        with pytest.raises(exc.ArgumentError):
            make(kind, poolclass=installed(pool_class))


@pytest.mark.parametrize("name", KNOWN.misspelt)
def test_no_pool_class_takes_a_misspelt_option(name: str) -> None:
    with pytest.raises(TypeError):
        create_engine("sqlite://", poolclass=pool.QueuePool, **{name: 5})


@pytest.mark.parametrize("name", KNOWN.misspelt.values())
def test_what_a_misspelt_option_was_meant_to_be_exists(name: str) -> None:
    create_engine("sqlite://", poolclass=pool.QueuePool, **({name: VALUES[name]} if name in VALUES else {}))


@pytest.mark.parametrize(
    ("url", "kind"),
    [
        ("sqlite://", "sync"),
        ("sqlite:///:memory:", "sync"),
        ("sqlite:///file:shop?mode=memory&uri=true", "sync"),
        ("sqlite:///file::memory:?uri=true", "sync"),
        ("sqlite:///shop.db", "sync"),
        ("sqlite+aiosqlite://", "async"),
        ("sqlite+aiosqlite:///shop.db", "async"),
        ("mysql+pymysql://shop@db/shop", "sync"),
        ("postgresql+psycopg://shop@db/shop", "sync"),
        ("postgresql+psycopg://shop@db/shop", "async"),
    ],
)
def test_the_default_pool_class_is_the_one_that_sqlalchemy_takes(url: str, kind: str) -> None:
    engine = make(kind, url=url)
    expected = default_pool(parse(url), kind == "async", MAJOR)
    assert expected is not None
    assert expected.name == type(engine.pool).__name__


def test_the_defaults_of_a_queue_pool() -> None:
    found: Any = create_engine("mysql+pymysql://shop@db/shop").pool
    assert {"pool_size": found.size(), "max_overflow": found._max_overflow, "pool_timeout": found._timeout} == {
        name: KNOWN.options[name] for name in ("pool_size", "max_overflow", "pool_timeout")
    }
    assert (found._recycle, found._pre_ping) == (KNOWN.options["pool_recycle"], KNOWN.options["pool_pre_ping"])


@pytest.mark.parametrize("value", [None, False, 0, *KNOWN.reset_off])
def test_what_switches_the_reset_off(value: Any) -> None:
    assert "none" in str(create_engine("sqlite://", pool_reset_on_return=value).pool._reset_on_return)


@pytest.mark.parametrize("value", [True, "rollback", "commit"])
def test_what_leaves_the_reset_on(value: Any) -> None:
    assert "none" not in str(create_engine("sqlite://", pool_reset_on_return=value).pool._reset_on_return)


def test_a_recycle_time_of_none_fails_at_the_first_checkout() -> None:
    engine = create_engine("sqlite://", poolclass=pool.QueuePool, pool_recycle=None)
    with pytest.raises(TypeError):
        engine.connect()


def test_a_driver_raises_no_exception_of_sqlalchemy() -> None:
    pymysql = pytest.importorskip("pymysql")
    assert not issubclass(pymysql.err.OperationalError, exc.SQLAlchemyError)


@pytest.mark.parametrize("driver", KNOWN.drivers.values(), ids=lambda d: d.name)
def test_a_driver_that_is_known_to_sqlalchemy_serves_the_server_of_the_table(driver: Any) -> None:
    dialect = made(lambda url: make_url(url).get_dialect(), f"{driver.server}+{driver.name}://")
    assert (dialect.name, dialect.driver) == (driver.server, driver.name)


def flask_engine(url: str, **config: Any) -> Any:
    flask = pytest.importorskip("flask")
    flask_sqlalchemy = pytest.importorskip("flask_sqlalchemy")
    app = flask.Flask("measured")
    app.config.update(SQLALCHEMY_DATABASE_URI=url, SQLALCHEMY_TRACK_MODIFICATIONS=False, **config)
    db = flask_sqlalchemy.SQLAlchemy(app)
    with app.app_context():
        return db.engine


def flask_major() -> int:
    from importlib.metadata import version

    return int(version("flask-sqlalchemy").split(".")[0])


@pytest.mark.parametrize("key", [*KNOWN.flask_read_before_3, *KNOWN.flask_never])
def test_flask_sqlalchemy_reads_the_keys_that_the_table_says(key: str) -> None:
    plain = flask_engine("mysql+pymysql://shop@db/shop").pool
    changed = flask_engine("mysql+pymysql://shop@db/shop", **{key: 7}).pool

    def seen(pool: Any) -> tuple[Any, ...]:
        return (pool.size(), pool._max_overflow, pool._recycle, pool._timeout, pool._pre_ping, pool._pool.use_lifo)

    is_read = key in KNOWN.flask_read_before_3 and flask_major() < 3
    assert (seen(changed) != seen(plain)) == is_read


def test_flask_sqlalchemy_recycles_for_mysql_urls_only() -> None:
    assert flask_engine("mysql+pymysql://shop@db/shop").pool._recycle == KNOWN.flask_mysql["pool_recycle"]
    assert flask_engine("mariadb+pymysql://shop@db/shop").pool._recycle == KNOWN.options["pool_recycle"]


def test_flask_sqlalchemy_takes_a_static_pool_in_memory() -> None:
    assert type(flask_engine("sqlite://").pool).__name__ == "StaticPool"
    with pytest.raises(TypeError):
        flask_engine("sqlite://", SQLALCHEMY_ENGINE_OPTIONS={"pool_size": 5})
