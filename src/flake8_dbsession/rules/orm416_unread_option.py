"""Write pool settings where Flask-SQLAlchemy reads them

What it does
    Reports ``SQLALCHEMY_POOL_SIZE``, ``SQLALCHEMY_MAX_OVERFLOW``, ``SQLALCHEMY_POOL_RECYCLE`` and
    ``SQLALCHEMY_POOL_TIMEOUT`` in a project that declares Flask-SQLAlchemy 3, and keys that no release ever read, such
    as ``SQLALCHEMY_POOL_PRE_PING``.

Why it matters
    Flask-SQLAlchemy 3 reads only ``SQLALCHEMY_ENGINE_OPTIONS`` and says nothing about the rest: the pool silently has
    its default size, and connections are not recycled or tested (measured on 2.5.1, 3.0.5 and 3.1.1).

Stays silent when
    The project declares no Flask-SQLAlchemy, or leaves open whether it is 2 or 3 (for the keys that 2 reads); or some
    other code of the project reads the key.

Fix safety
    Unsafe: the settings take effect again, which they have not since the upgrade. They move into
    ``SQLALCHEMY_ENGINE_OPTIONS`` of the same class or module.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from ..fix.plans import DeleteStatement, InsertBefore, SetItem, Step
from ..model import Diagnostic, Plan, Rule, Safety
from ..pool.flask import ENGINE_OPTIONS, FlaskConfig
from ..pool.judge import FLASK_RELEASES, FilePool, pool_of
from ..pool.scopes import Setting
from ..pool.settings import knowledge
from ..view import View

_REASON = "settings that had no effect take effect"


def check(view: View) -> Iterator[Diagnostic]:
    """Each setting that nothing reads, at the place where it is written."""
    pool = pool_of(view)
    if not pool.is_candidate or pool.is_aside:
        return
    unread = unread_keys(pool)
    for config in pool.found.configs if unread else ():
        written = [config.settings[key] for key in config.own & unread.keys() if not pool.survey.reads(key)]
        written.sort(key=lambda setting: setting.node.lineno)
        for setting in written:
            plan = repair(view, config, written, unread) if setting is written[0] else None
            refusal = (
                "" if plan else "moved together with the others" if setting is not written[0] else _refusal(config)
            )
            message = (
                f"{setting.key} has no effect: Flask-SQLAlchemy reads {unread[setting.key]!r} from {ENGINE_OPTIONS}"
            )
            yield view.diagnostic(RULE, setting.node, message, plan=plan, refusal=refusal)


def unread_keys(pool: FilePool) -> dict[str, str]:
    """The keys that the declared Flask-SQLAlchemy does not read, with the option each was meant to be."""
    known = knowledge()
    if not pool.survey.declared(pool.path).has("flask-sqlalchemy"):
        return {}
    is_3 = pool.major("flask-sqlalchemy", FLASK_RELEASES) >= 3
    return {**known.flask_never, **(known.flask_read_before_3 if is_3 else {})}


def repair(view: View, config: FlaskConfig, written: list[Setting], unread: dict[str, str]) -> Plan | None:
    """All of them moved into the options that stand beside them, or into new ones."""
    if any(s.holder or not isinstance(s.node, ast.Assign) or not s.certain for s in written):
        return None
    pairs = [(unread[s.key], view.source.segment(view.span(s.value))) for s in written]
    if any("\n" in code for _, code in pairs):
        return None
    steps: list[Step] = [DeleteStatement(view.span(s.node)) for s in written]
    options = config.settings.get(ENGINE_OPTIONS)
    if options is None:
        shown = ", ".join(f'"{name}": {code}' for name, code in pairs)
        steps.insert(0, InsertBefore(view.span(written[0].node), f"{ENGINE_OPTIONS} = {{{shown}}}"))
    elif ENGINE_OPTIONS in config.own and isinstance(options.value, ast.Dict):
        steps += [SetItem(view.span(options.value), name, code) for name, code in pairs]
    else:
        return None
    return Plan(f"move the settings into {ENGINE_OPTIONS}", Safety.UNSAFE, tuple(steps), _REASON)


def _refusal(config: FlaskConfig) -> str:
    return f"{ENGINE_OPTIONS} of {config.owner or 'this place'} cannot be edited safely"


RULE = Rule("ORM416", "unread-pool-option", "a setting that Flask-SQLAlchemy does not read", check)
