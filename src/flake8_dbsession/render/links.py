"""Where the page of a rule is: the one place to change when the documentation gets an address."""

from __future__ import annotations

PAGES = "docs/rules/"


def page(code: str) -> str:
    """The page of the rule ``code``."""
    return f"{PAGES}{code}.md"
