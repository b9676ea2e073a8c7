"""The rules, all written out. Each is a value in a file of its own."""

from __future__ import annotations

from ..model import Rule
from . import (
    orm101_session_never_closed,
    orm102_session_not_closed_on_error,
    orm103_missing_remove,
    orm201_sleep_while_connected,
    orm202_network_call_while_connected,
    orm301_session_shared_across_threads,
    orm401_adhoc_session,
    orm402_redundant_close,
)

ALL: tuple[Rule, ...] = (
    orm101_session_never_closed.RULE,
    orm102_session_not_closed_on_error.RULE,
    orm103_missing_remove.RULE,
    orm201_sleep_while_connected.RULE,
    orm202_network_call_while_connected.RULE,
    orm301_session_shared_across_threads.RULE,
    orm401_adhoc_session.RULE,
    orm402_redundant_close.RULE,
)
