"""History from a CSV file, `timestamp,value`: for `replay`, for what-ifs, and as a source of its own.

Times are unix seconds or ISO 8601 (UTC where no offset is given), in any order and spacing. A file whose name ends in
.gz is unpacked.
"""

from __future__ import annotations

import csv
import gzip
import re
from array import array
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

import numpy as np
from numpy.typing import NDArray

from agent.sources.source import Backfill, SignalState, SourceError
from forecasters.series import Series, grid_instant

if TYPE_CHECKING:
    from _csv import Reader  # has no public name

MOST_POINTS = 5_000_000  # two years at 15 s; more is a wrong time in the file
LATEST_SECONDS = datetime(2200, 1, 1, tzinfo=UTC).timestamp()  # later ones are milliseconds
HOLD = 1.5  # spacings for which a value holds: the usual one and half of it for jitter
LONGEST_CELL = 40  # characters that a message repeats


class InvalidCsv(SourceError):
    """A file cannot be read as a series; the message names file, line and value."""

    def __init__(self, where: str, what: str, *, mend: str) -> None:
        super().__init__(SignalState.MALFORMED, f"{where}: {what}", mend=mend, is_retriable=False)


@dataclass(frozen=True, slots=True)
class Columns:
    """Names in the header. A file of two columns needs no header: time, then value."""

    timestamp: str = "timestamp"
    value: str = "value"


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """What a file says, by time."""

    seconds: NDArray[np.float64]  # since the epoch, ascending, no two alike; shape (n,)
    values: NDArray[np.float64]  # demand units, not below 0; NaN where the row has no usable value; shape (n,)
    lines: NDArray[np.int64]  # of the file; shape (n,)
    dropped: int
    warnings: tuple[str, ...]  # what was dropped and why


def read_csv_series(
    path: Path, step: timedelta, *, columns: Columns | None = None, now: datetime | None = None
) -> Backfill:
    """Read a file onto a grid.

    Several rows within a step become their mean, at the grid point that ends the step. Where rows are further apart
    than the step, a value holds until the next row, for at most one and a half of the file's usual spacing; beyond that
    is a gap. So a point never knows a later row.

    Args:
        path: the file.
        step: spacing of the grid.
        columns: names of the columns.
        now: rows after it are dropped.

    Raises:
        InvalidCsv: it cannot be read, a column is missing, a cell is no time or number, or no row is usable.
    """
    rows = read_rows(path, columns=columns or Columns(), now=now)
    if not np.isfinite(rows.values).any():
        raise InvalidCsv(str(path), "holds no usable row", mend="give at least one row `timestamp,value`")
    return Backfill(on_grid(path, rows, step), rows.dropped, rows.warnings)


def read_rows(path: Path, *, columns: Columns, now: datetime | None = None) -> Rows:
    """Read the rows of a file, telling which cannot be used.

    Raises:
        InvalidCsv: the file cannot be read, a column is missing, or a cell is no time or number.
    """
    table = _read(path, columns)
    seconds, values = table.seconds, table.values
    is_past = seconds <= (now.timestamp() if now else LATEST_SECONDS)
    is_usable = np.isfinite(values) & (values >= 0)
    dropped = {
        "have no value": np.isnan(values),
        "are infinite": np.isinf(values),
        "are below 0": values < 0,
        "lie in the future": ~is_past,
        "repeat a time": _repeats(seconds, is_usable) & is_past,
    }
    disorder = np.concatenate([[False], np.diff(seconds) < 0])
    kept = np.flatnonzero(is_past & ~dropped["repeat a time"])
    kept = kept[np.argsort(seconds[kept], kind="stable")]
    odd = {f"dropped rows that {reason}": rows for reason, rows in dropped.items()}
    odd["rows earlier than the one before them, put in order"] = disorder
    told = tuple(f"{path}: {what}: {table.count(rows)}" for what, rows in odd.items() if rows.any())
    usable = np.where(is_usable, values, np.nan)
    lines = np.array(table.lines, dtype=np.int64)[kept]
    return Rows(seconds[kept], usable[kept], lines, sum(int(rows.sum()) for rows in dropped.values()), told)


def on_grid(path: Path, rows: Rows, step: timedelta) -> Series:
    """Return rows on a grid from the first to the last of them."""
    width = step.total_seconds()
    index = np.ceil(np.round(rows.seconds / width, 6)).astype(np.int64)  # the grid point that ends the row's step
    first, count = int(index[0]), int(index[-1] - index[0]) + 1
    if count > MOST_POINTS:
        span = f"{datetime.fromtimestamp(rows.seconds[0], UTC)} to {datetime.fromtimestamp(rows.seconds[-1], UTC)}"
        raise InvalidCsv(str(path), f"reaches from {span}, {count} steps", mend="check the first and the last time")
    is_known = np.isfinite(rows.values)
    places, known = index[is_known] - first, rows.values[is_known]
    with np.errstate(invalid="ignore"):  # a step without a row is a gap
        values = np.bincount(places, weights=known, minlength=count) / np.bincount(places, minlength=count)
    _hold(values, rows, first_seconds=first * width, width=width)
    return Series(grid_instant(first, step), step, values)


def _hold(values: NDArray[np.float64], rows: Rows, *, first_seconds: float, width: float) -> None:
    spacing = float(np.median(np.diff(rows.seconds))) if len(rows.seconds) > 1 else 0.0
    if spacing <= width:
        return
    empty = np.flatnonzero(np.isnan(values))
    instants = first_seconds + empty * width
    before = np.searchsorted(rows.seconds, instants, side="right") - 1
    holds = instants - rows.seconds[before] < HOLD * spacing
    values[empty[holds]] = rows.values[before[holds]]


def _repeats(seconds: NDArray[np.float64], is_usable: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return which rows are not the one that counts of those alike in time: the first with a usable value."""
    order = np.lexsort((~is_usable, seconds))
    _, first = np.unique(seconds[order], return_index=True)
    repeats = np.ones(len(seconds), np.bool_)
    repeats[order[first]] = False
    return repeats


@dataclass(frozen=True, slots=True, eq=False)
class _Table:
    """A file's rows in its own order."""

    seconds: NDArray[np.float64]
    values: NDArray[np.float64]
    rows: list[list[str]]
    lines: array[int]

    def count(self, rows: NDArray[np.bool_]) -> str:
        """Say how many rows are meant, and show the first."""
        first = int(np.argmax(rows))
        shown = ",".join(self.rows[first])[:LONGEST_CELL]
        return f"{int(rows.sum())}, the first is line {self.lines[first]}: {shown}"


def _read(path: Path, columns: Columns) -> _Table:
    rows, numbers_of_lines = [], array("q")
    with _cells(path) as lines:
        for row in lines:
            if row:
                rows.append(row)
                numbers_of_lines.append(lines.line_num)
    if not rows:
        return _Table(np.empty(0), np.empty(0), rows, numbers_of_lines)
    at, value = _places(path, rows, columns)
    del numbers_of_lines[: len(numbers_of_lines) - len(rows)]  # the header's
    try:
        times = [row[at] for row in rows]
        numbers = [row[value] or "nan" for row in rows]
        seconds = _seconds(times)
        values = np.array(numbers, dtype=np.float64)
    except (IndexError, ValueError, OverflowError) as error:
        raise _first_fault(path, at, value) from error
    if seconds.size and not -LATEST_SECONDS <= seconds.min() <= seconds.max() <= LATEST_SECONDS:
        raise InvalidCsv(str(path), f"has the time {seconds.max():.0f}", mend="give unix seconds, not milliseconds")
    return _Table(seconds, values, rows, numbers_of_lines)


@contextmanager
def _cells(path: Path) -> Iterator[Reader]:
    try:
        with _open(path) as file:
            yield csv.reader(file)
    except (OSError, EOFError, UnicodeDecodeError, csv.Error) as error:
        reason = getattr(error, "strerror", None) or error
        raise InvalidCsv(
            str(path), f"cannot be read: {reason}", mend="give a CSV file that the agent may read"
        ) from error


def _open(path: Path) -> TextIO:
    if path.suffix == ".gz":
        return gzip.open(path, "rt", encoding="utf-8-sig", newline="")
    return path.open(encoding="utf-8-sig", newline="")


def _places(path: Path, rows: list[list[str]], columns: Columns) -> tuple[int, int]:
    """Return the places of the two columns and take the header off the rows."""
    first = [cell.strip() for cell in rows[0]]
    if len(first) == 2 and _is_time(first[0]):
        return 0, 1
    del rows[0]
    return _place(path, first, columns.timestamp), _place(path, first, columns.value)


def _place(path: Path, header: Sequence[str], name: str) -> int:
    if name in header:
        return header.index(name)
    close = get_close_matches(name, header, n=1)
    hint = f"; did you mean {close[0]!r}?" if close else ""
    raise InvalidCsv(
        f"{path}:1", f"has no column {name!r} but {', '.join(header)[:200]}{hint}", mend="name the columns of the file"
    )


def _is_time(cell: str) -> bool:
    try:
        _seconds([cell])
    except (ValueError, OverflowError):
        return False
    return True


def _seconds(cells: Sequence[str]) -> NDArray[np.float64]:
    """Return times as unix seconds; a column is in one of the two forms throughout."""
    if cells and _is_iso(cells[0]):
        return np.array([_iso_seconds(cell) for cell in cells], dtype=np.float64)
    seconds = np.array(cells, dtype=np.float64)
    if not np.isfinite(seconds).all():
        raise ValueError("a time is not finite")
    return seconds


def _is_iso(cell: str) -> bool:
    return re.match(r"\s*\d{4}-\d\d-\d\d", cell) is not None


def _iso_seconds(cell: str) -> float:
    instant = datetime.fromisoformat(cell.strip())
    return (instant if instant.tzinfo else instant.replace(tzinfo=UTC)).timestamp()


def _first_fault(path: Path, at: int, value: int) -> InvalidCsv:
    """Read again, slowly, to say which line it is."""
    mend = "mend the line or take it out"
    form: str | None = None  # the first time, whose form all others must have
    with _cells(path) as lines:
        for row in lines:
            where = f"{path}:{lines.line_num}"
            if not row or (form is None and not _is_time(row[at])):
                continue  # empty, or the header
            if len(row) <= max(at, value):
                return InvalidCsv(where, f"has {len(row)} columns and needs {max(at, value) + 1}", mend=mend)
            form = form or row[at]
            if not _is_time(row[at]) or _is_iso(row[at]) != _is_iso(form):
                return InvalidCsv(where, f"time {row[at][:LONGEST_CELL]!r} is not one like {form!r}", mend=mend)
            if not _is_number(row[value]):
                return InvalidCsv(where, f"value {row[value][:LONGEST_CELL]!r} is not a number", mend=mend)
    return InvalidCsv(str(path), "changed while it was read", mend="read it again")


def _is_number(cell: str) -> bool:
    try:
        np.array([cell or "nan"], dtype=np.float64)
    except ValueError:
        return False
    return True
