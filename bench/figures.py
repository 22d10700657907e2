"""Measured numbers, and the limits that they have to keep."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from rich.table import Table


@dataclass(frozen=True, slots=True)
class Figure:
    """A row of `make bench`."""

    name: str
    value: float | None  # None where it was not measured; the name says why
    unit: str  # such as "ms CPU"
    limit: float | None = None  # the most that is allowed; None where the number is only stated

    @property
    def is_over(self) -> bool:
        """Whether it was measured above its limit."""
        return self.limit is not None and self.value is not None and self.value > self.limit


def table(group: str, figures: Iterable[Figure]) -> Table:
    """Return figures for people."""
    rows = Table(title=group, title_justify="left", title_style="bold")
    for name, justify in (("figure", "left"), ("value", "right"), ("limit", "right"), ("unit", "left"), ("", "left")):
        rows.add_column(name, justify=justify)  # type: ignore[arg-type]  # rich wants its own literal
    for figure in figures:
        limit = "" if figure.limit is None else f"{figure.limit:.4g}"
        value = "" if figure.value is None else f"{figure.value:.4g}"
        rows.add_row(figure.name, value, limit, figure.unit, "over" if figure.is_over else "")
    return rows
