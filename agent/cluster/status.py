"""From a picture of a policy to its status, and what of a status means something."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from agent.cluster.lead_time_status import lead_time_meaning, lead_time_status
from agent.policy.status import (
    ForecastStatus,
    ObservedReplicas,
    PolicyStatus,
    RecommendationStatus,
    RiskStatus,
    SavingsStatus,
    StatusCondition,
    TrustStatus,
    Truth,
    why_not,
)
from agent.snapshot import Condition, PolicySnapshot
from scalers.advantage import Advantage, in_words
from scalers.bounds import rounded_up
from scalers.decision import Decision, Replicas, SignalInput
from scalers.sentence import deciding

_HOUR = timedelta(hours=1)
_TRUTHS = {True: Truth.TRUE, False: Truth.FALSE, None: Truth.UNKNOWN}


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a policy, or its newest version, is not acted on."""

    message: str
    reason: str = "Invalid"


def status_of(snapshot: PolicySnapshot, *, generation: int | None) -> PolicyStatus:
    """Return the status that a picture of a policy comes to."""
    conditions = tuple(_condition(condition, generation) for condition in snapshot.conditions)
    decision = snapshot.decision
    known = None if decision is None else deciding(decision.signals)
    advantage = None if known is None else snapshot.advantages.get(known.name)
    return PolicyStatus(
        observedGeneration=generation,
        whyNot=why_not(conditions),
        conditions=conditions,
        recommendation=None if decision is None else _recommendation(decision),
        forecast=None if known is None else _forecast(known),
        leadTime=lead_time_status(snapshot.policy, snapshot.lead_time),
        trust=_trust(snapshot, advantage),
        risk=RiskStatus(set=snapshot.policy.risk, achieved=None if advantage is None else advantage.own.short),
        savings=_savings(advantage),
    )


def refused_status(
    refusal: Refusal, now: datetime, *, generation: int | None, before: PolicyStatus | None
) -> PolicyStatus:
    """Return the status of a policy that cannot be acted on; where an older version of it still is, that one shows."""
    effect = "not acted on" if before is None else "the last good version is acted on"
    ready = StatusCondition(
        type="Ready",
        status=Truth.FALSE,
        reason=refusal.reason,
        message=f"{effect}: {refusal.message}",
        lastTransitionTime=now,
        observedGeneration=generation,
    )
    others: Sequence[StatusCondition] = () if before is None else before.conditions
    conditions = (ready, *(condition for condition in others if condition.type != "Ready"))
    changes = {"conditions": conditions, "why_not": why_not(conditions), "observed_generation": generation}
    return (before or PolicyStatus()).model_copy(update=changes)


def meaning(snapshot: PolicySnapshot) -> object:
    """Return what must differ for a status to be written anew: not instants, nor demand that moves all the time."""
    decision, replicas, decided = snapshot.decision, None, None
    if decision is not None:
        replicas = decision.replicas
        decided = (decision.basis, _whole(decision.answer), _whole(decision.for_keda))
    conditions = [(condition.type, condition.status, condition.reason) for condition in snapshot.conditions]
    trusted = None
    if decision is not None and (advantage := snapshot.advantages.get(deciding(decision.signals).name)) is not None:
        trusted = advantage.own.expert
    return conditions, decided, replicas, trusted, lead_time_meaning(snapshot.policy, snapshot.lead_time)


def _whole(replicas: float | None) -> int | None:
    return None if replicas is None else rounded_up(replicas)


def _condition(condition: Condition, generation: int | None) -> StatusCondition:
    return StatusCondition(
        type=condition.type,
        status=_TRUTHS[condition.status],
        reason=condition.reason,
        message=condition.message,
        lastTransitionTime=condition.since,
        observedGeneration=generation,
    )


def _recommendation(decision: Decision) -> RecommendationStatus:
    there = decision.replicas
    return RecommendationStatus(
        at=decision.at,
        basis=str(decision.basis),
        rawNeed=decision.raw_need,
        need=decision.need,
        answer=decision.answer,
        forKeda=decision.for_keda,
        replicas=None if there is None else _replicas(there),
        sentence=decision.sentence,
    )


def _replicas(there: Replicas) -> ObservedReplicas:
    return ObservedReplicas(existing=there.existing, ready=there.ready, rollingOut=there.is_rolling_out or None)


def _forecast(known: SignalInput) -> ForecastStatus | None:
    peak = known.peak
    if peak is None:
        return None
    return ForecastStatus(model=peak.model, origin=peak.origin, until=peak.until, peak=peak.value, median=peak.median)


def _trust(snapshot: PolicySnapshot, advantage: Advantage | None) -> TrustStatus | None:
    if advantage is None:
        return None
    told = in_words(advantage, risk=snapshot.policy.risk, now=snapshot.taken_at)
    return TrustStatus(expert=advantage.own.expert, since=advantage.since, message=told)


def _savings(advantage: Advantage | None) -> SavingsStatus | None:
    if advantage is None or advantage.saved is None or advantage.reactive is None:
        return None
    hours = advantage.lately.total_seconds() / 3600 * (advantage.reactive.paid - advantage.own.paid)
    whole_hours = advantage.lately // _HOUR * _HOUR  # the sum fades, so its age is a fraction that nobody reads
    return SavingsStatus(share=f"{advantage.saved:.0%}", replicaHours=hours, window=whole_hours)
