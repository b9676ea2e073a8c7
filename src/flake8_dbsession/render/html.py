"""One HTML page that needs nothing else: a summary, the findings by rule and by module, and each with its picture."""

from __future__ import annotations

import difflib
import itertools
import pathlib
from collections import Counter
from collections.abc import Iterable, Iterator
from html import escape

from ..model import Diagnostic, Rule
from . import Edit, Report
from .held import Kind
from .html_frame import frame, symbol
from .page import page_of
from .paths import relative

_HERE = pathlib.Path(__file__).parent


def render(report: Report) -> str:
    """The whole page."""
    style, script = ((_HERE / name).read_text("utf-8") for name in ("html.css", "html.js"))
    body = "\n".join([_head(report), *_body(report)])
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>dbsession: {len(report.diagnostics)} findings</title>\n<style>\n{style}</style></head>\n"
        f"<body><main>\n{body}\n</main>\n<script>\n{script}</script></body></html>\n"
    )


def _head(report: Report) -> str:
    files = len({diagnostic.path for diagnostic in report.diagnostics})
    fixes = sum(diagnostic.plan is not None for diagnostic in report.diagnostics)
    counts = {"findings": len(report.diagnostics), "files with findings": files, "files checked": report.checked}
    counts |= {"with a fix": fixes}
    if report.errors:
        counts["could not be checked"] = len(report.errors)
    cards = "".join(f'<div class="card"><b>{count}</b>{escape(label)}</div>' for label, count in counts.items())
    about = f'<p class="soft">dbsession {escape(report.version)} on {escape(report.root)}</p>'
    return f'<h1>Sessions and connections</h1>{about}<div class="cards">{cards}</div>'


def _body(report: Report) -> Iterator[str]:
    if report.errors:
        yield "<h2>Could not be checked</h2>" + _list(str(problem) for problem in report.errors)
    yield from (f"<h2>{escape(heading)}</h2>{svg}" for heading, svg in report.pictures)
    if not report.diagnostics:
        yield "<h2>Nothing was found</h2>"
        return
    yield "<h2>By rule</h2>" + _by_rule(report)
    yield "<h2>By module</h2>" + _by_module(report)
    yield "<h2>Findings</h2>" + _tools()
    numbers = itertools.count(1)
    for path, diagnostics in itertools.groupby(report.diagnostics, key=lambda diagnostic: diagnostic.path):
        name = relative(path, report.root)
        articles = "".join(_article(diagnostic, next(numbers), report) for diagnostic in diagnostics)
        yield f'<div class="module" id="{escape(name)}"><h3><code>{escape(name)}</code></h3>{articles}</div>'
    yield from _pages(report)


def _by_rule(report: Report) -> str:
    found = Counter((diagnostic.code, diagnostic.name) for diagnostic in report.diagnostics)
    most = max(found.values())
    rows = [
        f'<tr><td><a href="#rule-{code}">{code}</a></td><td>{escape(name)}</td>{_counted(count, most, code)}</tr>'
        for (code, name), count in sorted(found.items())
    ]
    return f"<table><tr><th>rule</th><th>name</th>{_COUNT_HEAD}</tr>{''.join(rows)}</table>"


def _by_module(report: Report) -> str:
    found = Counter(relative(diagnostic.path, report.root) for diagnostic in report.diagnostics)
    most = max(found.values())
    rows = [
        f'<tr><td><a href="#{escape(path)}"><code>{escape(path)}</code></a></td>{_counted(count, most, path)}</tr>'
        for path, count in sorted(found.items(), key=lambda item: (-item[1], item[0]))
    ]
    return f"<table><tr><th>module</th>{_COUNT_HEAD}</tr>{''.join(rows)}</table>"


_COUNT_HEAD = '<th class="number">findings</th><th></th>'


def _counted(count: int, most: int, word: str) -> str:
    bar = f'<i style="width:{count / most:.1%}"></i>'
    link = f'<a href="#findings" data-filter="{escape(word)}">{count}</a>'
    return f'<td class="number">{link}</td><td class="bar">{bar}</td>'


def _tools() -> str:
    signs = {
        "opened": Kind.OPENED,
        "connection taken": Kind.TAKEN,
        "waits while it is held": Kind.WAIT,
        "given back, but not on every way": Kind.MISSED,
        "not given back": Kind.LOST,
    }
    legend = "".join(
        f'<span><svg width="18" height="18" aria-hidden="true">{symbol(kind, 9, 9)}</svg>{label}</span>'
        for label, kind in signs.items()
    )
    strokes = {"held": "bar", "perhaps held further": "open"}
    legend += "".join(
        f'<span><svg width="18" height="18" aria-hidden="true"><path class="{name}" d="M9 0V18"/></svg>{label}</span>'
        for label, name in strokes.items()
    )
    return (
        '<div class="tools" id="findings"><input id="filter" hidden type="search" aria-label="filter"'
        ' placeholder="filter by rule, module or text"><span class="soft" id="shown"></span>'
        f'<span class="legend">{legend}</span></div>'
    )


def _article(diagnostic: Diagnostic, number: int, report: Report) -> str:
    place = f"line {diagnostic.span.line}" + (f" in {diagnostic.function}" if diagnostic.function else "")
    head = (
        f'<header><a class="tag" href="#rule-{diagnostic.code}">{diagnostic.code}</a>'
        f'<span class="soft">{escape(diagnostic.name)}, {escape(place)}</span>'
        f"<p>{escape(diagnostic.message)}</p></header>"
    )
    lines = report.lines(diagnostic.path)
    more = "".join(_more(diagnostic, report, lines))
    more = f'<div class="more">{more}</div>' if more else ""
    return f'<article id="finding-{number}">{head}{frame(diagnostic, lines)}{more}</article>'


def _more(diagnostic: Diagnostic, report: Report, lines: list[str]) -> Iterator[str]:
    for note in diagnostic.notes:
        if note.path and note.path != diagnostic.path:
            place = f"{relative(note.path, report.root)}:{note.span.line}"
            yield f'<p><code>{escape(place)}</code> <span class="soft">{escape(note.sentence)}</span></p>'
    plan = diagnostic.plan
    if plan is not None:
        reason = f' <span class="soft">{escape(plan.reason)}</span>' if plan.reason else ""
        yield f'<p><span class="tag">{plan.safety.value} fix</span>{escape(plan.title)}{reason}</p>'
        yield _diff(lines, report.edits(diagnostic))
    elif diagnostic.refusal:
        yield f'<p class="soft">No fix: {escape(diagnostic.refusal)}</p>'


def _diff(lines: list[str], edits: tuple[Edit, ...]) -> str:
    if not edits:
        return ""
    shown = []
    for line in list(difflib.unified_diff(lines, _edited(lines, edits), lineterm="", n=1))[2:]:
        style = {"+": "plus", "-": "minus", "@": "soft"}.get(line[0], "")
        shown.append(f'<span class="{style}">{escape("⋯" if line[0] == "@" else line)}</span>')
    return f'<div class="diff">{"".join(shown)}</div>'


def _edited(lines: list[str], edits: Iterable[Edit]) -> list[str]:
    """The lines after the edits, which do not overlap."""
    starts = [0, *itertools.accumulate(len(line) + 1 for line in lines)]
    text = "\n".join([*lines, ""])
    for edit in sorted(edits, reverse=True):
        first = starts[edit.span.line - 1] + edit.span.column
        last = starts[min(edit.span.end_line, len(starts)) - 1] + edit.span.end_column
        text = text[:first] + edit.text + text[last:]
    return text.splitlines()


def _pages(report: Report) -> Iterator[str]:
    """What the rules that were found are about."""
    found = {diagnostic.code: diagnostic.name for diagnostic in report.diagnostics}
    rules = {rule.code: rule for rule in report.rules}
    yield "<h2>The rules</h2>"
    for code, name in sorted(found.items()):
        yield f'<section class="page" id="rule-{code}"><h3>{code} {escape(name)}</h3>{_page(rules.get(code))}</section>'


def _page(rule: Rule | None) -> str:
    if rule is None:
        return ""
    page = page_of(rule)
    sections = (f"<h4>{escape(heading)}</h4>{_prose(text)}" for heading, text in page.sections)
    return f"<p>{_inline(page.title)}</p>{''.join(sections)}"


def _prose(text: str) -> str:
    """Paragraphs; one with indented or listed lines keeps its lines."""
    blocks = [block for block in text.split("\n\n") if block.strip()]
    kept = [any(line.startswith((" ", "- ", "* ", "|")) for line in block.splitlines()) for block in blocks]
    return "".join(
        f"<pre>{_inline(block)}</pre>" if keep else f"<p>{_inline(' '.join(block.split()))}</p>"
        for block, keep in zip(blocks, kept, strict=True)
    )


def _inline(text: str) -> str:
    """``text`` with what stands between two double backticks as code."""
    parts = escape(text).split("``")
    return "".join(f"<code>{part}</code>" if number % 2 else part for number, part in enumerate(parts))


def _list(items: Iterable[str]) -> str:
    return f"<ul>{''.join(f'<li><code>{escape(item)}</code></li>' for item in items)}</ul>"
