"""What is true of a policy, in the form and the words of a Kubernetes status."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from agent.snapshot import Condition
from scalers.advantage import Advantage, in_words
from scalers.decision import Basis, Decision, PeakForecast
from scalers.policy import Mode, ScalingPolicy
from scalers.sentence import clock


def conditions(
    decision: Decision,
    policy: ScalingPolicy,
    *,
    mends: Mapping[str, str],
    warnings: Sequence[str],
    reserved: tuple[str, ...],
    advantages: Mapping[str, Advantage],
    before: tuple[Condition, ...],
) -> tuple[Condition, ...]:
    """Return the conditions that follow from a decision.

    Args:
        decision: the newest one.
        policy: its policy.
        mends: what a person can do about a signal that has no samples, by signal.
        warnings: what sources said beside their samples.
        reserved: paths of the document that this version accepts and does not act on.
        advantages: of the experts that answer, by signal.
        before: the conditions so far; one that has not changed keeps its `since`.
    """
    now = decision.at
    new = (
        _ready(decision, reserved, now),
        _data_fresh(decision, mends, warnings, now),
        _forecast_trusted(decision, policy, advantages, now),
        _trigger_in_shadow(policy, now),
    )
    known = {condition.type: condition for condition in before}
    return tuple(_kept(condition, known.get(condition.type)) for condition in new)


def _kept(new: Condition, old: Condition | None) -> Condition:
    same = old is not None and (old.status, old.reason) == (new.status, new.reason)
    return replace(new, since=old.since) if same and old is not None else new


def _ready(decision: Decision, reserved: tuple[str, ...], now: datetime) -> Condition:
    if decision.for_keda is None:
        return Condition("Ready", False, "NoAnswer", decision.sentence, now)
    if reserved:
        return Condition("Ready", True, "ReservedFields", f"not acted on in this version: {', '.join(reserved)}", now)
    return Condition("Ready", True, "Answering", decision.sentence, now)


def _data_fresh(decision: Decision, mends: Mapping[str, str], warnings: Sequence[str], now: datetime) -> Condition:
    missing = [known for known in decision.signals if known.state != "OK" or known.at is None]
    if not missing:
        said = f"; the source warns: {'; '.join(warnings)}" if warnings else ""
        return Condition("DataFresh", True, "Fresh", f"samples arrive{said}", now)
    known = missing[0]
    since = "no sample yet" if known.at is None else f"no samples since {clock(known.at, now=now)}"
    reason = known.state if known.state != "OK" else "NoSampleYet"
    return Condition("DataFresh", False, reason, mends.get(known.name, since), now)


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


def _trigger_in_shadow(policy: ScalingPolicy, now: datetime) -> Condition:
    if policy.mode is Mode.SHADOW:
        return Condition("TriggerInShadow", None, "Shadow", "a trigger that names this policy gets the raw need", now)
    return Condition("TriggerInShadow", False, "Active", "KEDA gets the answer", now)
