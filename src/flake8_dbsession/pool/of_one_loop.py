"""Engines whose connections belong to the event loop that they were opened in, and that keep them longer."""

from __future__ import annotations

import os

from ..project.modules.module import Module
from ..view import View
from .engines import find, is_candidate
from .judge import pool_of
from .kept import name_of
from .settings import knowledge
from .survey import Survey
from .url import Url


def keeps_connections_of_its_loop(view: View, module: Module, name: str) -> bool:
    """Whether an asynchronous engine, by its name in the module that makes it, has such a driver and the pool that it
    takes by itself."""
    found = find(module.source.tree, module.names) if is_candidate(module.source.data) else None
    made = [each for each in found.engines if each.is_async and name_of(each) == name] if found is not None else []
    survey = pool_of(view).survey if made else None
    alone = (each for each in made if "poolclass" in each.options.items or not each.options.whole)
    return survey is not None and not any(alone) and all(is_of_one_loop(survey, module.path, each.url) for each in made)


def is_of_one_loop(survey: Survey, path: str, url: Url) -> bool:
    """Whether the driver is known to be such a one: by the URL, or as the only asynchronous one that the file's project
    declares."""
    drivers = knowledge().drivers
    if url.driver or url.is_sqlite:
        return url.driver in drivers and drivers[url.driver].of_one_loop
    declared = survey.declared(os.path.abspath(path))
    asynchronous = [row for row in drivers.values() if row.is_async and any(map(declared.has, row.packages))]
    fitting = [row for row in asynchronous if url.dialect in ("", row.server)]
    return bool(fitting) and all(row.of_one_loop for row in fitting)
