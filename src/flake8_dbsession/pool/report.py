"""The budget for people and for scripts: a table with every factor, the verdict, and settings that fit."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from .budget import Budget, Fit, fitting, relative
from .factors import Factor, How
from .parts import Part
from .shares import UNLIMITED

VERDICTS = {
    "fits": "It fits.",
    "over": "It does not fit: the server will refuse connections.",
    "unknown": "Cannot be said: a number that decides is unknown.",
}
_EXAMPLES = (2, 4, 6)
"""Processes of a small, a medium and a large server (2, 4 and 8 CPUs)."""


def text(budgets: list[Budget], root: str) -> str:
    """Everything, as a table that is made for a terminal; paths as seen from ``root``."""
    parts = [_one(budget, root) for budget in budgets]
    return "\n\n".join(parts) + "\n"


def _one(budget: Budget, root: str) -> str:
    lines = [f"Connection budget for {budget.limits.title}", ""]
    lines += _table([("factor", "number", "from", "how known"), *_rows(budget, root)])
    lines += ["", *_sum(budget), VERDICTS[budget.verdict]]
    if budget.missing:
        lines += ["", "Unknown:", *(f"  {f.title}: {f.remark or f.place}" for f in _unique(budget.missing, root))]
    assumptions = list(_assumptions(budget))
    if assumptions:
        lines += ["", "Assumed:", *(f"  {line}" for line in assumptions)]
    return "\n".join([*lines, *_proposal(budget)])


def _unique(factors: list[Factor], root: str) -> list[Factor]:
    return list(dict.fromkeys(f._replace(path=relative(f.path, root)) for f in factors))


def _rows(budget: Budget, root: str) -> Iterator[tuple[str, str, str, str]]:
    for service in budget.processes:
        title = f"processes of {service.service}" + (f" ({service.program})" if service.program else "")
        yield _row(title, service.workers, root)
        if service.copies:
            yield _row(f"× copies of {service.service}", service.copies, root)
    for share in budget.shares:
        yield _row(f"pool_size at {relative(share.path, root)}:{share.line}", share.size, root)
        yield _row(f"+ max_overflow at {relative(share.path, root)}:{share.line}", share.overflow, root)
    yield _row("max_connections", budget.limits.connections, root)
    yield _row("− reserved", budget.limits.reserved, root)


def _row(title: str, factor: Factor, root: str) -> tuple[str, str, str, str]:
    place = factor._replace(path=relative(factor.path, root)).place if factor.path else "–"
    known = factor.how.value
    if factor.how is How.VARIABLE:
        known = f"unless {factor.remark} says otherwise"
    elif factor.remark:
        known = f"{known}: {factor.remark}"
    return title, _number(factor.number), place, known


def _number(number: int | None) -> str:
    if number is None:
        return "?"
    return "no limit" if number >= UNLIMITED else str(number)


def _table(rows: list[tuple[str, ...]]) -> list[str]:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    rows = [rows[0], tuple("-" * width for width in widths), *rows[1:]]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]


def _sum(budget: Budget) -> Iterator[str]:
    """The arithmetic in a line, and the server's side in another."""
    yield f"{' + '.join(map(_part, budget.parts))} = {_total(budget)}"
    usable = budget.limits.usable
    yield f"{budget.limits.title} takes {_number(usable)}"


def _part(part: Part) -> str:
    processes = _number(part.number) if part.processes else "1 or more"
    return f"{processes} processes × {_number(part.capacity)} connections each"


def _total(budget: Budget) -> str:
    return _number(budget.total) if budget.total is not None else f"at least {_number(budget.at_least)}"


def _assumptions(budget: Budget) -> Iterator[str]:
    if not budget.processes:
        yield "one process at least: no deployment file starts a known program, and nothing is configured"
    elif len(budget.sources) > 1:
        yield f"processes are those of the {budget.sources[0]}; not added: {', '.join(budget.sources[1:])}"
    if len(budget.parts) > 1:
        yield "every process makes the engines that its modules import, and all of them reach one server"
    elif len(budget.shares) > 1:
        yield "every process makes every engine, and all of them reach one server"
    elif budget.shares and budget.processes:
        yield "every process makes this engine"
    if budget.limits.connections.how is How.ASSUMED:
        yield f"max_connections is {budget.limits.connections.remark}: set max-connections in [tool.dbsession.pool]"


def _proposal(budget: Budget) -> list[str]:
    """Settings that fit: for this project where it does not, and for servers of three sizes."""
    usable = budget.limits.usable
    if usable is None or not budget.shares:
        return []
    lines = []
    fit = budget.fit()
    if budget.verdict == "over":
        lines += ["", "Settings that fit:", f"  {_fit(fit)}" if fit else "  none with so many processes and engines"]
    found = [fitting(usable, n, len(budget.shares)) for n in _EXAMPLES]
    rows = [(str(f.processes), str(f.size), str(f.overflow), str(f.total)) for f in found if f]
    if rows:
        header = ("processes", "pool_size up to", "max_overflow up to", "connections")
        lines += ["", f"What fits into {usable}, by number of processes:", *_table([header, *rows])]
    return lines


def _fit(fit: Fit) -> str:
    engines = f" × {fit.engines} engines" if fit.engines > 1 else ""
    each = f"({fit.size} + {fit.overflow})"
    return (
        f"pool_size={fit.size}, max_overflow={fit.overflow}: "
        f"{fit.processes} processes{engines} × {each} = {fit.total} connections"
    )


def value(budgets: list[Budget], root: str) -> list[dict[str, Any]]:
    """The same for scripts: plain values, ready for JSON; unknown numbers are null."""
    return [_value(budget, root) for budget in budgets]


def _value(budget: Budget, root: str) -> dict[str, Any]:
    fit = budget.fit()
    return {
        "server": budget.limits.kind,
        "verdict": budget.verdict,
        "proven": budget.is_proven,
        "total": budget.total,
        "at_least": budget.at_least,
        "usable": budget.limits.usable,
        "max_connections": _factor(budget.limits.connections, root),
        "reserved": _factor(budget.limits.reserved, root),
        "wait_timeout": _factor(budget.limits.idle, root),
        "processes": [
            {
                "service": p.service,
                "program": p.program,
                "workers": _factor(p.workers, root),
                "copies": _factor(p.copies, root) if p.copies else None,
            }
            for p in budget.processes
        ],
        "engines": [
            {
                "filename": relative(s.path, root),
                "row": s.line,
                "pool_size": _factor(s.size, root),
                "max_overflow": _factor(s.overflow, root),
            }
            for s in budget.shares
        ],
        "assumed": list(_assumptions(budget)),
        "fits": {"pool_size": fit.size, "max_overflow": fit.overflow, "connections": fit.total} if fit else None,
    }


def _factor(factor: Factor, root: str) -> dict[str, Any]:
    return {
        "number": factor.number,
        "filename": relative(factor.path, root),
        "row": factor.line,
        "how": factor.how.name.lower(),
        "remark": factor.remark,
    }
