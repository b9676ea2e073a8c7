"""What a rule is about, for the terminal, for scripts and as ``docs/rules``: all from the rule's own module.

``python -m flake8_dbsession.explain --write docs/rules`` writes the pages anew; a test says when they are old.
"""

from __future__ import annotations

import argparse
import difflib
import json
import pathlib
import sys
from collections.abc import Iterator, Sequence
from typing import Any

from .example import Example, example_of
from .model import Rule
from .render import links
from .render.page import Page, page_of

FAMILIES = {
    "ORM1": "A connection is not given back",
    "ORM2": "A connection is held while the program waits",
    "ORM3": "A session is shared",
    "ORM4": "Configuration and the connection budget",
    "ORM9": "Opinions, off by default",
}
_EXAMPLE_AFTER = "Why it matters"


def main(argv: Sequence[str] | None = None) -> int:
    """``dbsession explain CODE…``: prints pages; 2 when there is no such rule."""
    parser = argparse.ArgumentParser(prog="dbsession explain", description="Print the page of a rule.")
    parser.add_argument("rule", nargs="+", help="a code such as ORM101 or a name such as session-never-closed")
    parser.add_argument("--output-format", choices=("text", "markdown", "json"), default="text")
    options = parser.parse_args(argv)
    rules = [find(name) for name in options.rule]
    for name, rule in zip(options.rule, rules, strict=True):
        if rule is None:
            print(f"dbsession explain: {_unknown(name)}", file=sys.stderr)
    found = [rule for rule in rules if rule is not None]
    if options.output_format == "json":
        print(json.dumps([as_value(rule) for rule in found], indent=2, ensure_ascii=False))
    elif found:
        print("\n\n".join(_FORMATS[options.output_format](rule).rstrip("\n") for rule in found))
    return 0 if len(found) == len(rules) else 2


def main_rules(argv: Sequence[str] | None = None) -> int:
    """``dbsession rules``: prints every rule in a line, as a Markdown table, or as JSON with its page."""
    parser = argparse.ArgumentParser(prog="dbsession rules", description="List all rules.")
    parser.add_argument("--output-format", choices=("text", "markdown", "json"), default="text")
    options = parser.parse_args(argv)
    rules = all_rules()
    if options.output_format == "json":
        print(json.dumps([as_value(rule) for rule in rules], indent=2, ensure_ascii=False))
    elif options.output_format == "markdown":
        print(index(rules), end="")
    else:
        width = max((len(rule.name) for rule in rules), default=0)
        for rule in rules:
            print(
                f"{rule.code}  {rule.name:{width}}  {rule.summary}{'' if rule.on_by_default else ' (off by default)'}"
            )
    return 0


def all_rules() -> tuple[Rule, ...]:
    """Every rule, by code."""
    from .rules import ALL

    return tuple(sorted(ALL, key=lambda rule: rule.code))


def find(name: str) -> Rule | None:
    """The rule with the code or name ``name``, whatever its case."""
    wanted = name.strip().lower()
    return next((rule for rule in all_rules() if wanted in (rule.code.lower(), rule.name)), None)


def _unknown(name: str) -> str:
    known = [word for rule in all_rules() for word in (rule.code, rule.name)]
    near = difflib.get_close_matches(name.upper(), known, 1) or difflib.get_close_matches(name.lower(), known, 1)
    return f"there is no rule {name!r}" + (f"; did you mean {near[0]}?" if near else "; see: dbsession rules")


def as_text(rule: Rule) -> str:
    """The page for a terminal."""
    page, example = page_of(rule), example_of(rule.code)
    parts = [f"{rule.code} {rule.name}", page.title, _facts(rule)]
    for heading, text in _sections(page, example):
        parts.append(f"{heading}\n{_indented(text)}" if heading else _indented(text))
    return "\n\n".join(parts) + "\n"


def as_markdown(rule: Rule) -> str:
    """The page for ``docs/rules``."""
    page, example = page_of(rule), example_of(rule.code)
    parts = [f"# {rule.name} ({rule.code})", page.title, _facts(rule)]
    for heading, text in _sections(page, example, fence="```"):
        parts.append(f"## {heading}\n\n{text}" if heading else text)
    return "\n\n".join(parts) + "\n"


def as_value(rule: Rule) -> dict[str, Any]:
    """The page as plain data."""
    page, example = page_of(rule), example_of(rule.code)
    return {
        "code": rule.code,
        "name": rule.name,
        "summary": rule.summary,
        "title": page.title,
        "since": rule.since,
        "on_by_default": rule.on_by_default,
        "sections": dict(page.sections),
        "example": example._asdict() if example else None,
        "url": links.page(rule.code),
    }


def index(rules: Sequence[Rule]) -> str:
    """The table of contents of ``docs/rules``."""
    lines = ["# Rules", "", "`dbsession explain CODE` prints the page of a rule. Rules marked ○ are off by default."]
    for family, title in FAMILIES.items():
        members = [rule for rule in rules if rule.code.startswith(family)]
        if members:
            lines += ["", f"## {family}xx: {title}", "", "| code | name | reports |", "|---|---|---|"]
            lines += [_row(rule) for rule in members]
    return "\n".join(lines) + "\n"


def write(folder: pathlib.Path, rules: Sequence[Rule]) -> None:
    """Write every page and the index into ``folder``; the pages of rules that are gone are removed."""
    folder.mkdir(parents=True, exist_ok=True)
    pages = {f"{rule.code}.md": as_markdown(rule) for rule in rules} | {"README.md": index(rules)}
    for old in set(folder.glob("ORM*.md")) - {folder / name for name in pages}:
        old.unlink()
    for name, text in pages.items():
        (folder / name).write_text(text, "utf-8", newline="\n")


def _row(rule: Rule) -> str:
    summary = rule.summary.replace("|", "\\|")
    return f"| [{rule.code}]({rule.code}.md){'' if rule.on_by_default else ' ○'} | {rule.name} | {summary} |"


def _facts(rule: Rule) -> str:
    return f"{'On' if rule.on_by_default else 'Off'} by default. Since {rule.since}."


def _sections(page: Page, example: Example | None, fence: str = "") -> Iterator[tuple[str, str]]:
    """The page's sections with the example behind why it matters, or last where that is not told."""
    shown = list(_example(example, fence)) if example else []
    for heading, text in page.sections:
        yield heading, text
        if heading == _EXAMPLE_AFTER:
            yield from shown
            shown = []
    yield from shown


def _example(example: Example, fence: str) -> Iterator[tuple[str, str]]:
    start, end = (f"{fence}python\n", f"\n{fence}") if fence else ("", "")
    yield "Example", f"{start}{example.bad.rstrip()}{end}"
    if example.good:
        title = "The example after dbsession fix" if example.by_fixer else "The example mended by hand"
        yield title, f"{start}{example.good.rstrip()}{end}"


def _indented(text: str) -> str:
    return "\n".join(f"    {line}" if line else "" for line in text.splitlines())


_FORMATS = {"text": as_text, "markdown": as_markdown}


if __name__ == "__main__":
    _parser = argparse.ArgumentParser(description="Write the pages of all rules.")
    _parser.add_argument("--write", type=pathlib.Path, required=True, metavar="FOLDER")
    write(_parser.parse_args().write, all_rules())
