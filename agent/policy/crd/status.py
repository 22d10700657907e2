"""The status of a ForecastPolicy: what an agent tells people with kubectl, and reads back on a cold start.

A status is written by the agent alone, so its bounds are there for the API server's sake and not as validation.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from agent.policy.fields import Count, Duration, Instant, Share, Text, Word
from agent.policy.part import Part

Whole = Annotated[Count, Field(ge=0)]
Number = Annotated[float, Field(allow_inf_nan=False)]


class Truth(StrEnum):
    """A condition's status, as Kubernetes writes it."""

    TRUE = "True"
    FALSE = "False"
    UNKNOWN = "Unknown"


class StatusCondition(Part):
    """A named truth about the policy, as in any Kubernetes status."""

    type: Word = Field(description="Ready, DataFresh, ForecastTrusted, Conflict or TriggerInShadow.")
    status: Truth = Field(description="Whether it holds.")
    reason: Word = Field(description="One word in CamelCase.")
    message: Text = Field(description="What a person can act on.")
    last_transition_time: Instant = Field(description="When `status` changed last.")
    observed_generation: Whole | None = Field(None, description="The generation of the policy that it speaks of.")


class ObservedReplicas(Part):
    """Replicas of the scale target."""

    existing: Whole = Field(description="Pods that exist.")
    ready: Whole = Field(description="Pods that serve.")


class RecommendationStatus(Part):
    """The newest decision, in short."""

    at: Instant = Field(description="When it was made.")
    basis: Word = Field(description="What it rests on: forecast, reactive, learning, held, override, waking, refused.")
    raw_need: Number | None = Field(None, description="Demand over capacity now, in replicas.")
    need: Number | None = Field(None, description="What the risk asks for, in replicas.")
    answer: Number | None = Field(None, description="What the policy answers, in replicas; unset where it refuses.")
    replicas: ObservedReplicas | None = Field(None, description="Replicas observed; unset where unknown.")
    sentence: Text = Field(description="The decision in words.")


class ForecastStatus(Part):
    """The forecast that the decision read."""

    model: Word = Field(description="Name of the model.")
    origin: Instant = Field(description="Instant of the last observation used.")
    until: Instant = Field(description="End of the look-ahead.")
    peak: Number = Field(description="Largest demand within the look-ahead at the policy's risk, in demand units.")
    median: Number = Field(description="Median of it.")


class LeadTimeOrigin(StrEnum):
    """Where a lead time comes from."""

    DECLARED = "Declared"
    MEASURED = "Measured"


class LeadTimeStatus(Part):
    """Start-up of a replica, created to Ready."""

    used: Duration = Field(description="What decisions use.")
    origin: LeadTimeOrigin = Field(description="Declared by the policy, or measured.")
    with_node: Duration | None = Field(None, description="P90 where a node was there.")
    without_node: Duration | None = Field(None, description="P90 where a node had to start.")
    samples: Whole = Field(0, description="How many starts were measured.")


class TrustStatus(Part):
    """Which expert answers."""

    expert: Word = Field(description="Name of the trusted model or rule; reactive where none is trusted.")
    since: Instant | None = Field(None, description="Since when.")
    message: Text | None = Field(None, description="What it buys against reactive, or what is missing.")


class RiskStatus(Part):
    """Risk as asked for and as it came."""

    set: Share = Field(description="Share of time demand may exceed ready capacity.")
    achieved: Share | None = Field(None, description="Share of time it did; unset until measured.")


class SavingsStatus(Part):
    """What Foretide saved against reactive scaling; negative where it cost more."""

    share: Annotated[str, Field(max_length=16)] | None = Field(
        None, description="Of replica-hours, such as 14% or -2%."
    )
    replica_hours: Number | None = Field(None, description="Replica-hours saved.")
    window: Duration | None = Field(None, description="Over the last so much time.")


class PolicyStatus(Part):
    """What the agent knows about the policy."""

    observed_generation: Whole | None = Field(None, description="The generation of the policy that it speaks of.")
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
