"""The engines of one file as the rules judge them: with their server, their pool class and what the project adds."""

from __future__ import annotations

import ast
import os
from collections.abc import Callable, Iterator
from functools import cached_property, partial
from typing import TYPE_CHECKING

from ..view import View, asked_once
from .dropped import is_dropped, is_for_script, is_of_nobody
from .engines import NOTHING, Engine, Found, find, is_candidate, only_defines
from .flask import DATABASE_URI, ENGINE_OPTIONS, Extension, FlaskConfig
from .made import Made
from .options import Item, Options, Unseen
from .scopes import Scope
from .settings import PoolClass, default_pool, knowledge
from .url import Url
from .values import UNKNOWN, Value

if TYPE_CHECKING:
    from ..source import Source
    from .survey import Survey

SQLALCHEMY_RELEASES = ("1.3.24", "1.4.54", "2.0.58", "2.1.9")
_READ_OPTIONS = ("flask-sqlalchemy", "flask-appbuilder", "apache-superset")
"""Distributions that make engines with ``SQLALCHEMY_ENGINE_OPTIONS``."""
FLASK_RELEASES = ("2.5.1", "3.1.1")


class FilePool:
    """What one file says about engines, with the project around it. ``path`` is absolute; ``found`` is None for a file
    without a word about engines; ``survey`` gives the project, and is asked only when a rule needs it."""

    def __init__(
        self, path: str, found: Found | None, survey: Callable[[], Survey], is_aside: bool, source: Source | None = None
    ) -> None:
        self.path = path
        self.is_candidate = found is not None
        self.found = found or NOTHING
        self._source = source
        self._survey = survey
        self._is_aside = is_aside

    @cached_property
    def survey(self) -> Survey:
        return self._survey()

    @cached_property
    def is_aside(self) -> bool:
        """Whether the file is a test, a script, a migration or an example."""
        return self._is_aside or self.survey.is_aside(self.path)

    @cached_property
    def is_imported(self) -> bool:
        """Whether the file is a module of the application, not a script: another file imports it, or it makes the
        application itself."""
        defines = self._source is not None and only_defines(self._source.tree)
        return self.found.makes_application or defines or self._is_imported_by_others

    @cached_property
    def _is_imported_by_others(self) -> bool:
        return self.survey.imports(self.survey.file_names.of(self.path).name, self.path)

    @cached_property
    def engines(self) -> list[Made]:
        """Every engine of the running application that this file makes or configures, in order; none of a file
        that is no part of it."""
        if not self.is_candidate or self.is_aside:
            return []
        return [*self._called(), *self._configured()]

    def _called(self) -> Iterator[Made]:
        for engine in self.found.engines:
            if engine.fallback or engine.guarded or (self._is_of_script(engine) and not self.is_imported):
                continue
            if self._is_imported_by_others and is_of_nobody(self.survey, engine):
                continue
            options = self.followed(engine.options)
            url = self._url(engine)
            edited = _edited(engine) if options.whole and options is engine.options else None
            yield Made(
                engine.node,
                edited,
                url,
                self.server(url),
                options,
                "" if is_dropped(self.survey, engine) else engine.keeper,
                False,
                engine.is_async,
                engine.tolerant,
                engine.certain,
            )

    def _is_of_script(self, engine: Engine) -> bool:
        """Whether the engine is one of a script's own, if the file is one."""
        return engine.is_top_level or (self._source is not None and is_for_script(self._source.tree, engine))

    def _url(self, engine: Engine) -> Url:
        """The URL, with SQLite told by the branch, or by the argument that only its driver takes."""
        if engine.of_sqlite:
            return Url("sqlite", "", "file")
        connect_args = engine.options.items.get("connect_args")
        if not engine.url.dialect and connect_args:
            given = self.found.mappings.contents(connect_args.value, connect_args.scope)
            if "check_same_thread" in given.items and given.items["check_same_thread"].certain:
                return Url("sqlite", "", "file")
        return engine.url

    def _configured(self) -> Iterator[Made]:
        """Flask-SQLAlchemy's engines, at the options that are written in this file."""
        for config in self.found.configs:
            if ENGINE_OPTIONS in config.own and self._are_options_read:
                yield self._of_config(config)
        for extension in self.found.extensions:
            if extension.options.items and not extension.hooked:
                yield self._of_extension(extension)

    @cached_property
    def _are_options_read(self) -> bool:
        """Whether anything reads ``SQLALCHEMY_ENGINE_OPTIONS``: Flask-SQLAlchemy, or code of the application."""
        if self.survey.extension_files():
            return True
        declared = self.survey.declared(self.path)
        return any(map(declared.has, _READ_OPTIONS)) or self.survey.reads(ENGINE_OPTIONS)

    def _of_config(self, config: FlaskConfig) -> Made:
        value = config.settings[ENGINE_OPTIONS].value
        displays = config.options.displays
        edited = value if config.options.whole and displays[:1] == [value] else None
        server = self.server(config.url)
        certain = config.settings[ENGINE_OPTIONS].certain
        shown = edited if isinstance(edited, (ast.Dict, ast.Call)) else None
        return Made(value, shown, config.url, server, config.options, "module", True, False, False, certain)

    def inherited(self) -> Iterator[Made]:
        """Configurations that name a database of their own and take the engine options over from a base."""
        for config in self.found.configs if self.is_candidate and not self.is_aside else ():
            if DATABASE_URI in config.own and ENGINE_OPTIONS in config.settings and ENGINE_OPTIONS not in config.own:
                node = config.settings[DATABASE_URI].value
                server = self.server(config.url)
                yield Made(node, None, config.url, server, config.options, "module", True, False, False, True)

    def _of_extension(self, extension: Extension) -> Made:
        options = extension.options
        edited = options.displays[0] if options.whole and len(options.displays) == 1 else None
        unknown = Url()
        return Made(
            extension.call.node, edited, unknown, self.server(unknown), options, "module", True, False, False, True
        )

    def started(self) -> Iterator[Made]:
        """Flask-SQLAlchemy's engines at the place where an app gets them (``db.init_app(app)``, ``SQLAlchemy(app)``),
        for projects that set no engine options anywhere."""
        if not self.is_candidate or self.is_aside or self._are_options_told:
            return
        for extension in self.found.extensions:
            if extension.bound and not extension.hooked and not extension.options.items and extension.options.whole:
                yield self._start(extension.call.node, extension.call.node)
        for call, name in self.found.starts:
            known = self._extension(name)
            if known and not known.hooked and not known.options.items and known.options.whole:
                yield self._start(call.node, None)

    @cached_property
    def _are_options_told(self) -> bool:
        """Whether a file of the application sets engine options: they are reported where they are written."""
        pools = (pool for pool in pools_of(self.survey) if not self.survey.is_aside(pool.path))
        return any(ENGINE_OPTIONS in config.own for pool in pools for config in pool.found.configs)

    def _start(self, node: ast.Call, edited: ast.Call | None) -> Made:
        options = self.project_options()
        server = self.survey.server_url(self.path)
        return Made(node, edited, Url(), server, options, "module", True, False, False, True)

    def _extension(self, name: str) -> Extension | None:
        """The extension object that a dotted name means, re-exports included."""
        top, last = name.partition(".")[0], name.rpartition(".")[2]
        for path, found in self.survey.extension_files():
            module = self.survey.file_names.of(path).name
            for extension in found.extensions:
                if extension.name == last and module.partition(".")[0] == top:
                    return extension
        return None

    def server(self, url: Url) -> Url:
        """``url`` where it names a server for sure, else what the project's evidence agrees on."""
        if url.dialect and not (url.is_sqlite and url.variable):
            return url
        return self.survey.server_url(self.path)

    def followed(self, options: Options) -> Options:
        """``options`` with each ``**parameter`` replaced by what the project's calls of the function give for it."""
        if options.whole:
            return options
        merged = Options(dict(options.items), [], list(options.displays))
        for unseen in options.unseen:
            given = list(self._given(unseen))
            if not given:
                return options
            for each in given:
                if each.unseen:
                    return options
                merged.merge(each, certain=False)
        return merged

    def _given(self, unseen: Unseen) -> Iterator[Options]:
        """What the callers give for a parameter, where every call is seen."""
        scope = unseen.scope
        name = unseen.expression.id if isinstance(unseen.expression, ast.Name) else ""
        if not isinstance(scope.node, (ast.FunctionDef, ast.AsyncFunctionDef)) or not scope.parameter(name):
            return
        positions = [a.arg for a in scope.node.args.args if a.arg not in ("self", "cls")]
        rest = scope.node.args.kwarg
        for found, call in self.survey.calls_of(scope.node.name):
            if rest is not None and rest.arg == name:
                yield found.mappings.of_call(call, scope_of(found, call, unseen))
                continue
            keyword = next((k.value for k in call.keywords if k.arg == name), None)
            position = positions.index(name) if name in positions else len(call.args)
            argument = keyword or (call.args[position] if position < len(call.args) else None)
            yield self._argument(found, call, argument, unseen)

    def _argument(self, found: Found, call: ast.Call, argument: ast.expr | None, unseen: Unseen) -> Options:
        if argument is None:
            return Options()
        if _is_configuration(argument):
            return self.project_options()
        return found.mappings.contents(argument, scope_of(found, call, unseen))

    def project_options(self) -> Options:
        """The union of all ``SQLALCHEMY_ENGINE_OPTIONS`` that the project's files set."""
        merged = Options()
        for found in self.survey.naming(ENGINE_OPTIONS.encode()):
            for config in found.configs:
                if ENGINE_OPTIONS in config.own:
                    merged.merge(config.options, certain=False)
        return Options(merged.items)

    # -- values

    def value(self, item: Item | None) -> Value:
        """What an option is worth."""
        return self.found.reader.value(item.value, item.scope) if item else UNKNOWN

    def pool_class(self, made: Made) -> PoolClass | None:
        """The pool class of an engine; None where it is set to something unknown or cannot be said."""
        item = made.options.items.get("poolclass")
        if item:
            if not item.certain:
                return None
            resolved = self.found.reading.resolve(item.value, item.scope) or ""
            name = resolved.rpartition(".")[2] if resolved.startswith("sqlalchemy.") else ""
            return knowledge().pools.get(name)
        if made.flask and made.url.place == "memory":
            return knowledge().pools["StaticPool"]
        return default_pool(made.url, made.is_async, self.major("sqlalchemy", SQLALCHEMY_RELEASES))

    def major(self, package: str, releases: tuple[str, ...]) -> int:
        """The major release of ``package`` that the project declares; 0 where it leaves that open."""
        return self.survey.declared(self.path).major(package, releases)


def scope_of(found: Found, call: ast.Call, unseen: Unseen) -> Scope:
    """Where a call of the function that takes ``unseen`` stands."""
    return next((c.scope for c in found.reading.calls if c.node is call), unseen.scope)


def _edited(engine: Engine) -> ast.Call | ast.Dict | None:
    """Where an option can be added: the call, or the dictionary that it unfolds; nowhere where it unfolds several."""
    unfolded = [k for k in engine.node.keywords if k.arg is None]
    if not unfolded:
        return engine.node
    return engine.options.displays[0] if len(unfolded) == len(engine.options.displays) == 1 else None


def _is_configuration(expression: ast.expr) -> bool:
    """``app.config.get("SQLALCHEMY_ENGINE_OPTIONS", {})`` or ``app.config["SQLALCHEMY_ENGINE_OPTIONS"]``."""
    if isinstance(expression, ast.Call) and expression.args:
        key: ast.expr = expression.args[0]
        return isinstance(expression.func, ast.Attribute) and expression.func.attr == "get" and _names_options(key)
    return isinstance(expression, ast.Subscript) and _names_options(expression.slice)


def _names_options(key: ast.expr) -> bool:
    return isinstance(key, ast.Constant) and key.value == ENGINE_OPTIONS


@asked_once
def pool_of(view: View) -> FilePool:
    """What ``view``'s file says about engines."""
    path = os.path.abspath(view.source.path)
    found = find(view.source.tree, view.names) if is_candidate(view.source.data) else None
    survey = partial(_survey_of, path, view)
    return FilePool(path, found, survey, view.is_test or view.is_script, view.source)


def _survey_of(path: str, view: View) -> Survey:
    from .survey import survey_of

    view.project.sources.meet_everything()
    return survey_of(path, view.project.root, view.config.pool)


def pools_of(survey: Survey) -> Iterator[FilePool]:
    """The same for every file of the project that says anything."""
    for path, found in survey.found.items():
        yield FilePool(path, found, lambda: survey, False)
