"""The live decision code, driven by a simulation: the one place of a backtest that knows the engine."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from agent.inline import InlineDecider
from agent.sources.source import SignalState, SourceError
from forecasters.series import Series
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
        self._decider = InlineDecider(policy, gap=_NO_DEMAND)

    def learn(self, history: Series) -> None:
        """Take up a past, and fit."""
        self._decider.learn(history)

    def answer(self, at: datetime, demand: float | None, replicas: Replicas) -> float | None:
        """Return what the decision of an instant gives KEDA."""
        return self._decider.decide(at, demand, replicas).for_keda
