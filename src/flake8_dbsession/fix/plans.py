"""The steps a plan is made of: plain data that says what should hold, never how to edit.

Every span is the span of a syntax node as ``Source.span`` gives it, so ``carry_out`` can find the very
same node in the libcst tree. Code in a step is one line of Python, without indentation or newline.
"""

from __future__ import annotations

from typing import NamedTuple

from ..model import Span


class WrapInWith(NamedTuple):
    """``name = <call>`` becomes ``with <call> as name:`` around the statements that follow it.

    The statement at ``statement`` is an assignment of ``call`` to ``name`` (an annotation goes, and so does an
    ``await`` in front of the call with ``is_async``); the new block takes every statement after it in the same
    block up to and including the one at ``last``. ``drop`` are statements inside (releases by hand) that the block
    makes superfluous; they go as in :class:`DeleteStatement`. ``wrapper`` is a callable put around the call, such
    as ``contextlib.closing`` (empty: none).
    """

    statement: Span
    call: Span
    name: str
    last: Span
    drop: tuple[Span, ...] = ()
    is_async: bool = False
    wrapper: str = ""


class OpenInWith(NamedTuple):
    """The statements from ``first`` to ``last`` (same block) stand in ``with <manager> as <name>:``."""

    first: Span
    last: Span
    manager: str
    name: str


class WrapInFinally(NamedTuple):
    """The statements from ``first`` to ``last`` (same block) run under a ``try`` whose ``finally`` runs ``cleanup``.

    Where they are exactly one ``try`` statement, that one gets the ``cleanup`` (at the end of its
    ``finally``). ``drop`` are statements inside that the cleanup makes superfluous.
    """

    first: Span
    last: Span
    cleanup: str
    drop: tuple[Span, ...] = ()


class WrapInExcept(NamedTuple):
    """The statements from ``first`` to ``last`` (same block) run under a ``try``, which runs ``code`` on an exception.

    The new handler is ``except Exception:`` and raises again after ``code``, which stands under ``if <only_if>:``
    where that is given. Where the statements are exactly one ``try`` that has handlers, the new one is its last.
    """

    first: Span
    last: Span
    code: str
    only_if: str = ""


class InsertBefore(NamedTuple):
    """``code`` runs as a statement of its own right before the statement at ``statement``, above its comments."""

    statement: Span
    code: str


class InsertAfter(NamedTuple):
    """``code`` runs as a statement of its own right after the statement at ``statement``."""

    statement: Span
    code: str


class InsertFirst(NamedTuple):
    """``code`` is the first statement in the body of the handler, loop, function, ``with`` or ``if`` at ``owner``.

    A docstring stays first. With ``only_if`` it stands under ``if <only_if>:``.
    """

    owner: Span
    code: str
    only_if: str = ""


class DeleteStatement(NamedTuple):
    """The statement at ``statement`` is gone.

    A block that would be empty gets ``pass``, but an ``else`` or ``finally`` goes altogether, and of a ``try`` that
    has no other branch the body stays. Comments on lines of their own above the statement stay; one on its line is
    a reason to refuse, unless the plan is unsafe.
    """

    statement: Span


class ReplaceExpression(NamedTuple):
    """The expression at ``expression`` is ``code`` instead, in parentheses where it needs them."""

    expression: Span
    code: str


class ReplaceInside(NamedTuple):
    """Inside the f-string at ``expression``, every expression that reads ``old`` reads ``new``."""

    expression: Span
    old: str
    new: str


class SetKeyword(NamedTuple):
    """The call at ``call`` has the keyword argument ``name`` with the value ``code`` (added or replaced).

    Refused where the call takes ``**`` arguments and does not name the keyword, which they may hold.
    """

    call: Span
    name: str
    code: str


class SetItem(NamedTuple):
    """The dictionary display at ``display`` has the string key ``key`` with the value ``code`` (added or replaced)."""

    display: Span
    key: str
    code: str


class AwaitExpression(NamedTuple):
    """The expression at ``expression`` is awaited; refused outside of the body of an ``async def``."""

    expression: Span


class AddImport(NamedTuple):
    """``from module import name`` (or ``import module`` when ``name`` is empty) stands at the top of the file, once.

    Refused where the name means something else anywhere in the file.
    """

    module: str
    name: str = ""


class AppendStatements(NamedTuple):
    """``code`` (any number of lines) stands behind the statement at ``statement``, which stands at module level."""

    statement: Span
    code: str


Step = (
    WrapInWith
    | OpenInWith
    | WrapInFinally
    | WrapInExcept
    | InsertBefore
    | InsertAfter
    | InsertFirst
    | DeleteStatement
    | ReplaceExpression
    | ReplaceInside
    | SetKeyword
    | SetItem
    | AwaitExpression
    | AddImport
    | AppendStatements
)
