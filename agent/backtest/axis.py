"""Axes of a chart: where a value stands, and which values are written beside it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime, timedelta

from scalers.sentence import amount

_MOST_TICKS = 5
_MARGIN = 0.03
_MOST_TIMES = 9
_LAST_TIME = 0.97  # of the axis: a later one's words would stand over the edge
_HOURS = (1, 2, 3, 6, 12, 24, 48, 96, 168)


@dataclass(frozen=True, slots=True)
class Tick:
    """One written value."""

    share: float  # of the axis' length, 0 to 1
    text: str
    is_minor: bool = False  # left out where the chart is narrow


@dataclass(frozen=True, slots=True)
class Axis:
    """A range of values; logarithmic from its low end, or linear."""

    low: float
    high: float
    is_log: bool = False

    def share(self, value: float) -> float:
        """Return where a value stands, 0 at the low end and 1 at the high one."""
        if self.is_log:
            value = max(value, self.low)
            return (math.log(value) - math.log(self.low)) / (math.log(self.high) - math.log(self.low))
        return (value - self.low) / (self.high - self.low)


def from_zero(most: float) -> tuple[Axis, tuple[Tick, ...]]:
    """Return a linear axis from 0 to a round value above `most`."""
    step = _round_step(max(most, 1e-9) / _MOST_TICKS)
    high = step * math.ceil(max(most, 1e-9) / step)
    axis = Axis(0.0, high)
    return axis, tuple(_tick(axis, number * step) for number in range(round(high / step) + 1))


def between(low: float, high: float) -> tuple[Axis, tuple[Tick, ...]]:
    """Return a linear axis a little wider than two values, with round ticks inside."""
    margin = _MARGIN * max(high - low, 1e-9)
    axis = Axis(low - margin, high + margin)
    step = _round_step((axis.high - axis.low) / _MOST_TICKS)
    ticks = range(math.ceil(axis.low / step), math.floor(axis.high / step) + 1)
    return axis, tuple(_tick(axis, number * step) for number in ticks)


def decades(low: float, high: float) -> tuple[Axis, tuple[Tick, ...]]:
    """Return a logarithmic axis over whole decades around two values above 0."""
    first = math.floor(math.log10(low) + 1e-9)
    last = max(math.ceil(math.log10(high) - 1e-9), first + 1)
    axis = Axis(10.0**first, 10.0**last, is_log=True)
    return axis, tuple(Tick(axis.share(10.0**power), f"{10.0**power:g}") for power in range(first, last + 1))


def times(start: datetime, end: datetime) -> tuple[Tick, ...]:
    """Return round times between two instants, with the day where it changes."""
    span = end - start
    hours = next((each for each in _HOURS if span / timedelta(hours=each) <= _MOST_TIMES), _HOURS[-1])
    step = timedelta(hours=hours)
    midnight = start.replace(hour=0, minute=0, second=0, microsecond=0)
    instants = [midnight + number * step for number in range(int((end - midnight) / step) + 1)]
    shown = [instant for instant in instants if 0 <= (instant - start) / span <= _LAST_TIME]
    return tuple(
        Tick((instant - start) / span, _time(instant, is_first=not place), is_minor=place % 2 == 1)
        for place, instant in enumerate(shown)
    )


def _time(instant: datetime, *, is_first: bool) -> str:
    if instant.hour == 0 and instant.minute == 0:
        return f"{instant:%a} {instant.day} {instant:%b}"
    return f"{instant:%a %H:%M}" if is_first else f"{instant:%H:%M}"


def _round_step(least: float) -> float:
    size: float = 10.0 ** math.floor(math.log10(least))
    return next(factor * size for factor in (1, 2, 5, 10) if factor * size >= least * (1 - 1e-9))


def _tick(axis: Axis, value: float) -> Tick:
    return Tick(axis.share(value), amount(round(value, 12)))
