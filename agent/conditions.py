"""What is true of a policy, in the form and the words of a Kubernetes status."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from agent.snapshot import Condition
from scalers.decision import Basis, Decision
from scalers.policy import Mode, ScalingPolicy
from scalers.sentence import clock


def conditions(
    decision: Decision,
    policy: ScalingPolicy,
    *,
    mends: Mapping[str, str],
    warnings: Sequence[str],
    reserved: tuple[str, ...],
    before: tuple[Condition, ...],
) -> tuple[Condition, ...]:
    """Return the conditions that follow from a decision.

    Args:
        decision: the newest one.
        policy: its policy.
        mends: what a person can do about a signal that has no samples, by signal.
        warnings: what sources said beside their samples.
        reserved: paths of the document that this version accepts and does not act on.
        before: the conditions so far; one that has not changed keeps its `since`.
    """
    now = decision.at
    new = (
        _ready(decision, reserved, now),
        _data_fresh(decision, mends, warnings, now),
        _forecast_trusted(decision, now),
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


def _forecast_trusted(decision: Decision, now: datetime) -> Condition:
    if decision.basis is Basis.LEARNING:
        return Condition("ForecastTrusted", False, "Learning", decision.sentence, now)
    peaks = [known.peak for known in decision.signals if known.peak is not None and known.distrust is None]
    foretold = [peak for peak in peaks if not peak.is_reactive]
    if foretold:
        return Condition("ForecastTrusted", True, "Trusted", f"{foretold[0].model} answers", now)
    if peaks:
        told = f"{peaks[0].model} answers: no forecast has cost less and kept the risk"
        return Condition("ForecastTrusted", False, "Reactive", told, now)
    reasons = [known.distrust for known in decision.signals if known.distrust is not None]
    return Condition("ForecastTrusted", False, "NotTrusted", reasons[0] if reasons else "no forecast yet", now)


def _trigger_in_shadow(policy: ScalingPolicy, now: datetime) -> Condition:
    if policy.mode is Mode.SHADOW:
        return Condition("TriggerInShadow", None, "Shadow", "a trigger that names this policy gets the raw need", now)
    return Condition("TriggerInShadow", False, "Active", "KEDA gets the answer", now)
