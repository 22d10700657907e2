"""What policies decide, and how far that is trusted: a series or a few per policy, gone with it."""

from __future__ import annotations

from collections import Counter as Tally
from collections.abc import Sequence
from datetime import datetime
from math import isclose

from agent.snapshot import PolicySnapshot
from agent.telemetry.metrics import OF_POLICY, OF_SIGNAL, Metrics, show
from scalers.decision import Basis, Decision, SignalInput


class PolicyTelemetry:
    """Decisions as they are made or heard, trust and conditions as they are looked at."""

    def __init__(self, metrics: Metrics) -> None:
        self._tallied: frozenset[tuple[str, str]] = frozenset()  # labels that `policies` has now
        self._declare_decisions(metrics)
        self._declare_trust(metrics)

    def decision_published(self, decision: Decision, now: datetime) -> None:
        """Count and show the decision that the board has just taken over; `now` gives the ages."""
        self._decisions.labels(decision.key.namespace, decision.key.name, decision.basis.value).inc()
        self.decision_shown(decision, now)

    def decision_shown(self, decision: Decision, now: datetime) -> None:
        """Show a decision that another agent has made and counted."""
        key = (decision.key.namespace, decision.key.name)
        for basis in Basis:
            self._basis.labels(*key, basis.value).set(basis is decision.basis)
        replicas = decision.replicas
        show(self._existing, key, replicas.existing if replicas else None)
        show(self._ready, key, replicas.ready if replicas else None)
        show(self._raw_need, key, decision.raw_need)
        show(self._need, key, decision.need)
        show(self._answer, key, decision.answer)
        show(self._for_keda, key, decision.for_keda)
        self._decided_at.labels(*key).set(decision.at.timestamp())
        self._look_ahead.labels(*key).set(decision.look_ahead.total_seconds())
        for signal in decision.signals:
            self._show_signal((*key, signal.name), signal, now)

    def snapshots_taken(self, snapshots: Sequence[PolicySnapshot]) -> None:
        """Show every policy's trust and coverage, and how many policies are in each condition."""
        tally: Tally[tuple[str, str]] = Tally()
        for snapshot in snapshots:
            self._show_record(snapshot)
            tally.update((condition.type, _status(condition.status)) for condition in snapshot.conditions)
        for labels in self._tallied - tally.keys():
            self._policies.remove(*labels)
        for labels, count in tally.items():
            self._policies.labels(*labels).set(count)
        self._tallied = frozenset(tally)

    def _declare_decisions(self, metrics: Metrics) -> None:
        self._demand = metrics.gauge("demand", "Newest demand of a signal, in its own unit.", OF_SIGNAL)
        self._peak = metrics.gauge(
            "forecast_peak",
            "Largest demand within the look-ahead at the deciding quantile, in demand units.",
            OF_SIGNAL,
        )
        self._data_age = metrics.gauge("data_age_seconds", "Age of the newest sample at the last decision.", OF_SIGNAL)
        self._forecast_age = metrics.gauge(
            "forecast_age_seconds", "Age of the forecast's origin at the last decision.", OF_SIGNAL
        )
        self._raw_need = metrics.gauge("raw_need_replicas", "Demand now over capacity.", OF_POLICY)
        self._need = metrics.gauge("need_replicas", "Replicas the risk asks for, before any clamp.", OF_POLICY)
        self._answer = metrics.gauge("answer_replicas", "Replicas the policy answers.", OF_POLICY)
        self._for_keda = metrics.gauge(
            "keda_answer_replicas", "Replicas KEDA gets: the answer, or the raw need in Shadow.", OF_POLICY
        )
        self._existing = metrics.gauge("existing_replicas", "Observed replicas that exist.", OF_POLICY)
        self._ready = metrics.gauge("ready_replicas", "Observed replicas that serve.", OF_POLICY)
        self._look_ahead = metrics.gauge("look_ahead_seconds", "How far ahead the last decision read.", OF_POLICY)
        self._decided_at = metrics.gauge("decision_timestamp_seconds", "Instant of the last decision.", OF_POLICY)
        self._basis = metrics.gauge("decision_basis", "1 for what the last answer rests on.", (*OF_POLICY, "basis"))
        self._decisions = metrics.counter("decisions_total", "Decisions published.", (*OF_POLICY, "basis"))

    def _declare_trust(self, metrics: Metrics) -> None:
        self._loss = metrics.gauge(
            "decision_loss_ratio", "Loss of deciding by a model over that of reacting.", (*OF_SIGNAL, "model")
        )
        self._coverage = metrics.gauge(
            "coverage_ratio", "Share of demand peaks at or below the deciding quantile.", OF_SIGNAL
        )
        self._risk = metrics.gauge("risk_ratio", "Share of time demand may exceed ready capacity, as set.", OF_POLICY)
        self._policies = metrics.gauge("policies", "Policies by condition and its status.", ("condition", "status"))

    def _show_signal(self, labels: tuple[str, ...], signal: SignalInput, now: datetime) -> None:
        show(self._demand, labels, signal.demand)
        show(self._data_age, labels, (now - signal.at).total_seconds() if signal.at else None)
        show(self._peak, labels, signal.peak.value if signal.peak else None)
        show(self._forecast_age, labels, (now - signal.peak.origin).total_seconds() if signal.peak else None)

    def _show_record(self, snapshot: PolicySnapshot) -> None:
        key = (snapshot.key.namespace, snapshot.key.name)
        self._risk.labels(*key).set(snapshot.policy.risk)
        for row in snapshot.trust:
            show(self._loss, (*key, row.signal, row.model), row.loss)
        for observed in snapshot.coverage:
            if isclose(observed.level, 1 - snapshot.policy.risk):
                show(self._coverage, (*key, observed.signal), observed.observed)


def _status(status: bool | None) -> str:
    return "Unknown" if status is None else str(status)
