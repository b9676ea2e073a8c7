"""Folders of packages that others have written: a virtual environment, or what an application brings along."""

from __future__ import annotations

import os
from collections.abc import Collection


def holds_packages(folder: str, names: Collection[str]) -> bool:
    """Whether packages were installed into a folder or copied there, whatever it is called: SQLAlchemy is one of those
    that stand in it. ``names`` are those of its entries."""
    return "sqlalchemy" in names and os.path.isfile(os.path.join(folder, "sqlalchemy", "orm", "__init__.py"))
