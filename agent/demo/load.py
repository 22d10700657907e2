"""The demo's load: what a chat inference service is offered, day after day.

Every value follows from the seed and its instant alone, so weeks of the past and any later step can be asked for in any
order. Parts: a daily shape with weekdays and weekends, two scheduled jobs that recur, slow drift and fast noise. Once a
day the data have a gap, and once on each live day a flash crowd comes that nothing foretells.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from forecasters.series import EPOCH, grid_index, grid_instant

STEP = timedelta(seconds=15)  # the HPA's sync period, and a usual scrape interval
DAY = timedelta(days=1)
STEPS_PER_DAY = DAY // STEP

_HOURS = (0, 2, 4, 6, 7, 8, 9, 10, 11.5, 13, 14.5, 16, 17.5, 19, 20.5, 22, 24)
_WEEKDAY = (0.24, 0.17, 0.15, 0.19, 0.28, 0.47, 0.76, 0.93, 0.96, 0.82, 0.98, 0.95, 0.78, 0.60, 0.58, 0.42, 0.24)
_WEEKEND = (0.24, 0.18, 0.15, 0.15, 0.17, 0.22, 0.31, 0.41, 0.50, 0.53, 0.52, 0.51, 0.50, 0.49, 0.47, 0.36, 0.24)


@dataclass(frozen=True, slots=True)
class RecurringJob:
    """A batch client that calls the service at the same time every day, such as an evaluation run."""

    starts: timedelta  # after midnight UTC
    lasts: timedelta
    rate: float  # requests per second while it runs
    on_weekends: bool


@dataclass(frozen=True, slots=True)
class LoadShape:
    """Everything that the load is made of. Rates are requests per second."""

    seed: int
    live_since: datetime  # midnight UTC of the first live day: flash crowds come from then on
    peak: float = 150.0  # of a usual weekday's shape, before noise
    jobs: tuple[RecurringJob, ...] = (
        RecurringJob(starts=timedelta(hours=2), lasts=timedelta(minutes=40), rate=60.0, on_weekends=True),
        RecurringJob(starts=timedelta(hours=12), lasts=timedelta(minutes=20), rate=45.0, on_weekends=False),
    )
    job_ramp: timedelta = timedelta(seconds=90)  # how long a job takes to reach its rate
    day_spread: float = 0.03  # standard deviation of a whole day's level, a ratio
    drift: float = 0.03  # standard deviation of the slow noise, a ratio
    drift_memory: timedelta = timedelta(minutes=10)  # time in which its autocorrelation falls to 1/e
    dispersion: float = 2.0  # variance of the requests counted in a step over their mean; 1 is Poisson
    flash_rate: float = 45.0  # largest extra load of a flash crowd
    flash_rise: timedelta = timedelta(minutes=6)
    flash_decay: timedelta = timedelta(minutes=15)  # time in which it falls to 1/e
    gap: timedelta = timedelta(minutes=20)  # how long the data are missing, once a day


class SimulatedLoad:
    """The load that a shape describes, and when its data are missing."""

    def __init__(self, shape: LoadShape) -> None:
        self.shape = shape

    def demand(self, first: int, count: int) -> NDArray[np.float64]:
        """Return the mean requests per second of `count` steps; step i covers [i, i + 1) x 15 s since the epoch."""
        days = range(first // STEPS_PER_DAY, (first + count - 1) // STEPS_PER_DAY + 1)
        if not days:
            return np.zeros(0)
        values = np.concatenate([_day_demand(self.shape, day) for day in days])
        skipped = first - days[0] * STEPS_PER_DAY
        return values[skipped : skipped + count]

    def demand_at(self, instant: datetime) -> float:
        """Return the mean requests per second of the step that holds an instant."""
        index = grid_index(instant, STEP)
        return float(_day_demand(self.shape, index // STEPS_PER_DAY)[index % STEPS_PER_DAY])

    def peak_between(self, since: datetime, until: datetime) -> float:
        """Return the largest load of the steps that touch [since, until]."""
        first = grid_index(since, STEP)
        return float(self.demand(first, grid_index(until, STEP) - first + 1).max())

    def gap_of(self, day: int) -> tuple[datetime, datetime]:
        """Return the start (included) and the end (not included) of a day's gap; `day` counts from the epoch."""
        chance = _chances(self.shape, day)
        start = day * STEPS_PER_DAY + round((18 + 4 * chance[1]) * STEPS_PER_DAY / 24)
        return grid_instant(start, STEP), grid_instant(start, STEP) + self.shape.gap

    def gap_around(self, instant: datetime) -> tuple[datetime, datetime] | None:
        """Return the gap that holds an instant, if one does."""
        start, end = self.gap_of((instant - EPOCH) // DAY)
        return (start, end) if start <= instant < end else None

    def gaps_between(self, since: datetime, until: datetime) -> list[tuple[datetime, datetime]]:
        """Return the gaps that touch [since, until)."""
        days = range((since - EPOCH) // DAY, (until - EPOCH) // DAY + 1)
        return [gap for gap in map(self.gap_of, days) if gap[0] < until and gap[1] > since]

    def flash_of(self, day: int) -> datetime | None:
        """Return when a day's flash crowd begins to come, if it has one. `day` counts from the epoch."""
        if grid_instant(day, DAY) < self.shape.live_since:
            return None
        return grid_instant(day, DAY) + timedelta(hours=13 + 4 * float(_chances(self.shape, day)[0]))


@lru_cache(maxsize=64)
def _day_demand(shape: LoadShape, day: int) -> NDArray[np.float64]:
    seconds = np.arange(STEPS_PER_DAY, dtype=np.float64) * STEP.total_seconds()
    usual = shape.peak * _profile(day, seconds) * _level(shape, day, seconds) * np.exp(_drift(shape, day))
    rate = usual + _jobs(shape, day, seconds) + _flash(shape, day, seconds)
    counted = np.sqrt(rate * shape.dispersion / STEP.total_seconds()) * _white(shape, day, stream=2)
    demand = np.maximum(rate + counted, 0.0)
    demand.setflags(write=False)
    return demand


def _is_weekend(day: int) -> bool:
    return grid_instant(day, DAY).weekday() >= 5


def _profile(day: int, seconds: NDArray[np.float64]) -> NDArray[np.float64]:
    """The daily shape, straight between its knots: 1 is the busiest hour of a weekday."""
    return np.interp(seconds / 3600, _HOURS, _WEEKEND if _is_weekend(day) else _WEEKDAY)


def _level(shape: LoadShape, day: int, seconds: NDArray[np.float64]) -> NDArray[np.float64]:
    """How busy this day is among its like; it moves from midnight to midnight without a jump."""
    levels = [1 + shape.day_spread * float(_white(shape, each, stream=3)[0]) for each in (day, day + 1)]
    return np.interp(seconds, (0, DAY.total_seconds()), levels)


def _drift(shape: LoadShape, day: int) -> NDArray[np.float64]:
    """Autocorrelated noise: white noise under an exponential kernel that reaches back into the day before."""
    memory = shape.drift_memory / STEP
    kernel = np.exp(-np.arange(int(6 * memory)) / memory)
    kernel *= shape.drift / np.sqrt(np.sum(kernel**2))
    before = _white(shape, day - 1, stream=1)[STEPS_PER_DAY - len(kernel) + 1 :]
    return np.convolve(np.concatenate([before, _white(shape, day, stream=1)]), kernel, mode="valid")


def _jobs(shape: LoadShape, day: int, seconds: NDArray[np.float64]) -> NDArray[np.float64]:
    total = np.zeros_like(seconds)
    ramp = shape.job_ramp.total_seconds()
    for job in shape.jobs:
        if job.on_weekends or not _is_weekend(day):
            start, end = job.starts.total_seconds(), (job.starts + job.lasts).total_seconds()
            total += np.interp(seconds, (start, start + ramp, end, end + ramp), (0.0, job.rate, job.rate, 0.0))
    return total


def _flash(shape: LoadShape, day: int, seconds: NDArray[np.float64]) -> NDArray[np.float64]:
    starts = SimulatedLoad(shape).flash_of(day)
    if starts is None:
        return np.zeros_like(seconds)
    since = seconds - (starts - grid_instant(day, DAY)).total_seconds()
    rise, decay = shape.flash_rise.total_seconds(), shape.flash_decay.total_seconds()
    return shape.flash_rate * np.clip(since / rise, 0, 1) * np.exp(-np.maximum(since - rise, 0) / decay)


def _chances(shape: LoadShape, day: int) -> NDArray[np.float64]:
    return np.random.default_rng((shape.seed, day, 0)).random(2)


@lru_cache(maxsize=256)
def _white(shape: LoadShape, day: int, *, stream: int) -> NDArray[np.float64]:
    return np.random.default_rng((shape.seed, day, stream)).standard_normal(STEPS_PER_DAY)
