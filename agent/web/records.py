"""The decision record as the API gives it: typed for readers, the same JSON as in the ledger and in `explain`."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import AfterValidator, ConfigDict

from agent.web import examples
from agent.web.base import ApiModel
from agent.web.finite import finite
from scalers.decision import Basis
from scalers.policy import Mode

Number = Annotated[float | None, AfterValidator(finite)]


class RecordModel(ApiModel):
    """A part of a record. Keys that a later version wrote are passed on, those of an earlier one may be missing."""

    model_config = ConfigDict(extra="allow")


class ReplicaCount(RecordModel):
    """Replicas of the scale target as observed."""

    existing: int
    ready: int
    is_rolling_out: bool = False  # nothing is scaled in meanwhile


class PeakRecord(RecordModel):
    """The largest demand expected within the look-ahead."""

    model: str
    origin: datetime
    until: datetime
    level: float
    value: Number = None
    median: Number = None
    calibration: Number = None


class FallRecord(RecordModel):
    """Demand that fell to near zero at once and at no usual time, while replicas are held for its return."""

    since: datetime
    until: datetime  # replicas are held until then at the latest
    before: Number = None  # level of the half hour before, demand units
    is_back: bool = False


class CeilingRecord(RecordModel):
    """A level at which demand is pinned: more may have been asked for than was served."""

    level: Number = None  # demand units
    plateaus: int = 0
    total_seconds: Number = None  # spent there
    longest_seconds: Number = None
    since: datetime  # of the longest


class LearnedRecord(RecordModel):
    """A capacity that was learned, as it was known when decisions took it up."""

    at: datetime  # since when decisions take it
    capacity: Number = None  # demand units per replica, as the next three
    declared: Number = None
    low: Number = None
    high: Number = None
    confidence: Number = None  # that it lies between them
    samples: Number = None
    sentence: str = ""


class SignalRecord(RecordModel):
    """What was known of one demand signal."""

    name: str
    capacity: Number = None
    demand: Number = None
    at: datetime | None = None
    state: str = ""
    peak: PeakRecord | None = None
    distrust: str | None = None
    is_learning: bool = False
    fall: FallRecord | None = None
    ceiling: CeilingRecord | None = None
    learned: LearnedRecord | None = None  # what the capacity rests on; null where it is the declared one


class ClampRecord(RecordModel):
    """One step between need and answer that changed the number."""

    name: str
    before: Number = None
    after: Number = None
    reason: str = ""


class DecisionRecord(RecordModel):
    """One recommendation, or abstention, with everything it rests on."""

    model_config = ConfigDict(json_schema_extra={"examples": [examples.DECISION]})

    namespace: str
    name: str
    at: datetime
    mode: Mode
    basis: Basis
    signals: tuple[SignalRecord, ...] = ()
    replicas: ReplicaCount | None = None
    look_ahead_seconds: Number = None
    lead_time_seconds: Number = None  # the part of it that is start-up
    lead_time_measured_from: int | None = None  # start-ups; null where it is declared
    raw_need: Number = None
    need: Number = None
    clamps: tuple[ClampRecord, ...] = ()
    answer: Number = None
    for_keda: Number = None
    is_active: bool = False
    sentence: str = ""
