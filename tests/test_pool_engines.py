"""Engines are found wherever they are configured, with what is known of their options."""

from __future__ import annotations

import ast
import textwrap

import pytest

from flake8_dbsession.names import Names, dotted
from flake8_dbsession.pool.engines import Engine, Found, find, is_candidate
from flake8_dbsession.pool.options import Options
from flake8_dbsession.pool.url import parse
from flake8_dbsession.pool.values import HOLE, Value


def found(code: str) -> Found:
    tree = ast.parse(textwrap.dedent(code))
    return find(tree, Names(tree, "shop.database"))


def engine(code: str) -> Engine:
    [one] = found("from sqlalchemy import create_engine\nimport os\n" + textwrap.dedent(code)).engines
    return one


def options(code: str) -> Options:
    return engine(code).options


def value(expression: str, before: str = "") -> Value:
    call = f"from sqlalchemy import create_engine\ncreate_engine('x', pool_size={expression})"
    one = found(f"import os\n{textwrap.dedent(before)}\n{call}")
    item = one.engines[0].options.items["pool_size"]
    return one.reader.value(item.value, item.scope)


class Spelling:
    """A resolver that knows one name, as a stand-in for the project's."""

    def resolve(self, expression: ast.expr) -> str | None:
        return {"make": "sqlalchemy.create_engine", "sa.create_engine": "sqlalchemy.create_engine"}.get(
            dotted(expression) or ""
        )


def test_any_resolver_will_do() -> None:
    assert len(find(ast.parse("sa.create_engine('sqlite://')"), Spelling()).engines) == 1
    assert find(ast.parse("create_engine('sqlite://')"), Spelling()).engines == ()


@pytest.mark.parametrize(
    ("line", "factory"),
    [
        ("from sqlalchemy import create_engine as c; c('x')", "create_engine"),
        ("import sqlalchemy as sa; sa.create_engine('x')", "create_engine"),
        ("import sqlalchemy; sqlalchemy.engine.create_engine('x')", "create_engine"),
        ("from sqlmodel import create_engine; create_engine('x')", "create_engine"),
        ("from sqlalchemy.ext.asyncio import create_async_engine; create_async_engine('x')", "create_async_engine"),
        ("from sqlalchemy import engine_from_config; engine_from_config({})", "engine_from_config"),
        ("def f():\n from sqlalchemy import create_engine\n create_engine('x')", "create_engine"),
    ],
)
def test_a_factory_is_known_by_where_it_comes_from(line: str, factory: str) -> None:
    assert [e.factory for e in found(line).engines] == [factory]


@pytest.mark.parametrize(
    "line",
    [
        "create_engine('x')",
        "from steam import create_engine; create_engine('x')",
        "def create_engine(x): ...\ncreate_engine('x')",
        "from sqlalchemy import create_engine\ndef f(create_engine): create_engine('x')",
        "from sqlalchemy import create_engine\ndef f():\n create_engine = print\n create_engine('x')",
    ],
)
def test_a_function_of_the_same_name_is_no_factory(line: str) -> None:
    assert found(line).engines == ()


@pytest.mark.parametrize(
    ("code", "keeper"),
    [
        ("engine = create_engine('x')", "module"),
        ("class Database:\n engine = create_engine('x')", "module"),
        ("def f():\n global engine\n engine = create_engine('x')", "module"),
        ("def f(self):\n self.engine = create_engine('x')", "attribute"),
        ("def f(self):\n engine = create_engine('x')\n self.engine = engine", "attribute"),
        ("def f(self):\n engine = create_engine('x')\n self.factory = sessionmaker(bind=engine)", "attribute"),
        ("def f():\n CACHE['x'] = create_engine('x')", "container"),
        ("def f():\n return create_engine('x')", "returned"),
        ("def f():\n engine = create_engine('x')\n yield engine", "attribute"),
        ("def f():\n engine = create_engine('x')\n engine.connect()", ""),
        ("def f(self):\n engine = create_engine('x')\n self.rows = engine.connect()", ""),
        ("def f():\n create_all(create_engine('x'))", ""),
    ],
)
def test_who_keeps_an_engine(code: str, keeper: str) -> None:
    assert engine(code).keeper == keeper


@pytest.mark.parametrize(
    ("code", "names", "whole"),
    [
        ("create_engine('x', pool_size=1, echo=True)", {"pool_size", "echo"}, True),
        ("create_engine('x', **{'pool_size': 1})", {"pool_size"}, True),
        ("create_engine('x', **dict(pool_size=1, **{'echo': True}))", {"pool_size", "echo"}, True),
        ("O = {'pool_size': 1}\ncreate_engine('x', **O)", {"pool_size"}, True),
        ("O = {}\nO['pool_size'] = 1\ncreate_engine('x', **O)", {"pool_size"}, True),
        ("O = {}\nO.update(pool_size=1)\nO.update({'echo': 1})\ncreate_engine('x', **O)", {"pool_size", "echo"}, True),
        ("O = {}\nO |= {'pool_size': 1}\ncreate_engine('x', **O)", {"pool_size"}, True),
        ("O = {'a': 1} | {'b': 2}\ncreate_engine('x', **O)", {"a", "b"}, True),
        ("O = {'pool_size': 1}\nP = O.copy()\ncreate_engine('x', **P)", {"pool_size"}, True),
        ("def o():\n return {'pool_size': 1}\ncreate_engine('x', **o())", {"pool_size"}, True),
        ("class C:\n o = {'pool_size': 1}\ncreate_engine('x', **C.o)", {"pool_size"}, True),
        ("def f(o):\n create_engine('x', **o)", set(), False),
        ("def f(o):\n o['echo'] = True\n create_engine('x', **o)", {"echo"}, False),
        ("from other import o\ncreate_engine('x', **o)", set(), False),
        ("O = {'pool_size': 1}\nfill(O)\ncreate_engine('x', **O)", {"pool_size"}, False),
        ("O = {'pool_size': 1}\nprint(O)\ncreate_engine('x', **O)", {"pool_size"}, True),
        ("O = {KEY: 1}\ncreate_engine('x', **O)", set(), False),
        ("O = {}\nO[key] = 1\ncreate_engine('x', **O)", set(), False),
        ("for o in os.x:\n create_engine('x', **o)", set(), False),
        ("create_engine('x', **json.load(f))", set(), False),
    ],
)
def test_options_are_followed_through_dictionaries(code: str, names: set[str], whole: bool) -> None:
    one = options(code)
    assert (set(one.items), one.whole) == (names, whole)


@pytest.mark.parametrize(
    ("code", "certain"),
    [
        ("create_engine('x', pool_size=1)", True),
        ("O = {'pool_size': 1}\nif os.x:\n O['pool_size'] = 2\ncreate_engine('x', **O)", False),
        ("O = {}\nif os.x:\n O['pool_size'] = 2\ncreate_engine('x', **O)", False),
        ("O = {'pool_size': 1} if os.x else {}\ncreate_engine('x', **O)", False),
        ("O = {'pool_size': 1}\nO.pop('pool_size')\ncreate_engine('x', **O)", False),
        ("if os.x:\n O = {'pool_size': 1}\nelse:\n O = {}\ncreate_engine('x', **O)", False),
    ],
)
def test_an_option_that_is_set_on_some_ways_is_not_certain(code: str, certain: bool) -> None:
    assert options(code).items["pool_size"].certain == certain


@pytest.mark.parametrize(
    ("expression", "number", "variable"),
    [
        ("5", 5, ""),
        ("-1", -1, ""),
        ("60 * 60", 3600, ""),
        ("'5'", 5, ""),
        ("True", None, ""),
        ("os.getenv('POOL', 2)", 2, "POOL"),
        ("int(os.getenv('POOL', '2'))", 2, "POOL"),
        ("int(os.environ.get('POOL', 2))", 2, "POOL"),
        ("int(os.environ['POOL'])", None, "POOL"),
        ("int(os.getenv('POOL') or 7)", 7, "POOL"),
        ("config('POOL', default=5, cast=int)", 5, "POOL"),
        ("env.int('POOL', 5)", 5, "POOL"),
        ("settings.get('pool', 5)", 5, "pool"),
        ("int('five')", None, ""),
        ("len(os.sched_getaffinity(0))", None, ""),
    ],
)
def test_what_a_number_is_worth(expression: str, number: int | None, variable: str) -> None:
    one = value(expression)
    assert (one.number, one.variable) == (number, variable)


@pytest.mark.parametrize(
    ("before", "number", "variable"),
    [
        ("SIZE = 5", 5, ""),
        ("BASE = 5\nSIZE = BASE * 2", 10, ""),
        ("SIZE = int(os.getenv('POOL', '5'))", 5, "POOL"),
        ("if os.x:\n SIZE = 5\nelse:\n SIZE = 6", None, ""),
        ("from other import SIZE", None, ""),
    ],
)
def test_what_a_name_is_worth(before: str, number: int | None, variable: str) -> None:
    one = value("SIZE", before)
    assert (one.number, one.variable) == (number, variable)


def test_a_field_of_a_settings_class_is_replaced_by_the_environment() -> None:
    before = "class Settings(BaseSettings):\n    pool_size: int = Field(default=7)\nsettings = Settings()"
    one = value("settings.pool_size", before)
    assert (one.number, one.variable) == (7, "Field")
    before = "class Settings(BaseSettings):\n    pool_size: int = 7\nsettings = Settings()"
    assert value("settings.pool_size", before).variable == "POOL_SIZE"


def test_a_parameter_is_worth_its_default() -> None:
    one = engine("def make(pool_size=5):\n    return create_engine('x', pool_size=pool_size)")
    reader = found("").reader
    item = one.options.items["pool_size"]
    assert reader.value(item.value, item.scope).number == 5


@pytest.mark.parametrize(
    ("expression", "dialect", "driver", "place"),
    [
        ("'sqlite://'", "sqlite", "", "memory"),
        ("'sqlite:///:memory:'", "sqlite", "", "memory"),
        ("'sqlite:///shop.db'", "sqlite", "", "file"),
        ("f'sqlite:///{path}'", "sqlite", "", ""),
        ("f'sqlite:///{path}/shop.db'", "sqlite", "", "file"),
        ("'postgres://db/shop'", "postgresql", "", "server"),
        ("f'mysql+pymysql://{user}:{password}@{host}/{name}'", "mysql", "pymysql", "server"),
        ("'mysql+pymysql://%s@db/shop' % user", "mysql", "pymysql", "server"),
        ("'mysql+pymysql://{}@{host}/shop'.format(user, host=h)", "mysql", "pymysql", "server"),
        ("'{}://{}'.format('mariadb', host)", "mariadb", "", "server"),
        ("'mysql://' + host", "mysql", "", "server"),
        ("os.getenv('DATABASE_URL', 'sqlite:///shop.db')", "sqlite", "", "file"),
        ("os.environ['DATABASE_URL'].replace('postgres://', 'postgresql://', 1)", "", "", ""),
        ("URL.create('postgresql+asyncpg', host='db')", "postgresql", "asyncpg", "server"),
        ("URL.create(drivername='mysql', query={'charset': 'utf8mb4'})", "mysql", "", "server"),
        ("make_url('mysql://db')", "mysql", "", "server"),
        ("str(settings.URL)", "", "", ""),
        ("'mysql://db' if os.x else 'mysql+pymysql://db'", "mysql", "", "server"),
        ("'mysql://db' if os.x else 'sqlite://'", "", "", ""),
        ("f'{driver}://db/shop'", "", "", ""),
    ],
)
def test_what_a_url_says(expression: str, dialect: str, driver: str, place: str) -> None:
    url = engine(f"create_engine({expression})").url
    assert (url.dialect, url.driver, url.place) == (dialect, driver, place)


def test_a_url_from_the_environment_says_which_variable_replaces_it() -> None:
    assert engine("create_engine(os.getenv('DATABASE_URL', 'sqlite://'))").url.variable == "DATABASE_URL"
    assert engine("create_engine('sqlite://')").url.variable == ""


@pytest.mark.parametrize(
    ("text", "query", "whole"),
    [
        ("mysql://db/shop", set(), True),
        ("mysql://db/shop?charset=utf8mb4&connect_timeout=5", {"charset", "connect_timeout"}, True),
        (f"mysql://db/{HOLE}", set(), False),
        (f"mysql://{HOLE}@db/shop", set(), True),
        (f"mysql://db/shop?{HOLE}", set(), False),
    ],
)
def test_what_the_query_of_a_url_says(text: str, query: set[str], whole: bool) -> None:
    url = parse(text)
    assert (set(url.query), url.whole) == (query, whole)


def test_settings_are_read_from_modules_classes_and_configurations() -> None:
    one = found(
        """
        SQLALCHEMY_POOL_SIZE = 1
        class Config:
            SQLALCHEMY_DATABASE_URI = "mysql://db/shop"
            SQLALCHEMY_ENGINE_OPTIONS = {"pool_size": 5}
        class Production(Config):
            SQLALCHEMY_ECHO = False
        def configure(app):
            app.config["SQLALCHEMY_ENGINE_OPTIONS"] = {"pool_timeout": 1}
        def update(app):
            app.config.update(SQLALCHEMY_ENGINE_OPTIONS={"pool_recycle": 1})
        def map_all(app):
            app.config.from_mapping({"SQLALCHEMY_ENGINE_OPTIONS": {"max_overflow": 1}})
        class Keys:
            SQLALCHEMY_ENGINE_OPTIONS = "SQLALCHEMY_ENGINE_OPTIONS"
        def by_key(app):
            app.config[Keys.SQLALCHEMY_ENGINE_OPTIONS] = {"pool_use_lifo": True}
        """
    )
    assert [(c.owner, sorted(c.own), sorted(c.options.items)) for c in one.configs] == [
        ("", ["SQLALCHEMY_POOL_SIZE"], []),
        ("Config", ["SQLALCHEMY_DATABASE_URI", "SQLALCHEMY_ENGINE_OPTIONS"], ["pool_size"]),
        ("Production", ["SQLALCHEMY_ECHO"], ["pool_size"]),
        ("configure", ["SQLALCHEMY_ENGINE_OPTIONS"], ["pool_timeout"]),
        ("update", ["SQLALCHEMY_ENGINE_OPTIONS"], ["pool_recycle"]),
        ("map_all", ["SQLALCHEMY_ENGINE_OPTIONS"], ["max_overflow"]),
        ("by_key", ["SQLALCHEMY_ENGINE_OPTIONS"], ["pool_use_lifo"]),
    ]
    assert one.configs[2].url.dialect == "mysql"


def test_extensions_of_flask_and_where_they_meet_an_app() -> None:
    one = found(
        """
        from flask_sqlalchemy import SQLAlchemy
        from extensions import cache
        class Own(SQLAlchemy):
            def apply_pool_defaults(self, app, options): ...
        db = SQLAlchemy(engine_options={"pool_size": 3})
        own = Own()
        def create(app):
            SQLAlchemy(app)
            db.init_app(app)
            cache.init_app(app)
        """
    )
    assert [(e.name, e.bound, e.hooked, sorted(e.options.items)) for e in one.extensions] == [
        ("db", False, False, ["pool_size"]),
        ("own", False, True, []),
        ("", True, False, []),
    ]
    assert [name for _, name in one.starts] == ["shop.database.db", "extensions.cache"]


@pytest.mark.parametrize(
    ("listener", "pings"),
    [
        ("@event.listens_for(e, 'engine_connect')\ndef f(c): ...", True),
        ("@event.listens_for(e, 'checkout')\ndef f(c):\n try: ...\n except Exception: ...", True),
        ("@event.listens_for(e, 'checkout')\ndef f(c):\n try: ...\n except exc.OperationalError: ...", False),
        ("@event.listens_for(e, 'checkout')\ndef f(c): count()", False),
        ("def f(c):\n try: ...\n except OSError: ...\nevent.listen(e, 'checkout', f)", True),
        ("@event.listens_for(e, 'connect')\ndef f(c): ...", False),
    ],
)
def test_which_listeners_test_connections(listener: str, pings: bool) -> None:
    assert found(f"from sqlalchemy import event, exc\n{listener}").pings == pings


def test_alternatives_and_scripts_are_known() -> None:
    code = """
    try:
        a = create_engine("x", pool_size=1)
    except TypeError:
        a = create_engine("x")
    if __name__ == "__main__":
        b = create_engine("x")
    """
    one = found("from sqlalchemy import create_engine\n" + textwrap.dedent(code))
    assert [(e.tolerant, e.fallback, e.guarded) for e in one.engines] == [
        (True, False, False),
        (False, True, False),
        (False, False, True),
    ]


def test_a_file_without_a_word_about_engines_is_no_candidate() -> None:
    assert not is_candidate(b"import sqlalchemy\nsession.query(User)\n")
    assert is_candidate(b"SQLALCHEMY_POOL_SIZE = 5")
