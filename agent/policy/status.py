"""The status of a ForecastPolicy: what an agent tells people with kubectl, and reads back on a cold start.

A status is written by the agent alone, so its bounds are there for the API server's sake and not as validation: text
that is too long is cut, and numbers are written as short as a person reads them, so that a status changes when its
meaning does.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Annotated, Final, cast

from pydantic import BeforeValidator, Field, PlainSerializer

from agent.policy.fields import Count, Duration, Instant, Share, Text, Word, Written
from agent.policy.part import Part
from agent.policy.quantities import format_share

_LONGEST: Final = 1024  # characters, as in the schema of Text
# Good news is True for the first four, and False for the last two.
_IS_WELL: Final = {
    "Ready": True,
    "DataFresh": True,
    "ForecastTrusted": True,
    "CapacityKnown": True,
    "Conflict": False,
    "TriggerInShadow": False,
}


def _cut(text: object) -> object:
    is_long = isinstance(text, str) and len(text) > _LONGEST
    return f"{text[: _LONGEST - 1]}…" if is_long and isinstance(text, str) else text


def _as_written(share: object) -> object:
    is_ratio = isinstance(share, float) and share >= 0
    return format_share(float(f"{share:.3g}")) if is_ratio else share


def _hundredths(replicas: float) -> float:
    return round(replicas, 2)


def _four_digits(demand: float) -> float:
    return float(f"{demand:.4g}")


Whole = Annotated[Count, Field(ge=0)]
ReplicasNumber = Annotated[float, PlainSerializer(_hundredths, return_type=float)]
DemandNumber = Annotated[float, PlainSerializer(_four_digits, return_type=float)]
ShownShare = Annotated[Share, BeforeValidator(_as_written)]
Sentence = Annotated[Text, BeforeValidator(_cut)]
# metav1.Condition's own: kubernetes/apimachinery pkg/apis/meta/v1/types.go
Reason = Annotated[
    str,
    Written(r"^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$", "one word in CamelCase", 253),
]


class Truth(StrEnum):
    """A condition's status, as Kubernetes writes it."""

    TRUE = "True"
    FALSE = "False"
    UNKNOWN = "Unknown"


class StatusCondition(Part):
    """A named truth about the policy, as in any Kubernetes status."""

    type: Word = Field(description="Ready, DataFresh, ForecastTrusted, CapacityKnown, Conflict or TriggerInShadow.")
    status: Truth = Field(description="Whether it holds.")
    reason: Reason = Field(description="One word in CamelCase.")
    message: Sentence = Field(description="What a person can act on.")
    last_transition_time: Instant = Field(description="When `status` changed last.")
    observed_generation: Whole | None = Field(None, description="The generation of the policy that it speaks of.")


class ObservedReplicas(Part):
    """Replicas of the scale target."""

    existing: Whole = Field(description="Pods that exist.")
    ready: Whole = Field(description="Pods that serve.")
    rolling_out: bool | None = Field(
        None, description="Set while the target is in the middle of a rollout; nothing is scaled in meanwhile."
    )


class RecommendationStatus(Part):
    """The newest decision, in short."""

    at: Instant = Field(description="When it was made.")
    basis: Word = Field(description="What it rests on: forecast, reactive, learning, held, override, waking, refused.")
    raw_need: ReplicasNumber | None = Field(None, description="Demand over capacity now, in replicas.")
    need: ReplicasNumber | None = Field(None, description="What the risk asks for, in replicas.")
    answer: ReplicasNumber | None = Field(
        None, description="What the policy answers, in replicas; unset where it refuses."
    )
    for_keda: ReplicasNumber | None = Field(
        None, description="What KEDA gets: the answer, or in Shadow the raw need; unset where KEDA gets an error."
    )
    replicas: ObservedReplicas | None = Field(None, description="Replicas observed; unset where unknown.")
    sentence: Sentence = Field(description="The decision in words.")


class ForecastStatus(Part):
    """The forecast that the decision read."""

    model: Word = Field(description="Name of the model.")
    origin: Instant = Field(description="Instant of the last observation used.")
    until: Instant = Field(description="End of the look-ahead.")
    peak: DemandNumber = Field(
        description="Largest demand within the look-ahead at the policy's risk, in demand units."
    )
    median: DemandNumber = Field(description="Median of it.")


class LeadTimeOrigin(StrEnum):
    """Where a lead time comes from."""

    DECLARED = "Declared"
    MEASURED = "Measured"


class LeadTimeStages(Part):
    """Where the time of a start goes: the P90 of each stage, which together may be more than the P90 of the whole."""

    schedule: Duration | None = Field(None, description="Created to scheduled, where a node was there.")
    node: Duration | None = Field(None, description="Created to scheduled, where a node had to start.")
    start: Duration | None = Field(
        None,
        description="Scheduled to network, volumes and init containers done; unset where the cluster tells no such.",
    )
    pull: Duration | None = Field(None, description="From then to the containers running: image pull and their start.")
    ready: Duration | None = Field(None, description="The container running to Ready, such as loading a model.")


class LeadTimeStatus(Part):
    """Start-up of a replica, created to Ready."""

    used: Duration = Field(description="What decisions use.")
    origin: LeadTimeOrigin = Field(description="Declared by the policy, or measured.")
    with_node: Duration | None = Field(None, description="P90 where a node was there.")
    without_node: Duration | None = Field(None, description="P90 where a node had to start.")
    samples: Whole = Field(0, description="How many starts were measured.")
    stages: LeadTimeStages | None = Field(None, description="Where the time goes.")
    message: Sentence | None = Field(None, description="What is used and why, and what was measured, in words.")
    advice: Sentence | None = Field(None, description="What would shorten it.")
    image: Sentence | None = Field(None, description="Image that was started; another one starts a new sample.")
    node_class: Word | None = Field(None, description="Class of node it started on; another one starts a new sample.")


class TrustStatus(Part):
    """Which expert answers."""

    expert: Word = Field(description="Name of the trusted model or rule; reactive where none is trusted.")
    since: Instant | None = Field(None, description="Since when.")
    message: Sentence | None = Field(None, description="What it buys against reactive, or what is missing.")


class RiskStatus(Part):
    """Risk as asked for and as it came."""

    set: ShownShare = Field(description="Share of time demand may exceed ready capacity.")
    achieved: ShownShare | None = Field(None, description="Share of time it did; unset until measured.")


class SavingsStatus(Part):
    """What Foretide saved against reactive scaling; negative where it cost more."""

    share: Annotated[str, Field(max_length=16)] | None = Field(
        None, description="Of replica-hours, such as 14% or -2%."
    )
    replica_hours: ReplicasNumber | None = Field(None, description="Replica-hours saved.")
    window: Duration | None = Field(None, description="Over the last so much time.")


class PolicyStatus(Part):
    """What the agent knows about the policy."""

    observed_generation: Whole | None = Field(None, description="The generation of the policy that it speaks of.")
    why_not: Sentence | None = Field(
        None, description="What keeps it from answering by a trusted forecast; unset where nothing does."
    )
    conditions: Annotated[tuple[StatusCondition, ...], Field(max_length=16)] = Field(
        (),
        description="Named truths about the policy.",
        json_schema_extra={"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["type"]},
    )
    recommendation: RecommendationStatus | None = Field(None, description="The newest decision, in short.")
    forecast: ForecastStatus | None = Field(None, description="The forecast that the decision read.")
    lead_time: LeadTimeStatus | None = Field(None, description="Start-up of a replica.")
    trust: TrustStatus | None = Field(None, description="Which expert answers.")
    risk: RiskStatus | None = Field(None, description="Risk as asked for and as it came.")
    savings: SavingsStatus | None = Field(None, description="What Foretide saved against reactive scaling.")


def why_not(conditions: Sequence[StatusCondition]) -> str | None:
    """Return what a person should see first: the gravest condition that is not as it should be, and why.

    A condition that is unknown says nothing against the policy, but for `Ready`.
    """
    by_type = {condition.type: condition for condition in conditions}
    for name, well in _IS_WELL.items():
        condition = by_type.get(name)
        if condition is None or condition.status is (Truth.TRUE if well else Truth.FALSE):
            continue
        if condition.status is not Truth.UNKNOWN or name == "Ready":
            return f"{condition.reason}: {condition.message}"
    return None


def status_json(status: PolicyStatus) -> dict[str, object]:
    """Return a status as the API server takes it; what is not known is left out."""
    return cast("dict[str, object]", status.model_dump(mode="json", by_alias=True, exclude_none=True))
