"""A policy's decider where nothing waits for anything: each fit runs, in this process, before the next decision."""

from __future__ import annotations

from datetime import datetime, timedelta

from agent.decider import Decider
from agent.fitting.fit import run_fit
from agent.sources.source import Reading, Sample, SourceError
from forecasters.series import Series
from forecasters.table import FORECASTERS
from scalers.decision import Decision, Replicas
from scalers.policy import ScalingPolicy


class InlineDecider:
    """What `foretide run` would have decided, for a policy with one signal; the clock is whoever drives it."""

    def __init__(self, policy: ScalingPolicy, *, gap: SourceError) -> None:
        """Take a policy; `gap` is what an instant without demand is told as."""
        self._decider = Decider(policy, FORECASTERS)
        self._signal = next(iter(self._decider.signals.values()))
        self._gap = gap

    @property
    def step(self) -> timedelta:
        """Time between two samples of the signal."""
        return self._signal.policy.step

    def learn(self, past: Series) -> None:
        """Take up a past, and fit."""
        self._signal.take_past(fine=past)
        self._fit(past.end)

    def decide(self, at: datetime, demand: float | None, replicas: Replicas | None) -> Decision:
        """Return the decision of an instant. Instants come in order; no demand is a gap."""
        if demand is None:
            self._signal.missed(self._gap)
        else:
            self._signal.observe(Reading(Sample(at, demand), newest=None), at)
        self._fit(at)
        return self._decider.decide(at, replicas=replicas)

    def _fit(self, now: datetime) -> None:
        for job in self._decider.jobs(now):
            self._decider.accept(run_fit(job), now)
