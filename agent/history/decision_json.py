"""The JSON form of a decision: the same in the ledger, the API, `explain` and the record of `replay`.

Keys are camelCase and never change their meaning; instants are ISO 8601 in UTC with `Z`, durations are seconds and say
so in their name, what is not known is null.
"""

from __future__ import annotations

from datetime import UTC, datetime

from forecasters.ceiling import Ceiling
from scalers.decision import Clamp, Decision, Fall, LearnedCapacity, PeakForecast, Replicas, SignalInput


def decision_to_json(decision: Decision) -> dict[str, object]:
    """Return a decision as plain JSON values; every key is always there."""
    return {
        "namespace": decision.key.namespace,
        "name": decision.key.name,
        "at": instant_to_json(decision.at),
        "mode": decision.mode.value,
        "basis": decision.basis.value,
        "signals": [_signal(signal) for signal in decision.signals],
        "replicas": _replicas(decision.replicas),
        "lookAheadSeconds": decision.look_ahead.total_seconds(),
        "leadTimeSeconds": decision.lead_time.total_seconds(),
        "leadTimeMeasuredFrom": decision.lead_time_from,
        "rawNeed": decision.raw_need,
        "need": decision.need,
        "clamps": [_clamp(clamp) for clamp in decision.clamps],
        "answer": decision.answer,
        "forKeda": decision.for_keda,
        "isActive": decision.is_active,
        "sentence": decision.sentence,
    }


def instant_to_json(instant: datetime) -> str:
    """Return an aware instant as `2026-11-22T12:00:00Z`, with a fraction only where there is one."""
    return instant.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _signal(signal: SignalInput) -> dict[str, object]:
    return {
        "name": signal.name,
        "capacity": signal.capacity,
        "demand": signal.demand,
        "at": None if signal.at is None else instant_to_json(signal.at),
        "state": signal.state,
        "peak": None if signal.peak is None else _peak(signal.peak),
        "distrust": signal.distrust,
        "isLearning": signal.is_learning,
        "fall": None if signal.fall is None else _fall(signal.fall),
        "ceiling": None if signal.ceiling is None else _ceiling(signal.ceiling),
        "learned": None if signal.learned is None else _learned(signal.learned),
    }


def _fall(fall: Fall) -> dict[str, object]:
    return {
        "since": instant_to_json(fall.since),
        "until": instant_to_json(fall.until),
        "before": fall.before,
        "isBack": fall.is_back,
    }


def _ceiling(ceiling: Ceiling) -> dict[str, object]:
    return {
        "level": ceiling.level,
        "plateaus": ceiling.plateaus,
        "totalSeconds": ceiling.total.total_seconds(),
        "longestSeconds": ceiling.longest.total_seconds(),
        "since": instant_to_json(ceiling.since),
    }


def _learned(learned: LearnedCapacity) -> dict[str, object]:
    return {
        "at": instant_to_json(learned.at),
        "capacity": learned.capacity,
        "declared": learned.declared,
        "low": learned.low,
        "high": learned.high,
        "confidence": learned.confidence,
        "samples": learned.samples,
        "sentence": learned.sentence,
    }


def _peak(peak: PeakForecast) -> dict[str, object]:
    return {
        "model": peak.model,
        "origin": instant_to_json(peak.origin),
        "until": instant_to_json(peak.until),
        "level": peak.level,
        "value": peak.value,
        "median": peak.median,
        "calibration": peak.calibration,
    }


def _replicas(replicas: Replicas | None) -> dict[str, object] | None:
    if replicas is None:
        return None
    return {"existing": replicas.existing, "ready": replicas.ready, "isRollingOut": replicas.is_rolling_out}


def _clamp(clamp: Clamp) -> dict[str, object]:
    return {"name": clamp.name, "before": clamp.before, "after": clamp.after, "reason": clamp.reason}
