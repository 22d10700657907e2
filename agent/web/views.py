"""From the engine's pictures to the API's documents about a policy."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from agent.history.decision_json import decision_to_json
from agent.snapshot import Condition, DecisionRun, PolicySnapshot
from agent.web.finite import finite, finite_json
from agent.web.lead_time_view import lead_time_view
from agent.web.models import (
    AccountView,
    AdvantageView,
    Ages,
    ConditionView,
    CoverageView,
    DecisionRow,
    PolicyDetail,
    PolicySummary,
    SignalView,
    TrustView,
)
from agent.web.records import DecisionRecord, ReplicaCount
from agent.web.state import PolicyState, policy_state, state_condition
from scalers.advantage import Account, Advantage, in_words
from scalers.decision import Decision, Replicas, SignalInput


def summary(snapshot: PolicySnapshot, *, now: datetime) -> PolicySummary:
    """Return one policy in a line, its ages counted at `now`."""
    return PolicySummary.model_validate(_summary_fields(snapshot, now))


def detail(snapshot: PolicySnapshot, *, now: datetime, has_comparison: bool) -> PolicyDetail:
    """Return one policy whole."""
    policy = snapshot.policy
    return PolicyDetail.model_validate(
        {
            **_summary_fields(snapshot, now),
            "now": now,
            "minimum": policy.bounds.minimum,
            "maximum": policy.bounds.maximum,
            "gang": policy.bounds.gang,
            "tolerance": policy.tolerance,
            "stabilization_seconds": policy.stabilization.total_seconds(),
            "signals": _signals(snapshot),
            "advantages": _advantages(snapshot, now),
            "trust": _trust(snapshot),
            "coverage": _coverage(snapshot),
            "lead_time": None if snapshot.lead_time is None else lead_time_view(snapshot.lead_time),
            "decision": None if snapshot.decision is None else _record(snapshot.decision),
            "document": finite_json(snapshot.document),
            "has_comparison": has_comparison,
        }
    )


def decision_row(run: DecisionRun) -> DecisionRow:
    """Return a ledger row."""
    record = DecisionRecord.model_validate(run.decision)
    return DecisionRow(since=run.since, until=run.until, count=run.count, decision=record)


def _summary_fields(snapshot: PolicySnapshot, now: datetime) -> dict[str, object]:
    state = policy_state(snapshot)
    cause = state_condition(snapshot, state)
    policy = snapshot.policy
    return {
        "namespace": snapshot.key.namespace,
        "name": snapshot.key.name,
        "mode": policy.mode,
        "state": state,
        "state_since": None if cause is None else cause.since,
        "state_note": _state_note(snapshot, state, cause),
        "risk": policy.risk,
        "risk_used": _risk_used(snapshot),
        "look_ahead_seconds": max(policy.look_ahead(signal) for signal in policy.signals).total_seconds(),
        "lead_time_seconds": policy.lead_time.total_seconds(),
        "lead_time_measured_from": policy.lead_time_from,
        "conditions": [_condition(each) for each in snapshot.conditions],
        **_decided_fields(snapshot.decision, now),
    }


def _decided_fields(decision: Decision | None, now: datetime) -> dict[str, object]:
    if decision is None:
        numbers = dict.fromkeys(("sentence", "raw_need", "need", "answer", "for_keda", "replicas", "model"))
        return {**numbers, "ages": Ages(data=None, forecast=None, decision=None)}
    replicas = decision.replicas
    return {
        "sentence": decision.sentence,
        "raw_need": finite(decision.raw_need),
        "need": finite(decision.need),
        "answer": finite(decision.answer),
        "for_keda": finite(decision.for_keda),
        "replicas": None if replicas is None else _count(replicas),
        "model": _model(decision.signals),
        "ages": _ages(decision, now),
    }


def _count(replicas: Replicas) -> ReplicaCount:
    return ReplicaCount(existing=replicas.existing, ready=replicas.ready, is_rolling_out=replicas.is_rolling_out)


def _ages(decision: Decision, now: datetime) -> Ages:
    samples = [known.at for known in decision.signals]
    origins = [known.peak.origin for known in decision.signals if known.peak is not None]
    return Ages(
        data=_age(samples, now),
        forecast=_age(origins, now),
        decision=max(0.0, (now - decision.at).total_seconds()),
    )


def _age(instants: Iterable[datetime | None], now: datetime) -> float | None:
    """The age of the oldest; None where there is none or one was never seen."""
    ages = [None if instant is None else max(0.0, (now - instant).total_seconds()) for instant in instants]
    present = [age for age in ages if age is not None]
    return max(present) if present and len(present) == len(ages) else None


def _model(signals: tuple[SignalInput, ...]) -> str | None:
    """The trusted model of the signal that asks for the most."""
    trusted = [(known.peak, known.capacity) for known in signals if known.peak is not None and known.distrust is None]
    if not trusted:
        return None
    peak, _ = max(trusted, key=lambda pair: pair[0].value / pair[1])
    return peak.model


def _state_note(snapshot: PolicySnapshot, state: PolicyState, cause: Condition | None) -> str | None:
    match state:
        case PolicyState.TRUSTED:
            return None
        case PolicyState.LEARNING:
            notes = (row.note for row in snapshot.trust if row.note)
            return next(notes, None) or (None if cause is None else cause.message)
        case _:
            return None if cause is None else cause.message or cause.reason


def _risk_used(snapshot: PolicySnapshot) -> float | None:
    """How often demand passed the quantile that decides: the coverage row at 1 - risk, else None."""
    wanted = 1.0 - snapshot.policy.risk
    used = [1.0 - row.observed for row in snapshot.coverage if abs(row.level - wanted) < 1e-9 and row.count]
    return finite(max(used)) if used else None


def _record(decision: Decision) -> DecisionRecord:
    return DecisionRecord.model_validate(decision_to_json(decision))


def _condition(condition: Condition) -> ConditionView:
    return ConditionView(
        type=condition.type,
        status=condition.status,
        reason=condition.reason,
        message=condition.message,
        since=condition.since,
    )


def _signals(snapshot: PolicySnapshot) -> list[SignalView]:
    return [
        SignalView(
            name=signal.name,
            step_seconds=signal.step.total_seconds(),
            delay_seconds=signal.delay.total_seconds(),
            window_seconds=signal.window.total_seconds(),
            capacity=signal.capacity,
        )
        for signal in snapshot.policy.signals
    ]


def _advantages(snapshot: PolicySnapshot, now: datetime) -> list[AdvantageView]:
    return [_advantage(signal, each, snapshot, now) for signal, each in snapshot.advantages.items()]


def _advantage(signal: str, advantage: Advantage, snapshot: PolicySnapshot, now: datetime) -> AdvantageView:
    return AdvantageView(
        signal=signal,
        family=advantage.family,
        is_reactive=advantage.is_reactive,
        keeps_risk=advantage.keeps_risk,
        since=advantage.since,
        lately_seconds=advantage.lately.total_seconds(),
        own=_account(advantage.own),
        reactive=None if advantage.reactive is None else _account(advantage.reactive),
        saved=finite(advantage.saved),
        sentence=in_words(advantage, risk=snapshot.policy.risk, now=now),
    )


def _account(account: Account) -> AccountView:
    return AccountView(expert=account.expert, replicas=account.paid, short=account.short)


def _trust(snapshot: PolicySnapshot) -> list[TrustView]:
    return [
        TrustView(signal=row.signal, model=row.model, loss=finite(row.loss), is_trusted=row.is_trusted, note=row.note)
        for row in snapshot.trust
    ]


def _coverage(snapshot: PolicySnapshot) -> list[CoverageView]:
    return [
        CoverageView(signal=row.signal, level=row.level, observed=finite(row.observed), count=row.count)
        for row in snapshot.coverage
    ]
