"""Formatted strings of newer Pythons, written so that the Python that runs us can parse them too.

A field may use the quotes of its string again since Python 3.12, and backslashes, and go on on the next line. The
quotes inside become those of the other kind, which in turn become blanks, as a backslash does, a string in a field of a
field becomes a name, and a string with a field of several lines gets three quotes: lines stay where they are, and so do
columns up to there.
"""

from __future__ import annotations

_PREFIXES = frozenset("bfrtuBFRTU")
_OTHER = {'"': "'", "'": '"'}
Changes = dict[int, str]
"""What stands for a character, by its place in the text."""


def with_older_strings(text: str) -> str:
    """The text with formatted strings as they were before; the same text where all are."""
    changes: Changes = {}
    place = 0
    while place < len(text):
        place = past(text, place, changes)
    return "".join(changes.get(number, character) for number, character in enumerate(text)) if changes else text


def past(text: str, place: int, changes: Changes) -> int:
    """The place behind what begins at one: a comment, a string, or any other character."""
    if text[place] == "#":
        end = text.find("\n", place)
        return end if end >= 0 else len(text)
    quotes = quotes_at(text, place)
    return past_string(text, place, quotes, changes) if quotes else place + 1


def quotes_at(text: str, place: int) -> str:
    """The quotes with which a string begins there; "" where none does."""
    quote = text[place]
    if quote not in _OTHER:
        return ""
    return quote * 3 if text.startswith(quote * 3, place) else quote


def is_formatted(text: str, place: int) -> bool:
    """Whether the letters before the quotes make fields of what is in braces."""
    start = place
    while start > 0 and place - start < 2 and text[start - 1] in _PREFIXES:
        start -= 1
    is_name = start > 0 and (text[start - 1].isalnum() or text[start - 1] == "_")
    return not is_name and not {"f", "t"}.isdisjoint(text[start:place].lower())


def past_string(text: str, place: int, quotes: str, changes: Changes, around: int = 0) -> int:
    """The place behind a string, whose fields are changed where it has some; ``around`` is how many it stands in."""
    has_fields = is_formatted(text, place)
    at, is_long = place + len(quotes), False
    while at < len(text) and not text.startswith(quotes, at):
        if text[at] == "\\" or (has_fields and text.startswith("{{", at)):
            at += 2
        elif has_fields and text[at] == "{":
            end = past_field(text, at, quotes, changes, around + 1)
            is_long = is_long or "\n" in text[at:end]
            at = end
        elif text[at] == "\n" and len(quotes) == 1:
            return at  # no string at all
        else:
            at += 1
    if is_long and len(quotes) == 1:
        changes[place] = changes[at] = quotes * 3
    return at + len(quotes)


def past_field(text: str, place: int, quotes: str, changes: Changes, around: int) -> int:
    """The place behind a field of a string with these quotes, in which other strings are changed."""
    depth, at = 0, place
    while at < len(text):
        depth += (text[at] in "([{") - (text[at] in ")]}")
        inner = quotes_at(text, at)
        if inner:
            end = past_string(text, at, inner, changes, around)
            if around > 1:
                put_name(text, at, end, changes)
            else:
                soften(text, at, end, inner, quotes, changes)
            at = end
        elif depth == 0:
            return at + 1
        else:
            at += 1
    return at


def put_name(text: str, start: int, end: int, changes: Changes) -> None:
    """Put a name in the place of a string for which there is no third kind of quotes."""
    changes.update((number, " ") for number in range(start, end) if text[number] != "\n")
    changes[start] = "_"


def soften(text: str, start: int, end: int, inner: str, outer: str, changes: Changes) -> None:
    """Change a string in a field: its quotes, where they would end the string around it, and its backslashes."""
    other, length = _OTHER[inner[0]], len(inner)
    changes.update((number, " ") for number in range(start, end) if text[number] == "\\")
    if inner[0] == outer[0] and length >= len(outer):
        within = range(start + length, end - length)
        changes.update((number, " ") for number in within if text[number] == other)
        for number in range(length):
            changes[start + number] = changes[end - 1 - number] = other
