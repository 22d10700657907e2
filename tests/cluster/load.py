"""A load with the shape of a day, at speed: a scrape target that replays it, and the past that came before."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from forecasters.series import Series, grid_index, grid_instant
from tests.real.prometheus import rig

_NOISE = 0.005  # standard deviation, a share of the load
_STEP = timedelta(seconds=10)  # of the past
_BOW = 0.2  # share of the noon that is missing at both ends of the day


@dataclass(frozen=True, slots=True)
class DayShape:
    """One day: night, a morning's rise, day with a noon, an evening. Times in seconds, loads in demand units."""

    length: float
    rises_at: float  # unix time at which one of its rises begins; the others lie whole days before and after
    rise: float
    night: float
    noon: float
    light: float = 0.45  # share of the length from the begin of the rise to that of the evening

    def at(self, times: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the load at unix times, without noise; shape (n,) as `times`."""
        since = np.mod(times - self.rises_at, self.length)
        risen = np.clip(since / self.rise, 0.0, 1.0)
        fallen = np.clip((since - self.light * self.length) / (2 * self.rise), 0.0, 1.0)
        share = 0.5 - 0.5 * np.cos(np.pi * risen * (1.0 - fallen))
        bow = 1.0 - _BOW + _BOW * np.sin(np.pi * np.minimum(since / (self.light * self.length), 1.0))
        return self.night + (self.noon - self.night) * share * bow

    def before(self, now: float, days: timedelta) -> Series:
        """Return the past up to a moment, with noise that is the same each time."""
        count = days // _STEP
        end = grid_index(datetime.fromtimestamp(now, UTC), _STEP)
        first = grid_instant(end - count, _STEP)
        times = first.timestamp() + np.arange(count) * _STEP.total_seconds()
        noise = 1.0 + _NOISE * np.random.default_rng(1).standard_normal(count)
        return Series(first, _STEP, self.at(times) * noise)


class ReplayedLoad(rig.Exporter):
    """A scrape target whose metrics follow days, by name, on this machine's clock."""

    def __init__(self, days: Mapping[str, DayShape]) -> None:
        self._days = dict(days)
        self._noise = np.random.default_rng(2)
        super().__init__()

    def samples(self) -> dict[str, float]:
        noise = 1.0 + _NOISE * float(self._noise.standard_normal())
        now = np.array([time.time()])
        return {name: float(day.at(now)[0]) * noise for name, day in self._days.items()}
