"""Calls that wait for something else, or stream, while connections may be held."""

from __future__ import annotations

import ast
import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from ..known import Argument, CallFact, Entry
from .events import Happening
from .expressions.call import Call
from .expressions.selects import ENUMERATED, ZIPPED
from .functions.effects import report_wait
from .functions.generated import held_between, yields_whole
from .functions.special_methods import ask, iterator_of
from .state import BROKEN
from .summary import Answers, Wait
from .values import CONSTANT, FALSE, OBJECT, UNKNOWN, Value, constant, contained, truth

if TYPE_CHECKING:
    from .body import Body
    from .expressions.evaluate import Evaluation

SLOW_ROUNDS = 50_000
"""From so many rounds on a hash takes longer than a query: a thousand take about a millisecond (measured)."""

MOMENT = 0.001
"""Whoever sleeps for less (seconds) only lets other threads or tasks run."""

NOUGHT = constant(0)

_LISTENS = "select.select"
"""Whoever waits for what the server tells a connection (``LISTEN``) has to keep that connection."""


def wait(ev: Evaluation, fact: Any, call: Call) -> None:
    """The call waits for something: an event for every session that holds its connection meanwhile."""
    if returns_at_once(fact, call):
        return
    if fact.rounds is not None and 0 < rounds_of(ev.body, fact.rounds.of(call.node)) < SLOW_ROUNDS:
        return
    duration, literal = duration_of(fact, call)
    if fact.kind == "sleep" and duration is not None and is_moment(ev, duration):
        return
    heard = [resource for value in call.values for resource in contained(value)] if fact.name == _LISTENS else []
    name = fact.name.removesuffix(".__call__")
    report_wait(ev, Wait(fact.kind, name, literal, line=call.node.lineno), call.node, tuple(heard))


def duration_of(fact: CallFact, call: Call) -> tuple[ast.expr | None, float]:
    """The argument that says how long a call sleeps or waits at most, and the seconds; see :func:`literal_seconds`."""
    argument = fact.seconds or fact.timeout or fact.milliseconds
    duration = argument.of(call.node) if argument is not None else None
    if fact.endless and (duration is None or is_nought(duration)):
        return duration, math.inf
    return duration, literal_seconds(duration) / (1000 if argument is fact.milliseconds else 1)


def is_nought(written: ast.expr | None) -> bool:
    return isinstance(written, ast.Constant) and type(written.value) in (int, float) and not written.value


def rounds_of(body: Body, argument: ast.expr | None) -> float:
    """How often a hash is computed, in rounds of SHA-256; 0 where nobody says so.

    The cost of bcrypt is a power of two: the eighth takes about as long as fifty thousand rounds (measured).
    """
    match argument:
        case (
            ast.Call(func=ast.Attribute(attr="gensalt") | ast.Name(id="gensalt"), args=[cost])
            | ast.Call(
                func=ast.Attribute(attr="gensalt") | ast.Name(id="gensalt"),
                args=[],
                keywords=[ast.keyword(arg="rounds", value=cost)],
            )
        ):
            cost = body.defaults.get(cost.id, cost) if isinstance(cost, ast.Name) else cost
            power = literal_seconds(cost)
            return float(200 * 2**power) if power else 0.0
    return literal_seconds(argument)


def is_moment(ev: Evaluation, duration: ast.expr) -> bool:
    """Whether a sleep only lets others run: ``sleep(0)``, less than a millisecond, or nought where nobody sets it."""
    if isinstance(duration, ast.Constant) and not isinstance(duration.value, bool):
        return literal_seconds(duration) < MOMENT
    return is_nought_by_default(ev.body, duration)


def is_nought_by_default(body: Body, number: ast.expr) -> bool:
    """``config.get("DELAY", 0) / 1000``, ``float(os.getenv("DELAY", "0"))``, or a name that is only bound to such."""
    number = without_arithmetic(number)
    if not isinstance(number, ast.Name):
        return is_setting_of_nought(number)
    given = [value for target, value in body.assigned() if isinstance(target, ast.Name) and target.id == number.id]
    return bool(given) and all(is_setting_of_nought(without_arithmetic(value)) for value in given)


def without_arithmetic(number: ast.expr) -> ast.expr:
    """What is nought as long as ``number`` is: ``x`` of ``int(x) * 60``."""
    match number:
        case ast.BinOp(left=left, op=ast.Mult() | ast.Div()):
            return without_arithmetic(left)
        case ast.Call(func=ast.Name(id="int" | "float"), args=[inner]):
            return without_arithmetic(inner)
    return number


def is_setting_of_nought(value: ast.expr) -> bool:
    match value:
        case ast.Call(func=ast.Attribute(attr="get" | "getenv"), args=[_, ast.Constant(value=default)]):
            return default in (0, "0", "0.0")
    return False


def returns_at_once(fact: CallFact, call: Call) -> bool:
    """Whether an argument says so: ``block=False``, the one without which nothing is waited for is left out, or text
    that is there already stands where an address may."""
    if fact.unless is not None and given(fact.unless, call) in (FALSE, NOUGHT):
        return True
    if fact.address is not None and is_content(fact.address.of(call.node)):
        return True
    if fact.when is None or (fact.endless and is_nought(fact.when.of(call.node))):
        return False
    needed = given(fact.when, call)
    return needed is None or (needed.kind == CONSTANT and not truth(needed))


def is_content(written: ast.expr | None) -> bool:
    """``answer.content``, ``file.read()``: what is there already."""
    match written:
        case ast.Attribute(attr="body" | "content" | "data" | "text"):
            return True
        case ast.Call(func=ast.Attribute(attr="decode" | "encode" | "getvalue" | "read")):
            return True
    return False


def given(argument: Argument, call: Call) -> Value | None:
    """What stands for an argument, wherever it comes from; None where it is left out or hidden behind a star."""
    written = argument.of(call.node)
    if isinstance(written, ast.Constant):
        return constant(written.value)
    if argument.keyword in call.keywords:
        return call.keywords[argument.keyword]
    is_hidden = any(isinstance(each, ast.Starred) for each in call.node.args)
    is_there = 0 <= argument.position < len(call.positional) and not is_hidden
    return call.positional[argument.position] if is_there else None


def literal_seconds(duration: ast.expr | None) -> float:
    """The seconds that an argument says; ``inf`` for ``float("inf")`` and ``math.inf``, 0.0 where it does not tell."""
    match duration:
        case ast.Constant(value=bool()):
            return 0.0
        case ast.Constant(value=int() | float() as seconds):
            return float(seconds)
        case ast.Call(func=ast.Name(id="float"), args=[ast.Constant(value=str() as text)]) if text in (
            "inf",
            "Infinity",
        ):
            return math.inf
        case ast.Attribute(value=ast.Name(id="math"), attr="inf"):
            return math.inf
    return 0.0


def only_names(call: Call) -> bool:
    """``gather(*tasks)``: tasks that were made elsewhere."""
    inner = [a.value if isinstance(a, ast.Starred) else a for a in call.node.args]
    return (
        bool(inner) and all(isinstance(a, ast.Name) for a in inner) and not any(contained(v) for v in call.positional)
    )


def wait_for_next(ev: Evaluation, iterated: Value, node: ast.expr) -> None:
    """``for message in consumer``: each turn waits for the next one."""
    for source in gone_through(iterated):
        for method_name in ("__next__", "__iter__", "__anext__", "__aiter__"):
            fact = ev.world.known.call(f"{source.name}.{method_name}")
            if fact is not None and fact.kind:
                made = node if isinstance(node, ast.Call) and is_of(source, node) else ast.Call(node, [], [])
                _, length = duration_of(fact, Call(made, (), {}))
                report_wait(ev, Wait(fact.kind, source.name, length, line=node.lineno), node)
                return
        ask(ev, source, node, "__next__", "__anext__")


def is_of(source: Value, call: ast.Call) -> bool:
    """Whether the call is the one that gives what is gone through: ``channel.consume(…)``."""
    return isinstance(call.func, ast.Attribute) and source.name.endswith(f".{call.func.attr}")


def gone_through(iterated: Value) -> Iterator[Value]:
    """The objects that give the items: the consumer of ``enumerate(consumer)``."""
    if iterated.kind == OBJECT:
        yield iterated
    for each in iterated.extra if iterated.kind in (ENUMERATED, ZIPPED) else ():
        yield from gone_through(each)


def wait_for_each(ev: Evaluation, iterated: Value, node: ast.expr) -> Value:
    """``list(pool.map(work, names))``: one item of what is gone through at once, which waits for all of them."""
    iterated = iterator_of(ev, iterated, node)
    item = ev.item_of(iterated, node)
    wait_for_next(ev, iterated, node)
    return UNKNOWN if iterated.kind == OBJECT else item


def wait_to_enter(ev: Evaluation, value: Value, node: ast.expr, is_async: bool) -> Value | None:
    """``with lock:`` waits; what it binds, where that is known."""
    fact = ev.world.known.call(f"{value.name}.{'__aenter__' if is_async else '__enter__'}")
    if fact is not None and fact.kind:
        for resource in ev.now.held():  # callers do not hear of it: a lock inside a function is short
            ev.now.event(Happening.WAITED, node, resource, Wait(fact.kind, value.name, line=node.lineno))
    return Value(OBJECT, fact.makes) if fact is not None and fact.makes else None


def wait_to_leave(ev: Evaluation, value: Value, node: ast.expr) -> None:
    """``with ThreadPoolExecutor() as pool:`` ends when all that was submitted has ended."""
    fact = ev.world.known.call(f"{value.name}.__exit__")
    if fact is not None and fact.kind:
        report_wait(ev, Wait(fact.kind, fact.name, line=node.lineno), node)


STREAMING_RESPONSES = frozenset(
    {"starlette.responses.StreamingResponse", "fastapi.responses.StreamingResponse", "flask.stream_with_context"}
    | {"sse_starlette.sse.EventSourceResponse", "sse_starlette.EventSourceResponse", "flask.Response"}
    | {"fastapi.sse.EventSourceResponse", "quart.Response", "werkzeug.Response", "werkzeug.wrappers.Response"}
)


_FINISHED = frozenset({"iter", "list", "BytesIO", "StringIO", "getvalue", "open", "dumps"})


def stream(ev: Evaluation, name: str, call: Call) -> None:
    """A response that is produced while it is sent."""
    if call.node.args:
        stream_content(ev, name, call.node, call.node.args[0], call.positional[0])
    for keyword in call.node.keywords:
        if keyword.arg == "content" and not call.node.args:
            stream_content(ev, name, call.node, keyword.value, call.keywords["content"])


def stream_content(ev: Evaluation, name: str, node: ast.Call, content: ast.expr, value: Value) -> None:
    """The content of a response: what a function is given for it, its callers stream, if anybody."""
    is_given = isinstance(content, ast.Name) and any(p.arg == content.id for p in ev.body.parameters)
    if isinstance(content, ast.Name) and is_given and value.kind not in _PRODUCED:
        ev.scope.answers.setdefault(content.id, name)
    elif is_produced(content, value, name.endswith(".Response")) and not yields_whole(ev, value):
        answer(ev, name, node, value)


def stream_as_inside(ev: Evaluation, answers: Answers, call: Call, given: dict[str, tuple[ast.expr, Value]]) -> None:
    """A call of a function that makes a streaming response, of its own or of something that it is ``given``."""
    for parameter, name in answers:
        if not parameter:
            answer(ev, name, call.node, UNKNOWN)
        elif parameter in given:
            stream_content(ev, name, call.node, *given[parameter])


def answer(ev: Evaluation, name: str, node: ast.Call, content: Value) -> None:
    """The response is made: what is held now stays held until the client has it all.

    Not said of what is held since a statement failed: on the way without a failure it may have been given back.
    """
    ev.scope.answers.setdefault("", name)
    if content.kind == "generated" and content.name:
        ev.scope.registered.append((content.name, Entry(name, "stream")))
    ev.now.event(Happening.ANSWERED, node, None, name)
    for resource in ev.now.held():
        if not ev.now.life(resource).marks & BROKEN:
            ev.now.event(Happening.STREAMED, node, resource, name)
    for resource in held_between(ev, content):
        ev.now.event(Happening.STREAMED_LATER, node, resource, content.name)


_PRODUCED = ("generated", "generator")


def is_produced(argument: ast.expr, value: Value, plain: bool) -> bool:
    """Whether the content is a generator; a plain response streams only what is known to be one."""
    if value.kind in _PRODUCED or isinstance(argument, ast.GeneratorExp):
        return True
    return not plain and isinstance(argument, ast.Call) and not is_finished(argument)


def is_finished(content: ast.expr) -> bool:
    """Whether all of the content is there before it is sent: ``iter([text])``, ``StringIO(text)``."""
    function = content.func if isinstance(content, ast.Call) else None
    last = getattr(function, "attr", "") or getattr(function, "id", "")
    return last in _FINISHED
