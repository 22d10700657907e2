"""What the engine shows of a policy: an immutable picture for HTTP, the page, `explain` and status."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from forecasters.forecast import Forecast
from forecasters.series import Series
from scalers.advantage import Advantage
from scalers.decision import Decision
from scalers.lead_time import LeadTimeReport
from scalers.policy import PolicyKey, ScalingPolicy


@dataclass(frozen=True, slots=True)
class Condition:
    """A named truth about a policy, as in a Kubernetes status."""

    type: str  # Ready, DataFresh, ForecastTrusted, CapacityKnown, Conflict, TriggerInShadow
    status: bool | None  # None is Unknown
    reason: str  # CamelCase
    message: str  # what a person can act on
    since: datetime


@dataclass(frozen=True, slots=True)
class Unseen:
    """Why nothing is known of a scale target's replicas."""

    reason: str  # CamelCase
    message: str  # what a person can act on


@dataclass(frozen=True, slots=True)
class TrustRow:
    """How the best expert of one family has done lately."""

    signal: str
    model: str  # the family
    loss: float | None  # replicas over those of reactive scaling that keeps the risk; None where there are none
    is_trusted: bool  # whether it keeps the risk; the one that answers is in the policy's advantages
    note: str  # the expert, or such as "needs 31 h more history"


@dataclass(frozen=True, slots=True)
class CoverageRow:
    """How often demand stayed at or below a published quantile of its peak."""

    signal: str
    level: float
    observed: float
    count: int


@dataclass(frozen=True, slots=True, eq=False)
class PolicySnapshot:
    """One policy at one instant."""

    key: PolicyKey
    taken_at: datetime
    policy: ScalingPolicy
    document: Mapping[str, object]  # the ForecastPolicy as JSON, credentials never in it
    conditions: tuple[Condition, ...]
    decision: Decision | None
    forecasts: Mapping[str, Forecast]  # by signal, of the trusted (or best) model, calibrated
    demand: Mapping[str, Series]  # by signal, the fine history in memory
    trust: tuple[TrustRow, ...]
    coverage: tuple[CoverageRow, ...]
    advantages: Mapping[str, Advantage]  # by signal, of the expert that answers; a signal without one is left out
    lead_time: LeadTimeReport | None = None  # None where nobody looks at the target's pods


@dataclass(frozen=True, slots=True)
class DecisionRun:
    """Decisions that were alike, as one row: the newest of them and the span."""

    since: datetime
    until: datetime
    count: int
    decision: Mapping[str, object]  # JSON form of the newest


class SnapshotBook(Protocol):
    """Where readers find the pictures; never computes, never waits for a source."""

    def snapshots(self) -> tuple[PolicySnapshot, ...]:
        """Return every policy's newest picture, by namespace and name."""
        ...

    def snapshot(self, key: PolicyKey) -> PolicySnapshot | None:
        """Return one policy's newest picture."""
        ...

    async def decisions(
        self, key: PolicyKey, *, since: datetime, until: datetime, limit: int
    ) -> tuple[DecisionRun, ...]:
        """Return ledger rows that touch [since, until], newest first."""
        ...
