"""One engine as the rules judge it."""

from __future__ import annotations

import ast
from typing import NamedTuple

from .options import Item, Options
from .url import Url


class Made(NamedTuple):
    """One engine to be judged.

    ``node`` is where it is reported; ``edited`` the call or display that an option may be added to (None: nowhere);
    ``url`` is what the code says, ``server`` the same or, where the code does not say, what the project's evidence
    agrees on; ``keeper`` is as in :class:`~.engines.Engine`; ``flask``: Flask-SQLAlchemy makes it; ``tolerant``: a
    ``try`` around it catches ``TypeError``; ``certain``: it is made on every way through its function.
    """

    node: ast.expr
    edited: ast.Call | ast.Dict | None
    url: Url
    server: Url
    options: Options
    keeper: str
    flask: bool
    is_async: bool
    tolerant: bool
    certain: bool

    @property
    def kept(self) -> bool:
        """Whether somebody keeps the engine after its function is done."""
        return bool(self.keeper)

    def has(self, name: str) -> bool:
        """Whether the option is set on some way."""
        return name in self.options.items

    def certainly(self, name: str) -> Item | None:
        """The option, where it is set on every way."""
        item = self.options.items.get(name)
        return item if item and item.certain else None

    @property
    def is_sqlite(self) -> bool:
        """Whether it is SQLite and nothing can make it anything else."""
        return self.url.is_sqlite and (not self.url.variable or not self.server.dialect)
