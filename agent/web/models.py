"""The API's documents about a policy."""

from __future__ import annotations

from datetime import datetime

from pydantic import ConfigDict, JsonValue

from agent.web import examples
from agent.web.base import ApiModel
from agent.web.records import DecisionRecord, ReplicaCount
from agent.web.state import PolicyState
from scalers.policy import Mode


class Ages(ApiModel):
    """How old what an answer rests on is, in seconds."""

    data: float | None  # of the oldest signal's newest sample
    forecast: float | None  # of the oldest forecast's origin
    decision: float | None


class ConditionView(ApiModel):
    """A named truth about a policy, as in a Kubernetes status."""

    type: str
    status: bool | None  # null is Unknown
    reason: str
    message: str
    since: datetime


class PolicySummary(ApiModel):
    """One policy in a line."""

    model_config = ConfigDict(json_schema_extra={"examples": [examples.SUMMARY]})

    namespace: str
    name: str
    mode: Mode
    state: PolicyState
    state_since: datetime | None
    state_note: str | None  # such as "needs 31 h more history"
    sentence: str | None  # null before the first decision
    raw_need: float | None
    need: float | None
    answer: float | None  # null refuses
    for_keda: float | None  # what KEDA gets: the answer when Active, else the raw need
    replicas: ReplicaCount | None
    model: str | None  # the trusted one whose forecast decides; null where none does
    risk: float  # share of time demand may exceed ready capacity
    risk_used: float | None  # share of forecasts that demand passed at that risk
    look_ahead_seconds: float
    lead_time_seconds: float
    lead_time_measured_from: int | None  # start-ups; null where it is declared
    ages: Ages
    conditions: list[ConditionView]


class PolicyList(ApiModel):
    """All policies, by namespace and name."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"now": examples.NOW, "policies": [examples.SUMMARY]}]})

    now: datetime  # the agent's clock, which is simulated in the demo
    policies: list[PolicySummary]


class AccountView(ApiModel):
    """What an expert paid and left short lately, in simulation."""

    expert: str
    replicas: float  # mean
    short: float  # share of time with demand above ready capacity


class AdvantageView(ApiModel):
    """The expert that answers for a signal, and what it buys against reactive scaling."""

    signal: str
    family: str
    is_reactive: bool  # whether it answers without a forecast
    keeps_risk: bool
    since: datetime
    lately_seconds: float  # time that the figures stand for
    own: AccountView
    reactive: AccountView | None  # the cheapest reactive one that keeps the risk; null where none does
    saved: float | None  # share of the reactive replicas; negative where it takes more
    sentence: str


class TrustView(ApiModel):
    """How the best expert of one family has done lately."""

    signal: str
    model: str  # the family
    loss: float | None  # replicas, those of reactive scaling that keeps the risk are 1
    is_trusted: bool  # whether it keeps the risk
    note: str  # the expert


class CoverageView(ApiModel):
    """How often demand stayed at or below a published quantile of its peak."""

    signal: str
    level: float
    observed: float | None
    count: int


class SignalView(ApiModel):
    """One demand signal's settings."""

    name: str
    step_seconds: float
    delay_seconds: float
    window_seconds: float
    capacity: float  # demand units that one replica serves within its objective


class LeadTimeView(ApiModel):
    """Start-up of the target's pods, created to Ready, as their newest image and classes of nodes have it."""

    sentence: str
    trouble: str | None  # pods that do not become Ready, or why none can be looked at
    count: int  # start-ups
    p90_seconds: float | None
    with_node_seconds: float | None  # P90 where a node was there
    without_node_seconds: float | None  # P90 where a node had to start
    stages: dict[str, float]  # P90 of each in seconds: schedule, node, start, pull, ready; those that are known
    advice: str | None  # what would shorten it
    image: str | None
    node_classes: list[str]


class PolicyDetail(PolicySummary):
    """One policy whole: the document, what is true of it, and what its newest decision rests on."""

    model_config = ConfigDict(json_schema_extra={"examples": [examples.DETAIL]})

    now: datetime
    minimum: int
    maximum: int
    gang: int
    tolerance: float
    stabilization_seconds: float
    signals: list[SignalView]
    advantages: list[AdvantageView]
    trust: list[TrustView]
    coverage: list[CoverageView]
    lead_time: LeadTimeView | None  # null where nobody looks at the target's pods
    decision: DecisionRecord | None  # the same as in status and `foretide explain`
    document: dict[str, JsonValue]  # the ForecastPolicy
    has_comparison: bool


class DecisionRow(ApiModel):
    """Decisions that were alike: the newest of them, and the span."""

    model_config = ConfigDict(json_schema_extra={"examples": [examples.DECISION_ROW]})

    since: datetime
    until: datetime
    count: int
    decision: DecisionRecord


class DecisionList(ApiModel):
    """Ledger rows, newest first."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"rows": [examples.DECISION_ROW], "isWhole": True}]})

    rows: list[DecisionRow]
    is_whole: bool  # false where the limit cut older rows off
