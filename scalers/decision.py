"""The decision record: inputs, forecast, each clamp, need, answer, and a sentence. The same everywhere it is shown."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from forecasters.ceiling import Ceiling
from scalers.policy import Mode, PolicyKey


class Basis(StrEnum):
    """What an answer rests on."""

    FORECAST = "forecast"  # a trusted forecast, never below the raw need
    REACTIVE = "reactive"  # the raw need; the forecast is not used and the sentence says why
    LEARNING = "learning"  # the raw need until there is enough history
    HELD = "held"  # no fresh data, demand that fell away, a rollout: the last answer stands, nothing is scaled in
    OVERRIDE = "override"  # a person's floor
    WAKING = "waking"  # at zero with demand unknown
    REFUSED = "refused"  # no answer: KEDA gets an error and holds or uses its fallback


@dataclass(frozen=True, slots=True)
class Replicas:
    """Replicas of the scale target as observed."""

    existing: int  # pods that exist
    ready: int  # pods that serve
    is_rolling_out: bool = False  # its controller is bringing up a version: pods of two may serve


@dataclass(frozen=True, slots=True)
class PeakForecast:
    """The largest demand expected within the look-ahead."""

    model: str  # the expert that is named for it
    origin: datetime  # of the sample it was told from
    until: datetime  # end of the look-ahead
    level: float  # the quantile that decides: 1 - risk
    value: float  # demand that is planned for, demand units: the need times the capacity
    median: float  # demand units
    calibration: float  # what the margin added to the expert's own path, demand units
    is_reactive: bool = False  # whether it is the demand of now with a margin, without a forecast
    passes_tolerance: bool = True  # whether the answer may step past the HPA's tolerance


@dataclass(frozen=True, slots=True)
class Fall:
    """Demand that fell to near zero at once and for no known reason: it is not believed, the last answer stands."""

    since: datetime
    until: datetime  # the answer is held until then at the latest
    before: float  # level of the half hour before, demand units
    is_back: bool  # demand has returned, and with it what had piled up


@dataclass(frozen=True, slots=True)
class LearnedCapacity:
    """A capacity that was learned, as it was known when decisions took it up."""

    at: datetime  # since when decisions take it
    capacity: float  # demand units per replica
    declared: float  # demand units per replica, by the policy
    low: float | None  # of where it lies, demand units per replica; None where that was not known
    high: float | None
    confidence: float  # that it lies there
    samples: float  # that spoke for it
    sentence: str  # what a person reads


@dataclass(frozen=True, slots=True)
class SignalInput:
    """What was known of one demand signal."""

    name: str
    capacity: float  # demand units per replica
    demand: float | None  # the newest sample; None where there never was one
    at: datetime | None  # its instant
    state: str  # the source's state, such as "OK" or "Empty"
    peak: PeakForecast | None  # None where there is no forecast
    distrust: str | None  # why the forecast is not used; None where it is
    is_learning: bool = False  # whether only more history is missing
    fall: Fall | None = None  # an outage that replicas are held for
    ceiling: Ceiling | None = None  # where demand is pinned; more may have been asked for
    learned: LearnedCapacity | None = None  # what the capacity rests on; None where it is the declared one


@dataclass(frozen=True, slots=True)
class Clamp:
    """One step between need and answer that changed the number."""

    name: str
    before: float
    after: float
    reason: str


@dataclass(frozen=True, slots=True)
class Decision:
    """One recommendation, or abstention, with everything it rests on."""

    key: PolicyKey
    at: datetime
    mode: Mode
    basis: Basis
    signals: tuple[SignalInput, ...]
    replicas: Replicas | None  # observed; None is unknown
    look_ahead: timedelta  # the longest of the signals'
    lead_time: timedelta  # the part of it that is start-up
    lead_time_from: int | None  # start-ups that it was measured from; None where it is declared
    raw_need: float | None  # demand over capacity now, replicas; None where demand is not known
    need: float | None  # what the risk asks for before any clamp
    clamps: tuple[Clamp, ...]
    answer: float | None  # what the policy answers; None refuses
    for_keda: float | None  # what KEDA gets: the answer; the raw need in Shadow, conflict, by the kill switch
    is_active: bool
    sentence: str  # what an operator reads: lower case, number first, no full stop
