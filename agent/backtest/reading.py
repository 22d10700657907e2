"""Reads the past that a backtest plays, from a file or from Prometheus."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from agent.backtest.load import SYNC, Load, UnusableLoad, from_rows, from_series, spike_limit, spike_note
from agent.sources.csv import Columns, InvalidCsv, read_rows
from agent.sources.source import RangeSource
from forecasters.series import Series, grid_index, grid_instant

_PIECE = timedelta(days=1)  # one range request; a bar moves once a day read


@dataclass(frozen=True, slots=True)
class Span:
    """The part of a past that is wanted; None is without an end."""

    since: datetime | None = None
    until: datetime | None = None
    length: timedelta | None = None  # before `until`, or before the end of what is there


def read_csv(path: Path, span: Span) -> Load:
    """Return the load that a CSV file `timestamp,value` describes.

    Raises:
        InvalidCsv: it cannot be read, a cell is no time or number, or no row is usable.
        UnusableLoad: no row lies in the span.
    """
    rows = read_rows(path, columns=Columns())
    if not np.isfinite(rows.values).any():
        raise InvalidCsv(str(path), "holds no usable row", mend="give rows `timestamp,value`")
    first, last = rows.seconds[0], rows.seconds[-1]
    until = span.until.timestamp() if span.until else last
    since = span.since.timestamp() if span.since else first
    if span.length:
        since = max(since, until - span.length.total_seconds())
    wanted = (rows.seconds >= since) & (rows.seconds <= until)
    if not np.isfinite(rows.values[wanted]).any():
        told = f"{_instant(first):%Y-%m-%d %H:%M} to {_instant(last):%Y-%m-%d %H:%M} UTC"
        raise UnusableLoad(f"{path}: no usable row in the time asked for; its rows reach from {told}")
    seconds, values, notes = rows.seconds[wanted], rows.values[wanted], rows.warnings
    limit = spike_limit(values)
    spikes = values > limit
    if spikes.any():
        line = rows.lines[wanted][np.nanargmax(values)]
        notes += (spike_note(str(path), values[spikes], limit, f"in line {line}"),)
    return replace(from_rows(seconds, np.where(spikes, np.nan, values)), notes=notes)


async def read_range(source: RangeSource, span: Span, now: datetime, told: Callable[[float], None]) -> Load:
    """Return the load that a source had, day by day.

    Args:
        source: where it is.
        span: the part of it; its length counts where no beginning is given.
        now: the end where none is given.
        told: is told the share of it that has been read.

    Raises:
        SourceError: the source did not answer.
        UnusableLoad: it has nothing in the span.
    """
    until = span.until or now
    since = span.since or until - (span.length or _PIECE)
    if since >= until:
        raise UnusableLoad(
            f"the time asked for ends at {until:%Y-%m-%d %H:%M}, before it begins at {since:%Y-%m-%d %H:%M}"
        )
    first, last = grid_index(since, SYNC), grid_index(until, SYNC)
    pieces = []
    begin = first
    while begin <= last:
        end = min(begin + _PIECE // SYNC - 1, last)
        piece = await source.range(grid_instant(begin, SYNC), grid_instant(end, SYNC), SYNC)
        pieces.append(piece)
        begin = end + 1
        told((begin - first) / (last + 1 - first))
    notes = tuple(dict.fromkeys(warning for piece in pieces for warning in piece.warnings))
    values = np.concatenate([piece.series.values for piece in pieces])
    limit = spike_limit(values)
    spikes = values > limit
    if spikes.any():
        worst = grid_instant(first + int(np.nanargmax(values)), SYNC)
        notes += (spike_note("the query", values[spikes], limit, f"at {worst:%Y-%m-%d %H:%M:%S} UTC"),)
    return from_series(Series(grid_instant(first, SYNC), SYNC, np.where(spikes, np.nan, values)), notes)


def _instant(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
