"""One measured number, and the limit that it has to keep."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Figure:
    """A row of `make bench`."""

    name: str
    value: float | None  # None where it was not measured; the name says why
    unit: str  # such as "ms CPU"
    limit: float | None = None  # the most that is allowed; None where the number is only stated
