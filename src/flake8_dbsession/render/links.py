"""Where the page of a rule is published.

Whoever publishes this project says so under ``documentation`` in ``[project.urls]``, and everything that gives an
address (JSON, SARIF, ``dbsession rules``) gives it from then on. Until then there is none: a path inside our own
repository is no use to a reader elsewhere, and ``dbsession explain`` has the same page.
"""

from __future__ import annotations

from functools import cache

DISTRIBUTION = "flake8-dbsession"
LABEL = "documentation"


def page(code: str) -> str | None:
    """The address of the page of the rule ``code``; None where no pages are published."""
    base = address()
    return f"{base}/rules/{code}.md" if base else None


@cache
def address() -> str:
    """The address of the folder ``docs``, as the package's metadata tell it; "" for none."""
    from importlib.metadata import PackageNotFoundError, metadata

    try:
        told: list[str] = metadata(DISTRIBUTION).get_all("Project-URL") or []
    except PackageNotFoundError:
        return ""
    urls = {label.strip().lower(): url.strip() for label, _, url in (entry.partition(",") for entry in told)}
    return urls.get(LABEL, "").rstrip("/")
