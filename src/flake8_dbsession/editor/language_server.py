"""The language server: reports as diagnostics, notes as related information, fixes as quick fixes.

Buffers are checked as they are edited, after a short pause; what other files say is read from the disk, anew after
every save.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

from lsprotocol import types
from pygls.lsp.server import LanguageServer
from pygls.uris import from_fs_path
from pygls.workspace import TextDocument

from .. import __version__, run
from ..config import Config
from ..model import Diagnostic, Note, Safety
from ..render import Edit
from ..settings.reading import ConfigError, load
from .editing import Buffer, fix_all, fix_of, silence

PAUSE = 0.3
"""Seconds without a keystroke after which a buffer is checked."""
FIX_ALL = f"{types.CodeActionKind.SourceFixAll.value}.dbsession"
_WATCHED = ("**/*.py", "**/pyproject.toml", "**/dbsession.toml")


class Checked(NamedTuple):
    """A buffer, its version in the editor, and what was found in it."""

    version: int | None
    buffer: Buffer
    config: Config
    diagnostics: tuple[Diagnostic, ...]


class Server(LanguageServer):
    """Remembers the last good check of each open file."""

    def __init__(self) -> None:
        # whole texts: a client and a server that count lines differently (form feeds) would lose track of changes
        super().__init__("dbsession", __version__, text_document_sync_kind=types.TextDocumentSyncKind.Full)
        self.checked: dict[str, Checked] = {}

    def check(self, uri: str) -> None:
        """Check an open file and show what was found; a file that cannot be parsed keeps what it had."""
        document = self.workspace.get_text_document(uri)
        checked = self._checked(document)
        if checked is None:
            return
        self.checked[uri] = checked
        shown = [self.as_diagnostic(diagnostic, checked) for diagnostic in checked.diagnostics]
        self.text_document_publish_diagnostics(
            types.PublishDiagnosticsParams(uri=uri, diagnostics=shown, version=document.version)
        )

    def check_all(self) -> None:
        """Check every open file anew, after something on the disk has changed."""
        run.project.cache_clear()
        for uri in list(self.workspace.text_documents):
            self.check(uri)

    def _checked(self, document: TextDocument) -> Checked | None:
        config = self.config(os.path.dirname(document.path))
        buffer = Buffer(document.path, document.source)
        if config.excludes(document.path):
            return Checked(document.version, buffer, config, ())
        outcome = run.check_text(document.path, buffer.data, config)
        return None if outcome.problem else Checked(document.version, buffer, config, outcome.diagnostics)

    def config(self, folder: str) -> Config:
        """The configuration for files in ``folder``; one that is wrong is told and left aside."""
        try:
            return configuration(folder)
        except ConfigError as error:
            message = types.ShowMessageParams(type=types.MessageType.Error, message=f"dbsession: {error}")
            self.window_show_message(message)
            return Config(root=folder)

    # -- from our words to the protocol's

    def as_range(self, buffer: Buffer, edit: Edit | Diagnostic | Note) -> types.Range:
        """A span in the units that the editor counts columns in."""
        line, column, end_line, end_column = edit.span
        return types.Range(self._position(buffer, line, column), self._position(buffer, end_line, end_column))

    def _position(self, buffer: Buffer, line: int, column: int) -> types.Position:
        text = buffer.line(line)[:column]
        return types.Position(line - 1, self.workspace.position_codec.client_num_units(text))

    def as_diagnostic(self, diagnostic: Diagnostic, checked: Checked) -> types.Diagnostic:
        is_opinion = diagnostic.code.startswith("ORM9")
        return types.Diagnostic(
            range=self.as_range(checked.buffer, diagnostic),
            message=diagnostic.message,
            severity=types.DiagnosticSeverity.Information if is_opinion else types.DiagnosticSeverity.Warning,
            code=diagnostic.code,
            source="dbsession",
            related_information=[self._related(note, checked) for note in diagnostic.notes],
        )

    def _related(self, note: Note, checked: Checked) -> types.DiagnosticRelatedInformation:
        path = os.path.join(checked.config.root, note.path) if note.path else checked.buffer.path
        buffer = checked.buffer if path == checked.buffer.path else Buffer.read(path)
        location = types.Location(uri=from_fs_path(path) or "", range=self.as_range(buffer, note))
        return types.DiagnosticRelatedInformation(location=location, message=note.sentence)

    def as_workspace_edit(self, uri: str, checked: Checked, edits: tuple[Edit, ...]) -> types.WorkspaceEdit:
        changes = [types.TextEdit(self.as_range(checked.buffer, edit), edit.text) for edit in edits]
        document = types.OptionalVersionedTextDocumentIdentifier(uri=uri, version=checked.version)
        return types.WorkspaceEdit(document_changes=[types.TextDocumentEdit(text_document=document, edits=changes)])

    # -- quick fixes

    def actions(self, params: types.CodeActionParams) -> Iterator[types.CodeAction]:
        """What can be done about the reports that the editor's selection touches."""
        uri = params.text_document.uri
        checked = self.checked.get(uri)
        if checked is None or checked.version != self.workspace.get_text_document(uri).version:
            return
        wanted = params.context.only
        if wanted is None or types.CodeActionKind.QuickFix in wanted:
            for diagnostic in checked.diagnostics:
                if _touch(self.as_range(checked.buffer, diagnostic), params.range):
                    yield from self._quick_fixes(uri, checked, diagnostic)
        if wanted is not None and any(kind == FIX_ALL or FIX_ALL.startswith(f"{kind}.") for kind in map(_text, wanted)):
            yield from self._fix_all(uri, checked)

    def _quick_fixes(self, uri: str, checked: Checked, diagnostic: Diagnostic) -> Iterator[types.CodeAction]:
        plan, shown = diagnostic.plan, [self.as_diagnostic(diagnostic, checked)]
        edits = fix_of(checked.buffer, diagnostic)
        if plan is not None and edits:
            is_safe = plan.safety is Safety.SAFE
            yield types.CodeAction(
                title=plan.title if is_safe else f"{plan.title} (unsafe: {plan.reason})",
                kind=types.CodeActionKind.QuickFix,
                diagnostics=shown,
                is_preferred=is_safe,
                edit=self.as_workspace_edit(uri, checked, edits),
            )
        comment = silence(checked.buffer, diagnostic)
        if comment is not None:
            yield types.CodeAction(
                title=f"Silence {diagnostic.code} on this line",
                kind=types.CodeActionKind.QuickFix,
                diagnostics=shown,
                edit=self.as_workspace_edit(uri, checked, (comment,)),
            )

    def _fix_all(self, uri: str, checked: Checked) -> Iterator[types.CodeAction]:
        edits = fix_all(checked.buffer, checked.config)
        if edits:
            yield types.CodeAction(
                title="Carry out all safe fixes of dbsession",
                kind=FIX_ALL,
                edit=self.as_workspace_edit(uri, checked, edits),
            )


def create() -> Server:
    """A server with its features, not yet listening."""
    server = Server()

    @server.feature(types.INITIALIZED)
    def initialized(params: types.InitializedParams) -> None:
        workspace = server.client_capabilities.workspace
        watching = workspace.did_change_watched_files if workspace else None
        if watching is not None and watching.dynamic_registration:
            server.client_register_capability(types.RegistrationParams([_watching()]))

    @server.feature(types.TEXT_DOCUMENT_DID_OPEN)
    def opened(params: types.DidOpenTextDocumentParams) -> None:
        server.check(params.text_document.uri)

    @server.feature(types.TEXT_DOCUMENT_DID_CHANGE)
    async def changed(params: types.DidChangeTextDocumentParams) -> None:
        document = params.text_document
        await asyncio.sleep(PAUSE)
        known = server.workspace.text_documents.get(document.uri)
        if known is not None and known.version == document.version:
            server.check(document.uri)

    @server.feature(types.TEXT_DOCUMENT_DID_SAVE)
    def saved(params: types.DidSaveTextDocumentParams) -> None:
        server.check_all()

    @server.feature(types.TEXT_DOCUMENT_DID_CLOSE)
    def closed(params: types.DidCloseTextDocumentParams) -> None:
        uri = params.text_document.uri
        server.checked.pop(uri, None)
        server.text_document_publish_diagnostics(types.PublishDiagnosticsParams(uri=uri, diagnostics=[]))

    @server.feature(types.WORKSPACE_DID_CHANGE_WATCHED_FILES)
    def moved(params: types.DidChangeWatchedFilesParams) -> None:
        configuration.cache_clear()
        server.check_all()

    kinds = types.CodeActionOptions(code_action_kinds=[types.CodeActionKind.QuickFix, FIX_ALL])

    @server.feature(types.TEXT_DOCUMENT_CODE_ACTION, kinds)
    def actions(params: types.CodeActionParams) -> list[types.CodeAction]:
        return list(server.actions(params))

    return server


@lru_cache(maxsize=256)
def configuration(folder: str) -> Config:
    """The configuration for files in ``folder``; raises :class:`ConfigError`."""
    return load(folder)


def _watching() -> types.Registration:
    watchers = [types.FileSystemWatcher(glob_pattern=pattern) for pattern in _WATCHED]
    options = types.DidChangeWatchedFilesRegistrationOptions(watchers=watchers)
    return types.Registration("dbsession-files", types.WORKSPACE_DID_CHANGE_WATCHED_FILES, options)


def _touch(one: types.Range, other: types.Range) -> bool:
    return one.start <= other.end and other.start <= one.end


def _text(kind: types.CodeActionKind | str) -> str:
    return kind.value if isinstance(kind, types.CodeActionKind) else kind
