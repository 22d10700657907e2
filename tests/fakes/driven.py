"""A decider driven sample by sample, its fits run at once, as `replay` does it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

import numpy as np

from agent.decider import Decider
from agent.fitting.fit import run_fit
from agent.signal import Signal
from agent.sources.source import Reading, Sample, SignalState, SourceError
from forecasters.series import EPOCH, Series
from forecasters.table import FORECASTERS
from scalers.decision import Decision, Replicas
from scalers.policy import ScalingPolicy

STEP = timedelta(seconds=15)
MISSING = SourceError(SignalState.EMPTY, "the query returned nothing", mend="look at the query", is_retriable=True)


class Driven:
    """A decider whose clock is the caller's."""

    def __init__(self, policy: ScalingPolicy, *, stored: Mapping[str, bytes] | None = None) -> None:
        self.decider = Decider(policy, FORECASTERS)
        self.signal.restore(stored or {})

    @property
    def signal(self) -> Signal:
        return next(iter(self.decider.signals.values()))

    def learn(self, past: Series) -> None:
        """Take up a past and fit."""
        self.signal.take_past(fine=past)
        self.fit(past.end)

    def fit(self, now: datetime) -> None:
        for job in self.decider.jobs(now):
            self.decider.accept(run_fit(job), now)

    def read(self, now: datetime, value: float | None, *, at: datetime | None = None) -> Decision:
        """Decide on a sample of an instant, by default of now; None is a source that gave nothing."""
        if value is None:
            self.signal.missed(MISSING)
        else:
            self.signal.observe(Reading(Sample(at or now, value), newest=None), now)
        return self.decide(now)

    def decide(self, now: datetime, *, replicas: Replicas | None = None) -> Decision:
        self.fit(now)
        return self.decider.decide(now, replicas=replicas)


def past_of(
    demand: Callable[[datetime], float], *, end: datetime, span: timedelta, noise: float = 0.0, step: timedelta = STEP
) -> Series:
    """Return a demand's past up to, and without, an instant of the grid."""
    rows = span // step
    start = end - rows * step
    values = np.array([demand(start + row * step) for row in range(rows)])
    values += np.random.default_rng(1).normal(scale=noise, size=rows) if noise else 0.0
    assert not (start - EPOCH) % step
    return Series(start, step, np.maximum(values, 0.0))
