"""Let the pool clean connections that come back

What it does
    Reports ``pool_reset_on_return=None`` (or ``False``, ``0``, ``"none"``, which mean the same: measured).

Why it matters
    The pool ends a connection's transaction with ROLLBACK before the next user gets it. Without the reset, whatever was
    left open goes on: locks stay held, the next user sees an old snapshot, and may commit what somebody else wrote.

Stays silent when
    The value is a setting or chosen on some ways only; the engine runs in AUTOCOMMIT, where no transaction is left
    open; a ``reset`` listener in the same file does the cleaning; or NullPool closes each connection anyway.

Fix safety
    Unsafe: it costs a round trip for each connection that comes back, which somebody wanted to save. The value becomes
    ``"rollback"``.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from ..fix.plans import ReplaceExpression
from ..model import Diagnostic, Plan, Rule, Safety
from ..pool.judge import FilePool, pool_of
from ..pool.made import Made
from ..pool.options import Item
from ..pool.settings import knowledge
from ..view import View

OPTION = "pool_reset_on_return"


def check(view: View) -> Iterator[Diagnostic]:
    """Each engine whose connections come back as they were left."""
    pool = pool_of(view)
    for made in pool.engines:
        item = made.certainly(OPTION)
        if item and is_off(item, pool) and not is_autocommit(made, pool) and not is_cleaned(made, pool):
            step = ReplaceExpression(view.span(item.value), '"rollback"')
            plan = Plan(
                "roll back when a connection comes back", Safety.UNSAFE, (step,), "a round trip for each return"
            )
            written = isinstance(item.value, ast.Constant)
            message = "connections come back to the pool with their transaction open: pool_reset_on_return is off"
            refusal = "" if written else "the value is not written here"
            yield view.diagnostic(RULE, made.node, message, plan=plan if written else None, refusal=refusal)


def is_off(item: Item, pool: FilePool) -> bool:
    """None, False, 0 and "none"; a value that the environment can replace is none of them."""
    value = pool.value(item)
    if not value.known or value.variable:
        return False
    return value.data in knowledge().reset_off if isinstance(value.data, str) else not value.data


def is_autocommit(made: Made, pool: FilePool) -> bool:
    """Whether the engine's isolation level is AUTOCOMMIT, or cannot be seen."""
    item = made.options.items.get("isolation_level")
    value = pool.value(item)
    return (item is not None and (not value.known or value.data == "AUTOCOMMIT")) or made.has("execution_options")


def is_cleaned(made: Made, pool: FilePool) -> bool:
    """Whether something else cleans the connection: a ``reset`` listener, or a pool that keeps none."""
    pool_class = pool.pool_class(made)
    return pool.found.resets or (pool_class is not None and pool_class.name == "NullPool")


RULE = Rule("ORM419", "reset-on-return-off", "connections come back with their transaction open", check)
