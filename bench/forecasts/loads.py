"""Made-up loads of known structure, the same on every run: three weeks at 5 min, what is special in the last days."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from forecasters.series import Series

STEP = timedelta(minutes=5)
DAY = timedelta(days=1) // STEP
DAYS = 21
MONDAY = datetime(2026, 1, 5, tzinfo=UTC)

Values = NDArray[np.float64]
Random = np.random.Generator


def generated() -> Mapping[str, Series]:
    """Return every load by its name, in demand units per second; each has a seed of its own."""
    return MappingProxyType(
        {
            name: Series(MONDAY, STEP, np.maximum(make(np.random.default_rng(seed)), 0.0))
            for seed, (name, make) in enumerate(LOADS.items(), start=1)
        }
    )


def daily(random: Random) -> Values:
    """A smooth day, and noise that fades within the hour."""
    return _day() + _noise(random, 3.0)


def weekly(random: Random) -> Values:
    """Working days with two humps, quieter weekends that peak later."""
    phase = _days() % 1
    working = 70 + 40 * np.exp(-(((phase - 0.42) / 0.08) ** 2)) + 50 * np.exp(-(((phase - 0.62) / 0.1) ** 2))
    weekend = 50 + 25 * np.exp(-(((phase - 0.8) / 0.12) ** 2))
    return np.where(_days() // 1 % 7 < 5, working, weekend) * np.exp(_noise(random, 0.02))


def trend(random: Random) -> Values:
    """A day whose swing grows with a level that triples in three weeks."""
    return _day() * np.linspace(0.6, 1.8, _rows()) * np.exp(_noise(random, 0.02))


def level_shift(random: Random) -> Values:
    """A day that moves up by 60 % for good, once in the history and once in the scored days, and down in between."""
    level = np.ones(_rows())
    for first, factor in ((9.3, 1.6), (14.6, 1.0), (19.4, 1.6)):
        level[round(first * DAY) :] = factor
    return _day() * level + _noise(random, 3.0)


def cron(random: Random) -> Values:
    """Ten minutes of four times the load at every full hour, and of nine times at 2 in the morning."""
    minute = np.arange(_rows()) * 5 % 1440
    spike = np.where(minute % 60 < 10, 60.0, 0.0) + np.where((minute >= 120) & (minute < 130), 100.0, 0.0)
    return 20 + spike * random.uniform(0.9, 1.1, _rows()) + _noise(random, 1.0)


def bursts(random: Random) -> Values:
    """Bursts at any time, about eight a day, of any height, half an hour long in the mean."""
    values = np.full(_rows(), 30.0)
    for first in np.flatnonzero(random.random(_rows()) < 8 / DAY):
        length = 1 + int(random.exponential(6))
        values[first : first + length] += random.pareto(2.5) * 60
    return values + _noise(random, 2.0)


def flash_crowd(random: Random) -> Values:
    """A day over which a crowd comes four times, twice in the scored days: up within 15 min, gone within hours."""
    values = _day()
    for first, height in ((6.4, 2.0), (11.7, 3.0), (18.55, 3.0), (20.2, 2.0)):
        since = _days() - first
        rise = np.clip(since / (15 / 1440), 0, 1) * np.exp(-np.clip(since - 15 / 1440, 0, None) / 0.06)
        values = values * (1 + height * np.where(since >= 0, rise, 0.0))
    return values + _noise(random, 3.0)


def counts(random: Random) -> Values:
    """Few requests, mostly none: counts in 5 min with a day's shape, overdispersed (negative binomial)."""
    mean = 0.8 + 0.7 * np.sin(2 * np.pi * _days())
    return random.poisson(mean * random.gamma(0.7, 1 / 0.7, _rows())).astype(np.float64)


LOADS: Mapping[str, Callable[[Random], Values]] = MappingProxyType(
    {
        "daily shape": daily,
        "day and week": weekly,
        "trend and day": trend,
        "level shift": level_shift,
        "cron spikes": cron,
        "bursts without pattern": bursts,
        "flash crowd": flash_crowd,
        "low counts": counts,
    }
)


def _rows() -> int:
    return DAYS * DAY


def _days() -> Values:
    return np.arange(_rows()) / DAY


def _day() -> Values:
    shape: Values = 100.0 + 40.0 * np.sin(2 * np.pi * _days())
    return shape


def _noise(random: Random, deviation: float) -> Values:
    """x(t) = 0.8 x(t - 1) + normal shocks of this deviation."""
    shocks = random.normal(scale=deviation, size=_rows())
    noise = np.zeros(_rows())
    for row in range(1, _rows()):
        noise[row] = 0.8 * noise[row - 1] + shocks[row]
    return noise
