"""What `foretide demo --once` prints: both ways of scaling in four figures."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict

from rich.table import Table

from agent.demo.tally import Result

_ROWS: tuple[tuple[str, Callable[[Result], float], str], ...] = (
    ("replica-hours paid", lambda result: result.replica_hours, "{:.1f}"),
    ("requests unserved", lambda result: result.unserved_pct, "{:.3f} %"),
    ("time short", lambda result: result.short_pct, "{:.2f} %"),
    ("changes per hour", lambda result: result.actions_per_h, "{:.1f}"),
)


def as_json(results: Mapping[str, Result]) -> str:
    """Return the results as `{"reactive": {…}, "foretide": {…}}`."""
    return json.dumps({name: asdict(result) for name, result in results.items()})


def as_table(results: Mapping[str, Result], *, days: int) -> Table:
    """Return the results as a table for people."""
    span = "one simulated day" if days == 1 else f"{days} simulated days"
    table = Table(title=f"The same load on {span}", title_justify="left", title_style="bold")
    table.add_column("")
    for heading in ("HPA at 70 %", "Foretide", "difference"):
        table.add_column(heading, justify="right")
    for label, figure, form in _ROWS:
        before, after = figure(results["reactive"]), figure(results["foretide"])
        table.add_row(label, form.format(before), form.format(after), _difference(before, after))
    return table


def _difference(before: float, after: float) -> str:
    if not before:
        return "–"
    change = round(100 * (after / before - 1))
    return f"{change:+d} %".replace("-", "−")
