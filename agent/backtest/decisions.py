"""The live decision code, driven by a simulation: the one place of a backtest that knows the engine."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from agent.decider import Decider
from agent.fitting.fit import run_fit
from agent.sources.source import Reading, Sample, SignalState, SourceError
from forecasters.series import Series
from forecasters.table import FORECASTERS
from scalers.decision import Replicas
from scalers.policy import ScalingPolicy

_NO_DEMAND = SourceError(
    SignalState.EMPTY, "the past has a gap here", mend="nothing can be done about a past", is_retriable=True
)


class Decisions(Protocol):
    """Whoever answers a simulated HPA."""

    def learn(self, history: Series) -> None:
        """Take up a past."""
        ...

    def answer(self, at: datetime, demand: float | None, replicas: Replicas) -> float | None:
        """Return the replicas that KEDA would get, None for an error. Instants come in order, None is a gap."""
        ...


class LiveDecisions:
    """What `foretide run` would have answered."""

    def __init__(self, policy: ScalingPolicy) -> None:
        """Take a policy with one signal."""
        self._decider = Decider(policy, FORECASTERS)
        self._signal = next(iter(self._decider.signals.values()))

    def learn(self, history: Series) -> None:
        """Take up a past, and fit."""
        self._signal.take_past(fine=history)
        self._fit(history.end)

    def answer(self, at: datetime, demand: float | None, replicas: Replicas) -> float | None:
        """Return what the decision of an instant gives KEDA."""
        if demand is None:
            self._signal.missed(_NO_DEMAND)
        else:
            self._signal.observe(Reading(Sample(at, demand), newest=None), at)
        self._fit(at)
        return self._decider.decide(at, replicas=replicas).for_keda

    def _fit(self, now: datetime) -> None:
        for job in self._decider.jobs(now):
            self._decider.accept(run_fit(job), now)
