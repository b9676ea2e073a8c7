"""A small report that the tests of the output formats print: one file, two findings, one story, one fix."""

from __future__ import annotations

from flake8_dbsession.model import Diagnostic, Note, Plan, Rule, Safety, Span
from flake8_dbsession.render import Edit, Problem, Report

PATH = "shop/prices.py"
FILE = """\
import requests
from shop.database import SessionLocal


def price_of(article):
    session = SessionLocal()
    price = session.get(Price, article)  # über €
    rate = requests.get("https://rates.example/eur").json()
    return price.cents * rate


def forget(article):
    SessionLocal().execute(delete(Price).where(Price.article == article))
"""


def check(view):
    """The rule of the sample report reports nothing by itself."""
    return ()


RULES = (
    Rule("ORM101", "session-never-closed", "A session that is opened here is never closed", check),
    Rule("ORM202", "network-call-while-connected", "A network call is made while a connection is held", check),
)
WAIT = Diagnostic(
    path=PATH,
    span=Span(8, 11, 8, 52),
    code="ORM202",
    name="network-call-while-connected",
    message="'requests.get' waits for the network while 'session' holds a connection",
    notes=(
        Note("the session is opened here", Span(6, 14, 6, 28)),
        Note("the connection is taken here", Span(7, 12, 7, 39)),
        Note("it waits here", Span(8, 11, 8, 52)),
        Note("it is lost here", Span(9, 4, 9, 29)),
    ),
    plan=Plan("Commit before the call", Safety.UNSAFE, (), "rows read before are loaded again"),
    function="price_of",
)
LEAK = Diagnostic(
    path=PATH,
    span=Span(13, 4, 13, 73),
    code="ORM101",
    name="session-never-closed",
    message="the session opened here is never closed",
    notes=(Note("the factory is made here", Span(3, 0, 3, 12), "shop/database.py"),),
    refusal="the session has no name",
    function="forget",
)
EDITS = (Edit(Span(8, 0, 8, 0), "    session.commit()\n"), Edit(Span(8, 4, 8, 8), "quote"))


def sample(diagnostics=(WAIT, LEAK), *, text=FILE, errors=(), root="/work", checked=2):
    """A report on ``diagnostics`` in a file with ``text``."""
    return Report(
        diagnostics=tuple(diagnostics),
        errors=tuple(errors),
        checked=checked,
        lines=lambda path: text.splitlines() if path == PATH else [],
        edits=lambda diagnostic: EDITS if diagnostic.plan else (),
        root=root,
        version="0.1.0",
    )


BROKEN = Problem("shop/broken.py", 3, 5, "cannot be parsed: invalid syntax")
