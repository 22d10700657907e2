"""What is true of a policy, in the form and the words of a Kubernetes status."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from agent.snapshot import Condition, Unseen
from agent.surroundings import Surroundings
from forecasters.ceiling import Ceiling
from scalers.advantage import Advantage, in_words
from scalers.decision import Basis, Decision, Fall, PeakForecast, SignalInput
from scalers.policy import Mode, ScalingPolicy
from scalers.sentence import amount, clock, fell, span


def conditions(
    decision: Decision,
    policy: ScalingPolicy,
    *,
    mends: Mapping[str, str],
    warnings: Sequence[str],
    reserved: tuple[str, ...],
    advantages: Mapping[str, Advantage],
    capacity: Condition | None = None,
    before: tuple[Condition, ...],
    unseen: Unseen | None = None,
    around: Surroundings | None = None,
) -> tuple[Condition, ...]:
    """Return the conditions that follow from a decision.

    Args:
        decision: the newest one.
        policy: its policy.
        mends: what a person can do about a signal that has no samples, by signal.
        warnings: what sources said beside their samples.
        reserved: paths of the document that this version accepts and does not act on.
        advantages: of the experts that answer, by signal.
        capacity: what is known of a learned capacity; None where none is learned.
        before: the conditions so far; one that has not changed keeps its `since`.
        unseen: why nothing is known of the scale target's replicas.
        around: what else acts on the scale target; None where nobody looks.
    """
    now = decision.at
    new = (
        _ready(decision, reserved, unseen, now),
        _data_fresh(decision, mends, warnings, now),
        _forecast_trusted(decision, policy, advantages, now),
        *(() if capacity is None else (capacity,)),
        *(() if around is None else (_conflict(around, now),)),
        _trigger_in_shadow(policy, around, now),
    )
    known = {condition.type: condition for condition in before}
    return tuple(_kept(condition, known.get(condition.type)) for condition in new)


def _kept(new: Condition, old: Condition | None) -> Condition:
    same = old is not None and (old.status, old.reason) == (new.status, new.reason)
    return replace(new, since=old.since) if same and old is not None else new


def _ready(decision: Decision, reserved: tuple[str, ...], unseen: Unseen | None, now: datetime) -> Condition:
    if decision.for_keda is None:
        return Condition("Ready", False, "NoAnswer", decision.sentence, now)
    if unseen is not None:
        told = f"replicas are unknown, the plain need is answered: {unseen.message}"
        return Condition("Ready", True, unseen.reason, told, now)
    if reserved:
        return Condition("Ready", True, "ReservedFields", f"not acted on in this version: {', '.join(reserved)}", now)
    return Condition("Ready", True, "Answering", decision.sentence, now)


def _data_fresh(decision: Decision, mends: Mapping[str, str], warnings: Sequence[str], now: datetime) -> Condition:
    missing = [known for known in decision.signals if known.state != "OK" or known.at is None]
    if missing:
        known = missing[0]
        since = "no sample yet" if known.at is None else f"no samples since {clock(known.at, now=now)}"
        reason = known.state if known.state != "OK" else "NoSampleYet"
        return Condition("DataFresh", False, reason, mends.get(known.name, since), now)
    for known in decision.signals:
        if known.fall is not None:
            return _fallen(known, known.fall, now)
    said = f"; the source warns: {'; '.join(warnings)}" if warnings else ""
    for known in decision.signals:
        if known.ceiling is not None:
            return Condition("DataFresh", True, "AtCeiling", f"{_pinned(known, known.ceiling, now)}{said}", now)
    return Condition("DataFresh", True, "Fresh", f"samples arrive{said}", now)


def _fallen(known: SignalInput, fall: Fall, now: datetime) -> Condition:
    """Samples arrive, and are not believed."""
    until = clock(fall.until, now=now)
    if fall.is_back:
        told = f"{fell(known, now=now)}; retries may follow: the answer is not lowered until {until}"
        return Condition("DataFresh", False, "DemandIsBack", told, now)
    mend = "see whether what calls the service is up and whether the query still matches"
    told = f"{fell(known, now=now)}: {mend}; the answer is not lowered until {until} at most, then it is the new load"
    return Condition("DataFresh", False, "DemandFell", told, now)


def _pinned(known: SignalInput, ceiling: Ceiling, now: datetime) -> str:
    where = f"{amount(ceiling.level)}, {amount(ceiling.level / known.capacity)} replicas' worth"
    stays = f"{ceiling.plateaus} times, the longest {span(ceiling.longest)} from {clock(ceiling.since, now=now)}"
    mend = "more may have been asked for than was served: use a metric of what arrives, queued and refused included"
    return f"samples arrive; demand rises to {where}, and stays there: {stays}; {mend}"


def _forecast_trusted(
    decision: Decision, policy: ScalingPolicy, advantages: Mapping[str, Advantage], now: datetime
) -> Condition:
    if decision.basis is Basis.LEARNING:
        return Condition("ForecastTrusted", False, "Learning", decision.sentence, now)
    used = [(known.name, known.peak) for known in decision.signals if known.peak is not None and known.distrust is None]
    foretold = [(name, peak) for name, peak in used if not peak.is_reactive]
    if used:
        name, peak = (foretold or used)[0]
        told = _answering(peak, policy, advantages.get(name), now)
        return Condition("ForecastTrusted", bool(foretold), "Trusted" if foretold else "Reactive", told, now)
    reasons = [known.distrust for known in decision.signals if known.distrust is not None]
    return Condition("ForecastTrusted", False, "NotTrusted", reasons[0] if reasons else "no forecast yet", now)


def _answering(peak: PeakForecast, policy: ScalingPolicy, advantage: Advantage | None, now: datetime) -> str:
    """Say which expert answers, and what it buys where that is known."""
    if advantage is not None:
        return in_words(advantage, risk=policy.risk, now=now)
    return f"{peak.model} answers{': no forecast has cost less and kept the risk' if peak.is_reactive else ''}"


def _conflict(around: Surroundings, now: datetime) -> Condition:
    if around.conflicts:
        told = "; ".join(conflict.message for conflict in around.conflicts)
        meanwhile = "; the raw need is answered meanwhile" if around.is_fight else ""
        return Condition("Conflict", True, around.conflicts[0].reason, f"{told}{meanwhile}", now)
    if around.unseen is not None:
        return Condition("Conflict", None, "NotSeen", around.unseen, now)
    return Condition("Conflict", False, "NoneFound", "nothing else was found that acts on the target", now)


def _trigger_in_shadow(policy: ScalingPolicy, around: Surroundings | None, now: datetime) -> Condition:
    if policy.mode is not Mode.SHADOW:
        if around is None or around.named_by or around.unseen is not None:
            return Condition("TriggerInShadow", False, "Active", "KEDA gets the answer", now)
        mend = f"add a trigger with policy: {policy.key.name}"
        told = f"no ScaledObject names this policy, so KEDA does not ask: {mend}"
        return Condition("TriggerInShadow", False, "NoTrigger", told, now)
    if around is None or (around.unseen is not None and not around.named_by):
        return Condition("TriggerInShadow", None, "Shadow", "a trigger that names this policy gets the raw need", now)
    if around.named_by:
        mend = "set spec.mode to Active, or take the trigger away"
        told = f"ScaledObject {', '.join(around.named_by)} names this policy, and gets the raw need: {mend}"
        return Condition("TriggerInShadow", True, "NamedByTrigger", told, now)
    return Condition(
        "TriggerInShadow", False, "NoTrigger", "no ScaledObject names this policy: nothing is changed", now
    )
