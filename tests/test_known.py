"""The shipped knowledge: what is said of libraries is true, complete where it can be, and found by every name."""

from __future__ import annotations

import ast
import importlib
import inspect
import sys
from collections.abc import Iterator
from typing import Any

import pytest
import tomli

from flake8_dbsession.known import DATA, Argument, Known, load
from flake8_dbsession.known.words import CallFact

KEYS = {"sleep", "network", "wait", "hash", "quiet", "deep", "what", "also", "extends", "makes"}
KEYS |= {"awaited", "endless", "lazily", "plain"}
ARGUMENTS = {"seconds", "timeout", "milliseconds", "unless", "when", "rounds", "address"}
NOT_EVERYWHERE = (
    "telnetlib",
    "asyncio.Barrier",
    "asyncio.Runner",
    "asyncio.TaskGroup",
    "select.epoll",
    "select.kqueue",
)
"""Names of the standard library that some supported Python or system does not have."""


def themes() -> dict[str, dict[str, Any]]:
    return {file.stem: tomli.loads(file.read_text("utf-8")) for file in sorted((DATA / "calls").glob("*.toml"))}


def receivers() -> Iterator[tuple[str, dict[str, Any]]]:
    for tables in themes().values():
        yield from tables.items()


def resolve(qualified: str) -> Any:
    """The object that a dotted name means; raises ImportError or AttributeError."""
    parts = qualified.split(".")
    for cut in range(len(parts), 0, -1):
        try:
            found: Any = importlib.import_module(".".join(parts[:cut]))
        except ModuleNotFoundError:
            continue
        for part in parts[cut:]:
            found = getattr(found, part)
        return found
    raise ImportError(qualified)


def is_standard(qualified: str) -> bool:
    package = qualified.partition(".")[0]
    return package in sys.stdlib_module_names and "(" not in qualified and not qualified.startswith(NOT_EVERYWHERE)


STANDARD = {name: table for name, table in receivers() if is_standard(name)}


@pytest.fixture(scope="module")
def known() -> Known:
    return load()


class TestCalls:
    @pytest.mark.parametrize(
        ("name", "kind"),
        [
            ("time.sleep", "sleep"),
            ("asyncio.sleep", "sleep"),
            ("gevent.sleep", "sleep"),
            ("eventlet.greenthread.sleep", "sleep"),
            ("flask_socketio.SocketIO.sleep", "sleep"),
            ("requests.get", "network"),
            ("requests.sessions.Session.post", "network"),
            ("httpx.AsyncClient.get", "network"),
            ("aiohttp.client.ClientSession.get", "network"),
            ("urllib.request.urlopen", "network"),
            ("smtplib.SMTP", "network"),
            ("smtplib.SMTP_SSL.sendmail", "network"),
            ("openai.OpenAI.chat.completions.create", "network"),
            ("openai.AzureOpenAI.beta.chat.completions.parse", "network"),
            ("anthropic.AsyncAnthropic.messages.create", "network"),
            ("stripe.Charge.create", "network"),
            ("stripe.checkout.Session.create", "network"),
            ("boto3.client().put_object", "network"),
            ("mypy_boto3_s3.client.S3Client.upload_file", "network"),
            ("google.cloud.vision.ImageAnnotatorClient.label_detection", "network"),
            ("shop.api.orders_pb2_grpc.OrdersStub.Place", "network"),
            ("elasticsearch.Elasticsearch.indices.refresh", "network"),
            ("paramiko.SSHClient.exec_command", "network"),
            ("redis.StrictRedis.blpop", "wait"),
            ("queue.PriorityQueue.get", "wait"),
            ("threading.RLock.__enter__", "wait"),
            ("threading.Timer.join", "wait"),
            ("concurrent.futures.ThreadPoolExecutor.__exit__", "wait"),
            ("subprocess.run", "wait"),
            ("builtins.input", "wait"),
            ("pika.BlockingConnection.process_data_events", "wait"),
            ("kafka.KafkaConsumer.__iter__", "wait"),
            ("selenium.webdriver.Firefox.get", "wait"),
            ("playwright.sync_api.Page.goto", "wait"),
            ("celery.result.AsyncResult.get", "wait"),
            ("bcrypt.hashpw", "hash"),
            ("werkzeug.security.generate_password_hash", "hash"),
        ],
    )
    def test_waits(self, known: Known, name: str, kind: str) -> None:
        fact = known.call(name)
        assert fact is not None
        assert fact.kind == kind

    @pytest.mark.parametrize(
        "name",
        [
            "requests.Session.mount",
            "requests.Session",
            "openai.OpenAI.close",
            "boto3.client().generate_presigned_url",
            "boto3.client",
            "redis.Redis.get",
            "queue.Queue.put",
            "queue.Queue.get_nowait",
            "threading.Thread.start",
            "celery.Celery.send_task",
            "celery.Task.delay",
            "logging.Logger.info",
            "smtplib.SMTP.__enter__",
            "playwright.sync_api.Page.locator",
            "shop.models.Order.get",
            "get",
        ],
    )
    def test_does_not_wait(self, known: Known, name: str) -> None:
        assert (known.call(name) or CallFact(name)).kind == ""

    @pytest.mark.parametrize(
        ("name", "made"),
        [
            ("requests.session", "requests.Session"),
            ("requests.Session.__enter__", "requests.Session"),
            ("boto3.session.Session.client", "boto3.client()"),
            ("redis.from_url", "redis.Redis"),
            ("redis.StrictRedis.pubsub", "redis.client.PubSub"),
            ("concurrent.futures.ThreadPoolExecutor.submit", "concurrent.futures.Future"),
            ("playwright.sync_api.Playwright.chromium.launch", "playwright.sync_api.Browser"),
            ("docker.from_env", "docker.DockerClient"),
            ("logging.getLogger", "logging.Logger"),
            ("multiprocessing.get_context", "multiprocessing"),
            ("googleapiclient.discovery.Resource.files", "googleapiclient.discovery.Resource"),
        ],
    )
    def test_makes(self, known: Known, name: str, made: str) -> None:
        fact = known.call(name)
        assert fact is not None
        assert fact.makes == made

    def test_arguments(self, known: Known) -> None:
        pop, get, read = (known.call(n) for n in ("redis.Redis.blpop", "queue.Queue.get", "redis.Redis.xread"))
        assert pop and get and read
        assert pop.timeout == Argument(1, "timeout")
        assert get.unless == Argument(0, "block")
        assert read.when == Argument(2, "block")

    def test_awaited(self, known: Known) -> None:
        names = ("asyncio.sleep", "httpx.AsyncClient.get", "asyncio.run", "httpx.Client.get")
        assert [fact.awaited for fact in map(known.call, names) if fact] == [True, True, False, False]

    def test_only_the_themes_that_are_asked_for_are_read(self, monkeypatch: pytest.MonkeyPatch) -> None:
        read: list[str] = []
        whole = Known._read
        monkeypatch.setattr(Known, "_read", lambda self, name: (read.append(name), whole(self, name))[1])
        fresh = Known()
        fresh.call("shop.billing.charge")
        assert read == ["packages"]
        fresh.call("time.sleep")
        assert read == ["packages", "calls/clock"]


class TestTables:
    def test_every_key_is_one_that_is_read(self) -> None:
        assert not {(name, key) for name, table in receivers() for key in table if key not in KEYS | ARGUMENTS}

    def test_no_receiver_stands_twice(self) -> None:
        names = [n for name, table in receivers() for n in (name, *table.get("also", "").split())]
        assert sorted(names) == sorted(set(names))

    def test_no_member_is_of_two_kinds(self) -> None:
        for name, table in receivers():
            members = [m for kind in ("sleep", "network", "wait", "hash", "quiet") for m in table.get(kind, "").split()]
            assert sorted(members) == sorted(set(members)), name

    def test_every_reference_leads_somewhere(self, known: Known) -> None:
        for name, table in receivers():
            for other in (*table.get("makes", {}), *filter(None, [table.get("extends")])):
                assert known.receiver(other) is not None, f"{name} -> {other}"

    def test_packages_name_the_theme_of_every_receiver(self) -> None:
        packages = tomli.loads((DATA / "packages.toml").read_text("utf-8"))
        assert packages.keys() == themes().keys()
        for theme, tables in themes().items():
            listed = set(packages[theme].split())
            begun = {n.partition(".")[0] for name, t in tables.items() for n in (name, *t.get("also", "").split())}
            assert begun - listed <= {name.partition(".")[0] for name in tables if "*" in name.partition(".")[0]}, theme
            assert {package for package in listed - begun if "*" not in package} == set(), theme

    @pytest.mark.parametrize("name", STANDARD)
    def test_the_standard_library_has_the_members(self, name: str) -> None:
        table = STANDARD[name]
        owner = resolve(name)
        if inspect.isroutine(owner):
            owner = owner()  # such as threading.Lock
        members = [m for kind in ("sleep", "network", "wait", "hash") for m in table.get(kind, "").split()]
        missing = [m for m in members if m != "*" and not hasattr(owner, m)]
        assert not [m for m in missing if not f"{name}.{m}".startswith(NOT_EVERYWHERE)]
        for other in table.get("also", "").split():
            if is_standard(other):
                resolve(other)

    def test_the_standard_library_takes_the_arguments(self, known: Known) -> None:
        checked = 0
        for name, table in STANDARD.items():
            for member in (m for kind in ("sleep", "network", "wait") for m in table.get(kind, "").split()):
                fact = known.call(f"{name}.{member}")
                try:
                    function = resolve(f"{name}.{member}")
                    signature = inspect.signature(function)
                except (AttributeError, ImportError, TypeError, ValueError):
                    continue
                assert fact is not None
                for argument in (fact.seconds, fact.timeout, fact.unless, fact.when):
                    if argument is not None:
                        checked += accepts(signature, argument, f"{name}.{member}")
        assert checked > 20


def accepts(signature: inspect.Signature, argument: Argument, name: str) -> bool:
    """Asserts that a call with that signature takes the argument where it is said to stand."""
    parameters = [p for p in signature.parameters.values() if p.name != "self"]
    names = [p.name for p in parameters]
    if any(p.kind is p.VAR_POSITIONAL for p in parameters) or (argument.keyword and argument.keyword not in names):
        assert any(p.kind in (p.VAR_KEYWORD, p.VAR_POSITIONAL) for p in parameters), f"{name}: {argument}"
        return False
    if argument.position >= 0 and argument.keyword:
        assert names[argument.position] == argument.keyword, f"{name}: {argument} of {names}"
    else:
        assert argument.position < len(names), f"{name}: {argument} of {names}"
    return True


class TestArgument:
    @pytest.mark.parametrize(
        ("text", "call", "found"),
        [
            ("1:timeout", "f(a, 5)", "5"),
            ("1:timeout", "f(a, timeout=5)", "5"),
            ("1:timeout", "f(a)", None),
            ("1:timeout", "f(*a, 5)", None),
            ("0", "f(5)", "5"),
            ("timeout", "f(1, 2)", None),
            ("timeout", "f(1, **options)", None),
        ],
    )
    def test_of(self, text: str, call: str, found: str | None) -> None:
        argument = Argument.read(text)
        node = ast.parse(call, mode="eval").body
        assert argument is not None and isinstance(node, ast.Call)
        expression = argument.of(node)
        assert (None if expression is None else ast.unparse(expression)) == found

    def test_nothing(self) -> None:
        assert Argument.read("") is None


class TestEntries:
    @pytest.mark.parametrize(
        ("name", "kind", "cleans"),
        [
            ("flask.Flask.route", "request", True),
            ("flask.blueprints.Blueprint.get", "request", True),
            ("flask.app.Flask.cli.command", "command", True),
            ("flask.Flask.teardown_appcontext", "teardown", False),
            ("flask_socketio.SocketIO.on", "socket", True),
            ("fastapi.routing.APIRouter.post", "request", False),
            ("fastapi.FastAPI.websocket", "socket", False),
            ("celery.shared_task", "task", False),
            ("celery.Celery.task", "task", False),
            ("celery.signals.task_postrun.connect", "teardown", False),
            ("dramatiq.actor", "task", False),
            ("huey.RedisHuey.periodic_task", "task", False),
            ("rq.decorators.job", "task", False),
            ("apscheduler.schedulers.background.BackgroundScheduler.scheduled_job", "scheduler", False),
            ("click.command", "command", False),
            ("typer.Typer.command", "command", False),
            ("pytest.fixture", "test", False),
        ],
    )
    def test_decorators(self, known: Known, name: str, kind: str, cleans: bool) -> None:
        entry = known.decorator(name)
        assert entry is not None
        assert (entry.kind, entry.cleans_flask_sqlalchemy) == (kind, cleans)

    @pytest.mark.parametrize("name", ["flask.Flask.run", "functools.wraps", "shop.tasks.task", "fastapi.Depends"])
    def test_other_decorators(self, known: Known, name: str) -> None:
        assert known.decorator(name) is None

    @pytest.mark.parametrize(
        ("base", "method", "kind"),
        [
            ("threading.Thread", "run", "thread"),
            ("celery.app.task.Task", "run", "task"),
            ("flask.views.MethodView", "post", "request"),
            ("flask_socketio.Namespace", "on_connect", "socket"),
            ("tornado.web.RequestHandler", "get", "request"),
            ("socketserver.BaseRequestHandler", "handle", "socket"),
            ("shop_pb2_grpc.OrdersServicer", "Place", "request"),
            ("unittest.TestCase", "test_orders", "test"),
        ],
    )
    def test_methods(self, known: Known, base: str, method: str, kind: str) -> None:
        entry = known.method(base, method)
        assert entry is not None
        assert entry.kind == kind

    def test_settings(self, known: Known) -> None:
        fact = known.setting("paho.mqtt.client.Client.on_message")
        assert fact is not None
        assert fact.entry.kind == "consumer"
        assert known.setting("paho.mqtt.client.Client.publish") is None

    @pytest.mark.parametrize(
        ("base", "method"), [("threading.Thread", "stop"), ("shop_pb2_grpc.OrdersServicer", "_lock"), ("object", "run")]
    )
    def test_other_methods(self, known: Known, base: str, method: str) -> None:
        assert known.method(base, method) is None

    @pytest.mark.parametrize(
        ("name", "callable_", "runs"),
        [
            ("threading.Thread", "1:target", "thread"),
            ("threading.Timer", "1:function", "thread"),
            ("concurrent.futures.ThreadPoolExecutor.submit", "0", "thread"),
            ("concurrent.futures.ProcessPoolExecutor.submit", "0", "process"),
            ("multiprocessing.pool.Pool.map", "0:func", "process"),
            ("multiprocessing.pool.ThreadPool.map", "0:func", "thread"),
            ("asyncio.create_task", "0:coro", "task"),
            ("asyncio.run", "0:main", ""),
            ("fastapi.background.BackgroundTasks.add_task", "0:func", "later"),
            ("apscheduler.schedulers.background.BackgroundScheduler.add_job", "0:func", "thread"),
            ("schedule.Job.minutes.do", "0:job_func", "later"),
            ("pika.channel.Channel.basic_consume", "1:on_message_callback", ""),
            ("gevent.spawn", "0", "greenlet"),
            ("atexit.register", "0:func", "later"),
        ],
    )
    def test_handovers(self, known: Known, name: str, callable_: str, runs: str) -> None:
        handover = known.handover(name)
        assert handover is not None
        assert (handover.callable, handover.entry.runs) == (Argument.read(callable_), runs)

    def test_who_waits_for_what_is_handed_over(self, known: Known) -> None:
        names = ("asyncio.to_thread", "asyncio.gather", "asyncio.create_task", "concurrent.futures.Executor.submit")
        assert [handover.inline for handover in map(known.handover, names) if handover] == [True, True, False, False]

    def test_the_standard_library_takes_the_callables(self, known: Known) -> None:
        table = tomli.loads((DATA / "entries.toml").read_text("utf-8"))
        names = [name for entry in table["entry"] for name in entry.get("calls", {}) if is_standard(name)]
        checked = 0
        for name in names:
            handover = known.handover(name)
            assert handover is not None
            try:
                signature = inspect.signature(resolve(name))
            except (AttributeError, TypeError, ValueError):
                continue
            for argument in (handover.callable, handover.args, handover.kwargs, handover.each):
                if argument is not None:
                    checked += accepts(signature, argument, name)
        assert checked > 20

    @pytest.mark.parametrize(
        ("receiver", "attribute", "kind"),
        [
            ("users_bp", "post", "request"),
            ("anything", "route", "request"),
            ("router", "get", "request"),
            ("celery_app", "task", "task"),
            ("anything", "scheduled_job", "scheduler"),
            ("client", "get", None),
            ("workflow", "task", None),
            ("bot", "command", "bot"),
            ("reports", "command", "command"),
        ],
    )
    def test_conventions(self, known: Known, receiver: str, attribute: str, kind: str | None) -> None:
        entry = known.decorator_by_convention(receiver, attribute)
        assert (entry.kind if entry else None) == kind

    @pytest.mark.parametrize(
        ("parameters", "name", "kind"),
        [
            (["event", "context"], "lambda_handler", "request"),
            (["event", "context"], "order_handler", "request"),
            (["event", "context"], "order_of", None),
            (["event"], "lambda_handler", None),
            (["req", "resp", "number"], "on_get", "request"),
            (["resp", "req"], "on_get", None),
        ],
    )
    def test_functions(self, known: Known, parameters: list[str], name: str, kind: str | None) -> None:
        entry = known.function(parameters, name)
        assert (entry.kind if entry else None) == kind

    @pytest.mark.parametrize(
        ("version", "scope", "when"),
        [
            ("0.95.2", "", "after-response"),
            ("0.105.0", "", "after-response"),
            ("0.106.0", "", "before-response"),
            ("0.117.1", "", "before-response"),
            ("0.118.0", "", "after-response"),
            ("0.165.0", "", "after-response"),
            ("0.165.0", "function", "before-response"),
            ("0.165.0", "request", "after-response"),
            ("1.0.0rc1", "", "after-response"),
            ("", "", "after-response"),
        ],
    )
    def test_dependency_exit(self, known: Known, version: str, scope: str, when: str) -> None:
        assert known.dependency_exit(version, scope) == when


SQLALCHEMY_TYPES = [
    "AsyncConnection",
    "AsyncEngine",
    "AsyncResult",
    "AsyncSession",
    "Connection",
    "CursorResult",
    "Engine",
    "Query",
    "Result",
    "Session",
    "async_scoped_session",
    "async_sessionmaker",
    "scoped_session",
    "sessionmaker",
]


class TestEffects:
    @pytest.mark.parametrize(
        ("type_name", "method", "word", "flags"),
        [
            ("Session", "execute", "checkout", ""),
            ("Session", "query", "creates", "lazy"),
            ("Session", "add", "neutral", "begins"),
            ("Session", "begin", "neutral", "begins raises_if_begun"),
            ("Session", "flush", "checkout", "conditional transient"),
            ("Session", "commit", "release", "transient expires"),
            ("Session", "rollback", "release", "expires"),
            ("Session", "close", "dispose", "detaches"),
            ("scoped_session", "remove", "dispose", "detaches"),
            ("AsyncSession", "execute", "checkout", "awaitable"),
            ("AsyncSession", "close", "dispose", "awaitable detaches"),
            ("async_scoped_session", "remove", "dispose", "awaitable detaches"),
            ("Connection", "commit", "neutral", "ends"),
            ("Connection", "close", "dispose", "ends"),
            ("Connection", "invalidate", "release", "ends"),
            ("Engine", "connect", "checkout", ""),
            ("Engine", "begin", "creates", "lazy"),
            ("AsyncEngine", "connect", "creates", "lazy"),
            ("Engine", "dispose", "dispose", ""),
            ("sessionmaker", "__call__", "creates", ""),
            ("Query", "filter", "neutral", "lazy"),
            ("Query", "first", "checkout", ""),
            ("Result", "close", "neutral", "consumes"),
            ("Transaction", "rollback", "neutral", "ends"),
            ("SessionTransaction", "commit", "release", "expires"),
            ("PoolProxiedConnection", "close", "dispose", ""),
            ("sqlmodel.Session", "exec", "checkout", ""),
            ("sqlmodel.Session", "commit", "release", "transient expires"),
            ("flask_sqlalchemy.Query", "paginate", "checkout", ""),
            ("flask_sqlalchemy.SQLAlchemy", "create_all", "neutral", "transient"),
        ],
    )
    def test_effect(self, known: Known, type_name: str, method: str, word: str, flags: str) -> None:
        effect = known.effect(type_name, method)
        assert effect is not None
        assert effect.word == word
        assert {flag for flag, value in effect._asdict().items() if value is True} == set(flags.split())

    def test_unknown_methods(self, known: Known) -> None:
        assert known.effect("Session", "soft_delete") is None
        assert known.effect("Nothing", "commit") is None

    @pytest.mark.parametrize(
        ("type_name", "method", "returns"),
        [
            ("Session", "query", "Query"),
            ("Query", "filter_by", "Query"),
            ("Engine", "connect", "Connection"),
            ("Engine", "begin", "Connection"),
            ("sessionmaker", "begin", "Session"),
            ("sqlmodel.Session", "query", "Query"),
            ("AsyncSession", "stream", "AsyncResult"),
            ("Session", "commit", ""),
        ],
    )
    def test_returns(self, known: Known, type_name: str, method: str, returns: str) -> None:
        effect = known.effect(type_name, method)
        assert effect is not None
        assert effect.returns == returns

    @pytest.mark.parametrize("type_name", SQLALCHEMY_TYPES)
    def test_no_public_method_is_missing(self, known: Known, type_name: str) -> None:
        owner = resolve(names_of(type_name)[0])
        public = {name for name in dir(owner) if not name.startswith("_")}
        assert public - known.methods(type_name) == set()

    @pytest.mark.parametrize("type_name", SQLALCHEMY_TYPES)
    def test_every_import_path_means_the_type(self, known: Known, type_name: str) -> None:
        owner = resolve(names_of(type_name)[0])
        for name in names_of(type_name):
            assert known.sqlalchemy_type(name) == type_name
        assert known.sqlalchemy_type(f"{owner.__module__}.{owner.__qualname__}") == type_name

    def test_names_that_are_no_types_of_sqlalchemy(self, known: Known) -> None:
        assert known.sqlalchemy_type("requests.Session") is None
        assert known.sqlalchemy_type("sqlalchemy.orm.relationship") is None

    def test_every_type_that_is_returned_has_effects(self, known: Known) -> None:
        table = tomli.loads((DATA / "sqlalchemy.toml").read_text("utf-8"))
        returned = {name for effects in table["effects"].values() for name in effects.get("returns", {})}
        assert not [name for name in returned if not known.methods(name) and name != "DeclarativeBase"]

    def test_no_method_stands_in_two_lists(self) -> None:
        table = tomli.loads((DATA / "sqlalchemy.toml").read_text("utf-8"))
        for type_name, effects in table["effects"].items():
            words = ("creates", "checkout", "release", "dispose", "neutral")
            methods = [method for word in words for method in effects.get(word, "").split()]
            assert sorted(methods) == sorted(set(methods)), type_name


def names_of(type_name: str) -> list[str]:
    """The dotted names of a type that the tables give, the usual one first."""
    table = tomli.loads((DATA / "sqlalchemy.toml").read_text("utf-8"))
    names: list[str] = table["names"][type_name].split()
    return names


class TestConventions:
    @pytest.mark.parametrize(
        ("name", "expected"),
        [
            ("builtins.print", True),
            ("builtins.len", True),
            ("builtins.int", False),
            ("builtins.list", False),
            ("time.time", True),
            ("time.sleep", False),
            ("datetime.datetime.now", True),
            ("logging.info", True),
            ("logging.Logger.exception", True),
            ("loguru.logger.info", True),
            ("flask.app.Flask.logger.warning", True),
            ("requests.get", False),
            ("shop.models.Order", False),
        ],
    )
    def test_never_raises(self, known: Known, name: str, expected: bool) -> None:
        assert known.never_raises(name) is expected

    @pytest.mark.parametrize(
        ("name", "expected"),
        [
            ("requests.Session", True),
            ("flask.session", True),
            ("boto3.session.Session", True),
            ("cassandra.cluster.Session", True),
            ("onnxruntime.InferenceSession", True),
            ("keystoneauth1.session.Session", True),
            ("requestslib.Session", False),
            ("flask.sessions", False),
            ("sqlalchemy.orm.Session", False),
            ("shop.db.SessionLocal", False),
        ],
    )
    def test_look_alikes(self, known: Known, name: str, expected: bool) -> None:
        assert known.is_look_alike(name) is expected

    def test_names_of_classes_that_others_have_too_are_no_factories(self, known: Known) -> None:
        assert "SessionLocal" in known.conventions.factories
        assert "Session" not in known.conventions.factories

    @pytest.mark.parametrize(
        ("path", "kind"),
        [
            ("alembic/env.py", "migration"),
            ("shop/migrations/versions/0001_start.py", "migration"),
            ("shop/api/versions/v1.py", ""),
            ("tests/shop/helpers.py", "test"),
            ("shop/test_orders.py", "test"),
            ("shop/test_bench/main.py", ""),
            ("shop\\tests\\orders.py", "test"),
            ("scripts/fill.py", "command"),
            ("shop/scripts.py", ""),
            ("setup.py", "command"),
            ("vendor/six.py", "vendored"),
            ("shop/main.py", ""),
        ],
    )
    def test_paths(self, known: Known, path: str, kind: str) -> None:
        assert known.script_kind(path) == kind
