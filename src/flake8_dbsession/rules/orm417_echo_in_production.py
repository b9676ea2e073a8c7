"""Log SQL only where somebody reads it

What it does
    Reports ``echo=True`` (or ``"debug"``) on an engine of the running application, and ``SQLALCHEMY_ECHO = True`` in a
    configuration that is not for development or tests.

Why it matters
    Each statement is formatted and written to the log with its parameters, personal data and secrets included. It
    costs time on every query and fills disks.

Stays silent when
    The value is a setting, a debug flag or anything but a literal; it stands under an ``if``; the database is SQLite;
    the class, function or file is named for development, debugging or tests; or a production configuration in the same
    file switches it off again.

Fix safety
    Unsafe: somebody may read that log. The literal becomes ``False``.
"""

from __future__ import annotations

import ast
import os
from collections.abc import Iterator

from ..fix.plans import ReplaceExpression
from ..model import Diagnostic, Plan, Rule, Safety
from ..pool.flask import FlaskConfig
from ..pool.judge import FilePool, pool_of
from ..pool.made import Made
from ..view import View

KEY = "SQLALCHEMY_ECHO"
_ASIDE = ("dev", "test", "debug", "local")


def check(view: View) -> Iterator[Diagnostic]:
    """Each literal that switches the log on in code that serves users."""
    pool = pool_of(view)
    if not pool.is_candidate or pool.is_aside or is_aside(os.path.basename(pool.path)):
        return
    for made in pool.engines:
        value = echoing(made, pool)
        if value is not None:
            yield report(view, value, "this engine logs every statement with its parameters")
    for config in pool.found.configs if pool.is_candidate else ():
        setting = config.settings.get(KEY)
        if setting and KEY in config.own and is_on(setting.value) and is_for_users(config, pool) and setting.certain:
            yield report(view, setting.value, f"{KEY} logs every statement with its parameters")


def echoing(made: Made, pool: FilePool) -> ast.expr | None:
    """The literal that makes the engine log, where it does so on every way."""
    item = made.certainly("echo")
    if item is None or not made.kept or not made.certain or made.is_sqlite or not is_on(item.value):
        return None
    scopes = [scope.name for scope in item.scope.chain()]
    return None if any(is_aside(name) for name in scopes) else item.value


def is_on(value: ast.expr) -> bool:
    """A literal ``True`` or ``"debug"``."""
    return isinstance(value, ast.Constant) and (value.value is True or value.value == "debug")


def is_aside(name: str) -> bool:
    """Whether a class, function or file is named for development or tests."""
    return any(word in name.lower() for word in _ASIDE)


def is_for_users(config: FlaskConfig, pool: FilePool) -> bool:
    """Whether the configuration holds in production: not named otherwise, and not overridden where it is."""
    if is_aside(config.owner) or (config.url.is_sqlite and not config.url.variable):
        return False
    others = [c for c in pool.found.configs if "prod" in c.owner.lower() and c.owner != config.owner]
    return not any(KEY in c.settings and not is_on(c.settings[KEY].value) for c in others)


def report(view: View, value: ast.expr, message: str) -> Diagnostic:
    step = ReplaceExpression(view.span(value), "False")
    plan = Plan("do not log statements", Safety.UNSAFE, (step,), "somebody may read this log")
    return view.diagnostic(RULE, value, message, plan=plan)


RULE = Rule("ORM417", "echo-in-production", "every statement is logged in production", check)
