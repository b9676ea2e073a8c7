"""What becomes of one expression: a keyword set, an item set, an ``await`` in front, other code in its place."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from typing import Any

import libcst as cst

from . import commas
from .ground import Refusal

Change = Callable[[Any], Any]
"""From the old node to the new one."""

_ATOMS = (
    cst.Name,
    cst.Attribute,
    cst.Call,
    cst.Subscript,
    cst.BaseNumber,
    cst.BaseString,
    cst.BaseList,
    cst.BaseSet,
    cst.BaseDict,
    cst.Ellipsis,
)
_NEEDS_ATOM = (
    cst.BaseExpression,
    cst.ComparisonTarget,
    cst.StarredElement,
    cst.StarredDictElement,
    cst.CompFor,
    cst.CompIf,
)
_TAKES_AWAIT = (cst.Attribute, cst.Call, cst.Subscript, cst.Await)


def parse(code: str) -> cst.BaseExpression:
    """The expression ``code``; raises :class:`~.ground.Refusal` where it is none."""
    try:
        return cst.parse_expression(code)
    except cst.ParserSyntaxError:
        raise Refusal(f"the new code is no expression: {code}") from None


def replaced(code: str, parent: cst.CSTNode) -> Change:
    """Other code in the place of an expression, with parentheses where ``parent`` needs them."""
    new = parse(code)

    def change(old: cst.BaseExpression) -> cst.BaseExpression:
        if old.lpar and not new.lpar:
            return new.with_changes(lpar=old.lpar, rpar=old.rpar)
        needed = isinstance(parent, _NEEDS_ATOM) and not isinstance(parent, cst.Yield | cst.NamedExpr | cst.Lambda)
        return _in_parentheses(new) if needed and not isinstance(new, _ATOMS) else new

    return change


def replaced_inside(old: str, new: str) -> Change:
    """A string with ``new`` in the place of each ``old`` in its braces."""
    sought, instead = parse(old), parse(new)

    class Exchange(cst.CSTTransformer):
        def on_leave(self, original_node: Any, updated_node: Any) -> Any:
            is_it = isinstance(original_node, type(sought)) and original_node.deep_equals(sought)
            return instead if is_it else updated_node

    def change(string: cst.BaseExpression) -> cst.BaseExpression:
        if not isinstance(string, cst.FormattedString | cst.ConcatenatedString):
            raise Refusal("the expression is no f-string")
        changed: Any = string.visit(Exchange())
        return changed  # type: ignore[no-any-return]

    return change


def awaited(parent: cst.CSTNode) -> Change:
    """``await`` in front of an expression whose own parentheses go around both."""

    def change(old: cst.BaseExpression) -> cst.BaseExpression:
        operand = old.with_changes(lpar=(), rpar=())
        if not isinstance(operand, _ATOMS):
            operand = _in_parentheses(operand)
        new = cst.Await(operand, lpar=old.lpar, rpar=old.rpar)
        return _in_parentheses(new) if isinstance(parent, _TAKES_AWAIT) and not new.lpar else new

    return change


def _in_parentheses(node: cst.BaseExpression) -> cst.BaseExpression:
    if node.lpar:
        return node
    return node.with_changes(lpar=[cst.LeftParen()], rpar=[cst.RightParen()])


def keyword_set(name: str, code: str) -> Change:
    """A call with the keyword argument ``name`` set to ``code``.

    Refused where ``**`` arguments may hold the keyword already, and for a lone generator expression, which
    would need parentheses.
    """
    value = parse(code)

    def change(call: cst.BaseExpression) -> cst.BaseExpression:
        if not isinstance(call, cst.Call):
            raise Refusal("the expression is no call")
        for number, arg in enumerate(call.args):
            if arg.keyword is not None and arg.keyword.value == name:
                args = [*call.args]
                args[number] = arg.with_changes(value=value)
                return call.with_changes(args=args)
        return _keyword_added(call, name, value)

    return change


def _keyword_added(call: cst.Call, name: str, value: cst.BaseExpression) -> cst.Call:
    if any(arg.star == "**" for arg in call.args):
        raise Refusal(f"the call takes ** arguments, which may hold {name!r} already")
    if any(isinstance(arg.value, cst.GeneratorExp) and not arg.value.lpar for arg in call.args):
        raise Refusal("the only argument is a generator expression without parentheses")
    tight = cst.AssignEqual(whitespace_before=commas.NOTHING, whitespace_after=commas.NOTHING)
    new = cst.Arg(value, keyword=cst.Name(name), equal=tight)
    last = call.args[-1] if call.args else new
    between = commas.separator(call.args, call.whitespace_before_args)
    args, closing = commas.append(call.args, new, between, last.whitespace_after_arg)
    if call.args:
        args[-2] = args[-2].with_changes(whitespace_after_arg=commas.NOTHING)
    args[-1] = args[-1].with_changes(whitespace_after_arg=closing)
    return call.with_changes(args=args)


def item_set(key: str, code: str) -> Change:
    """A dictionary display with the string key ``key`` set to ``code``; the last of equal keys counts."""
    value = parse(code)

    def change(display: cst.BaseExpression) -> cst.BaseExpression:
        if not isinstance(display, cst.Dict):
            raise Refusal("the expression is no dictionary display")
        keys = [_string(element) for element in display.elements]
        if key in keys:
            number = len(keys) - 1 - keys[::-1].index(key)
            elements = [*display.elements]
            elements[number] = elements[number].with_changes(value=value)
            return display.with_changes(elements=elements)
        return _item_added(display, key, value)

    return change


def _item_added(display: cst.Dict, key: str, value: cst.BaseExpression) -> cst.Dict:
    new = cst.DictElement(cst.SimpleString(_quoted(key, display)), value)
    between = commas.separator(display.elements, display.lbrace.whitespace_after)
    elements, closing = commas.append(display.elements, new, between, display.rbrace.whitespace_before)
    return display.with_changes(elements=elements, rbrace=cst.RightCurlyBrace(whitespace_before=closing))


def _string(element: cst.BaseDictElement) -> str | None:
    """The key of a dictionary item when it is a plain string."""
    if isinstance(element, cst.DictElement) and isinstance(element.key, cst.SimpleString | cst.ConcatenatedString):
        value = element.key.evaluated_value
        return value if isinstance(value, str) else None
    return None


def _quoted(key: str, display: cst.Dict) -> str:
    """``key`` as a string literal with the quotes that the other keys have."""
    singles = any(
        isinstance(element, cst.DictElement) and isinstance(element.key, cst.SimpleString) and element.key.quote == "'"
        for element in display.elements
    )
    literal = repr(key)
    if singles or '"' in literal:
        return literal
    return f'"{literal[1:-1]}"'


def names_joined(new_names: Sequence[str]) -> Change:
    """``from … import`` with more names, in the order that the names have."""

    def change(statement: Any) -> Any:
        for name in new_names:
            statement = _name_joined(statement, name)
        return statement

    return change


def _name_joined(statement: cst.ImportFrom, name: str) -> cst.ImportFrom:
    assert not isinstance(statement.names, cst.ImportStar)
    names, new = statement.names, cst.ImportAlias(cst.Name(name))
    opening = statement.lpar.whitespace_after if statement.lpar else commas.NOTHING
    between = commas.separator(names, opening)
    at = _sorted_place([each.evaluated_name for each in names], name)
    if at < len(names):
        return statement.with_changes(names=commas.insert(names, at, new, between))
    closing = statement.rpar.whitespace_before if statement.rpar else commas.NOTHING
    joined, closing = commas.append(names, new, between, closing)
    rpar = statement.rpar.with_changes(whitespace_before=closing) if statement.rpar else None
    return statement.with_changes(names=joined, rpar=rpar)


def _sorted_place(names: Sequence[str], name: str) -> int:
    """Where ``name`` belongs among ``names``: in their order where they have one, or at the end."""
    for key in (_by_kind, str.casefold):
        keys = [key(each) for each in names]
        if keys == sorted(keys):
            return bisect_right(keys, key(name))
    return len(names)


def _by_kind(name: str) -> tuple[int, str]:
    """Constants, then classes, then the rest, as isort and ruff sort them."""
    kind = 0 if name.isupper() and len(name) > 1 else 1 if name[:1].isupper() else 2
    return kind, name.casefold()
