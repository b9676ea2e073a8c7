"""Keep the generator that a dependency's session comes from

What it does
    Reports ``next(get_db())``, ``get_db().__next__()`` and ``await anext(get_db())``, and ``db = next(sessions)`` or
    ``db = block.__enter__()`` where the function returns or keeps ``db``, and ``sessions`` is a name of its own only.

Why it matters
    Nobody keeps the generator, so it is finalised as soon as ``next`` returns: its ``finally`` closes the session
    before the caller has used it. The first query silently opens the session again, and nobody closes it (measured:
    log ``open, close``, one connection out). An async generator is finalised later, by the event loop, in the middle
    of a query.

Stays silent when
    The generator has a name that lives as long as the session, goes where that goes, or is entered with
    ``with contextmanager(get_db)()``; in tests, and in commands that end their process.

Fix safety
    Safe: the rest of the block moves into ``with contextmanager(get_db)() as db:``. Unsafe when the function returns
    rows, which cannot load anything once their session is closed, and when the generator does more at its end than to
    close: commits, or swallows exceptions.
"""

from __future__ import annotations

from collections.abc import Iterator

from ..mending.entering import enter_generator
from ..model import Diagnostic, Rule
from ..questions.always_given import is_always_given
from ..questions.asking import ends_with_commands, first_of_each_node, in_loop, is_released_here
from ..questions.behind import left_behind
from ..questions.lasting import is_one_shot
from ..session.events import Happening
from ..session.flow import Flow
from ..view import View

_KEEP = "keep the generator with the session, or open it in a ``with`` block"


def check(view: View) -> Iterator[Diagnostic]:
    if view.is_test:
        return
    for flow in view.flows:
        for event in first_of_each_node(flow.events(Happening.DISCARDED_GENERATOR)):
            if is_released_here(flow, event.resource) or is_always_given(view, flow, event.node):
                continue
            if not in_loop(flow, event.node) and ends_at_once(view, flow):
                continue
            message = f"{view.text(event.node)!r} drops the generator, which closes its session before it is used"
            plan, refusal = enter_generator(view, flow, event)
            yield view.diagnostic(RULE, event.node, message, (), plan, refusal, flow.body)
        for node, name in left_behind(flow):
            if not is_always_given(view, flow, node) and not ends_at_once(view, flow):
                message = f"generator {name!r} ends with the function, and closes the session that leaves it"
                yield view.diagnostic(RULE, node, message, (), None, _KEEP, flow.body)


def ends_at_once(view: View, flow: Flow) -> bool:
    """Whether the process of what asks the generator ends with it: a script, or what only commands run."""
    return is_one_shot(view) if flow.body.node is None else ends_with_commands(view, flow)


RULE = Rule("ORM105", "discarded-session-generator", "session of a generator that nobody keeps", check)
