"""What a decision rests on, and a decision under way."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from scalers.decision import Basis, Clamp, Replicas, SignalInput
from scalers.policy import ScalingPolicy


@dataclass(frozen=True, slots=True)
class Previous:
    """The last answer that KEDA may have seen."""

    answer: float
    for_keda: float
    is_active: bool
    foretold_at: datetime | None  # when a fresh forecast last took part


@dataclass(frozen=True, slots=True)
class Situation:
    """Everything a decision may rest on."""

    now: datetime
    signals: tuple[SignalInput, ...]  # in the order of the policy's
    replicas: Replicas | None  # None is unknown
    previous: Previous | None
    is_reactive_only: bool = False  # the kill switch
    is_in_conflict: bool = False  # whether another sets the target's replicas, too
    lately: float | None = None  # largest answer of the minutes within which a fall is noticed; None before the first


@dataclass(frozen=True, slots=True)
class Reckoning:
    """A decision under way: what it rests on, and what the steps so far have made of it."""

    situation: Situation
    policy: ScalingPolicy
    basis: Basis
    raw_need: float | None  # as in a decision, like those below
    need: float | None
    answer: float | None
    clamps: tuple[Clamp, ...] = ()
    is_active: bool = True

    @property
    def now(self) -> datetime:
        """The instant."""
        return self.situation.now

    @property
    def signals(self) -> tuple[SignalInput, ...]:
        """What was known of them."""
        return self.situation.signals

    @property
    def look_ahead(self) -> timedelta:
        """The longest of the signals'."""
        return max(self.policy.look_ahead(signal) for signal in self.policy.signals)
