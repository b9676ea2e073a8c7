"""Loops: what is gone through, each turn, and how it ends."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from ...flow.graph import Node, Via
from ..events import Happening
from ..expressions.selects import ENUMERATED, STREAMED
from ..functions.generated import begin_turns, drop_turns, end_turns, hold_in_turns, wait_between
from ..functions.special_methods import iterator_of
from ..moment import Moment
from ..state import CUT, HELD, IDLE, STORED, STREAMING, State
from ..values import OBJECT, SESSION, UNKNOWN
from ..waiting import gone_through, wait_for_next
from .common import Out, slot

if TYPE_CHECKING:
    from ..transfer import Transfer


def iterate(transfer: Transfer, node: Node, state: State) -> Out:
    """What a ``for`` goes through is evaluated; what the turns get stands in the slot of the loop."""
    loop = node.syntax
    assert isinstance(loop, (ast.For, ast.AsyncFor))
    ev = transfer.evaluation(state)
    if isinstance(loop, ast.AsyncFor):
        ev.awaited = loop.iter
    value = iterator_of(ev, ev.value(loop.iter), loop.iter, isinstance(loop, ast.AsyncFor))
    if value.kind == "generated":
        ev.now.names[f"{slot(loop)} end"] = begin_turns(ev, value, loop.iter)
        ev.now.names[f"{slot(loop)} own"] = hold_in_turns(ev, value, loop)
        ev.now.names[f"{slot(loop)} turns"] = value
    item = ev.item_of(value, loop.iter) if value.kind != "generated" else UNKNOWN
    if item.kind == SESSION and item.resource is not None:
        ev.now.open(item.resource, loop.iter, HELD if item.resource.is_connection else IDLE)
        ev.now.mark(item.resource, STORED)
    ev.now.names[slot(loop)] = item
    if any(True for _ in gone_through(value)):
        ev.now.names[f"{slot(loop)} source"] = value
    stream = value.extra[0] if value.kind == ENUMERATED and value.extra else value
    if STREAMED in stream.extra and stream.resource is not None:
        ev.now.names[f"{slot(loop)} rows"] = stream
        ev.now.unmark(stream.resource, CUT)
        ev.now.mark(stream.resource, STREAMING)
    yield from transfer.outcome(ev, Via.NEXT)


def next_turn(transfer: Transfer, node: Node, state: State) -> Out:
    """One more item, or the end of the loop."""
    loop = node.syntax
    assert isinstance(loop, (ast.For, ast.AsyncFor))
    ev = transfer.evaluation(state)
    item = ev.now.names.get(slot(loop), UNKNOWN)
    source = ev.now.names.get(f"{slot(loop)} source", UNKNOWN)
    wait_for_next(ev, source, loop.iter)
    wait_between(ev, ev.now.names.get(f"{slot(loop)} turns", UNKNOWN), loop.iter)
    item = UNKNOWN if source.kind == OBJECT else item
    stream = ev.now.names.get(f"{slot(loop)} rows", UNKNOWN).resource
    if stream is not None and ev.now.life(stream).marks & CUT:
        ev.now.event(Happening.COMMITTED_STREAMING, ev.now.steps.get(("cut", stream), loop), stream)
        ev.now.unmark(stream, CUT)
    ev.bind(loop.target, item)
    yield Via.TRUE, ev.now.state()
    ended = transfer.evaluation(state)
    ended.now.names.pop(slot(loop), None)
    ended.now.names.pop(f"{slot(loop)} turns", None)
    end_turns(ended.now, ended.now.names.pop(f"{slot(loop)} end", UNKNOWN))
    drop_turns(ended.now, ended.now.names.pop(f"{slot(loop)} own", UNKNOWN))
    if item.kind == SESSION and item.resource is not None:
        ended.now.finish(item.resource, loop)
    if stream is not None:
        ended.now.names.pop(f"{slot(loop)} rows", None)
        ended.now.unmark(stream, STREAMING | CUT)
    yield Via.FALSE, ended.now.state()


def break_off(transfer: Transfer, node: Node, state: State) -> Out:
    """The loop drops a generator before its end, which closes its session at once (measured on CPython)."""
    now = Moment(state, transfer.events, transfer.world)
    drop_turns(now, now.names.pop(f"{slot(node.syntax)} own", UNKNOWN))  # type: ignore[arg-type]
    now.names.pop(f"{slot(node.syntax)} turns", None)  # type: ignore[arg-type]
    item = now.names.pop(slot(node.syntax), UNKNOWN)  # type: ignore[arg-type]
    if item.kind == SESSION and item.resource is not None:
        now.finish(item.resource, node.syntax)  # type: ignore[arg-type]
    yield Via.NEXT, now.state()
