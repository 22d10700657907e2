"""Every metric that Foretide exports, declared once; methods are named for what happened.

A number that is not known has no series: an absent demand is not zero demand. Labels are bounded by what the operator
wrote (policies, signals) or by enums of ours; nothing that a caller of the gRPC server sends becomes a label.
"""

from __future__ import annotations

from collections import Counter as Tally
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from math import isclose
from typing import TypeVar

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.metrics import MetricWrapperBase

from agent.fitting.pool import FitFailed, Outcome
from agent.snapshot import PolicySnapshot
from agent.sources.source import SignalState
from scalers.decision import Basis, Decision, SignalInput
from scalers.keda.limits import Limit
from scalers.policy import PolicyKey

M = TypeVar("M", bound=MetricWrapperBase)

_POLICY = ("namespace", "policy")
_SIGNAL = (*_POLICY, "signal")
# Whatever else is observed one day counts under one name, so that no client can make labels up.
_RPCS = frozenset({
    "GetMetricSpec", "GetMetrics", "IsActive", "StreamIsActive", "StreamMetricSpec",
    "Check", "Watch", "ServerReflectionInfo",
})  # fmt: skip
_OTHER_RPC = "other"
_SERVER, _CLIENT_CA = "server", "client_ca"
# A call is answered from memory: the fine end shows whether it still is, 1 s is where KEDA's patience is at risk.
_RPC_BUCKETS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0)
_PUSH_BUCKETS = (0.001, 0.005, 0.025, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)  # 10,000 streams are told within 1 s
_AGE_BUCKETS = (1.0, 5.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0)  # a step is 15 s, `staleness.data` 10 min
_READ_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)  # the engine gives up at 10 s


@dataclass(frozen=True, slots=True)
class DeclaredMetric:
    """One metric as queries see it, for whatever must agree with it: documentation, dashboards, alert rules."""

    name: str
    kind: str  # gauge, counter or histogram
    labels: tuple[str, ...]
    documentation: str


class Telemetry:
    """The agent's counters and gauges on a registry of their own. Every method may be called from any thread."""

    def __init__(self, *, version: str) -> None:
        # the library's switch is one for the process; a creation time per counter would double the exposition
        disable_created_metrics()  # type: ignore[no-untyped-call]  # the library leaves it unannotated
        self.registry = CollectorRegistry()
        self.declared: list[DeclaredMetric] = []
        ProcessCollector(registry=self.registry)
        self._of_policy: list[MetricWrapperBase] = []
        self._roles: frozenset[str] = frozenset()  # that this agent has been in
        self._namespaces: set[str] = set()  # that have series of their usage
        self._tallied: frozenset[tuple[str, str]] = frozenset()  # labels that `policies` has now
        self._declare_decisions()
        self._declare_trust()
        self._declare_sources_and_fits()
        self._declare_usage()
        self._declare_server()
        self._declare_peers()
        self._loop_failures = self._counter("loop_failures_total", "Unforeseen errors that a loop outlived.", ())
        self._gauge("build_info", "The running version.", ("version",)).labels(version).set(1)

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
        _show(self._existing, key, replicas.existing if replicas else None)
        _show(self._ready, key, replicas.ready if replicas else None)
        _show(self._raw_need, key, decision.raw_need)
        _show(self._need, key, decision.need)
        _show(self._answer, key, decision.answer)
        _show(self._for_keda, key, decision.for_keda)
        self._decided_at.labels(*key).set(decision.at.timestamp())
        self._look_ahead.labels(*key).set(decision.look_ahead.total_seconds())
        for signal in decision.signals:
            self._show_signal((*key, signal.name), signal, now)

    def snapshots_taken(self, snapshots: Iterable[PolicySnapshot]) -> None:
        """Show every policy's trust and coverage, and how many policies are in each condition."""
        tally: Tally[tuple[str, str]] = Tally()
        namespaces: Tally[str] = Tally()
        for snapshot in snapshots:
            self._show_record(snapshot)
            namespaces[snapshot.key.namespace] += 1
            tally.update((condition.type, _status(condition.status)) for condition in snapshot.conditions)
        for labels in self._tallied - tally.keys():
            self._policies.remove(*labels)
        for labels, count in tally.items():
            self._policies.labels(*labels).set(count)
        self._tallied = frozenset(tally)
        self._show_usage(namespaces)

    def source_read(self, key: PolicyKey, *, seconds: float, warnings: int = 0) -> None:
        """Count a sample that a source gave, with what it said beside it."""
        self._reads.labels(key.namespace, key.name, SignalState.OK.value).inc()
        self._read_seconds.observe(seconds)
        self._warnings.labels(key.namespace, key.name).inc(warnings)
        self._used(self._namespace_samples, key, 1)

    def source_failed(self, key: PolicyKey, state: SignalState, *, seconds: float | None = None) -> None:
        """Count a read that gave no sample; `seconds` is None where the source was not asked at all."""
        self._reads.labels(key.namespace, key.name, state.value).inc()
        if seconds is not None:
            self._read_seconds.observe(seconds)

    def sample_dropped(self, key: PolicyKey, reason: str) -> None:
        """Count a sample that the history refused; the reason is an enum's value."""
        self._dropped.labels(key.namespace, key.name, reason).inc()

    def fit_finished(self, key: PolicyKey, outcome: Outcome) -> None:
        """Count a fit of a policy and, where it is known, what it cost."""
        self._fits.labels(outcome.model, _fit_outcome(outcome)).inc()
        if not isinstance(outcome, FitFailed):
            self._fit_seconds.labels(outcome.model).inc(outcome.cpu_seconds)
            self._used(self._namespace_fits, key, outcome.cpu_seconds)

    def store_failed(self, operation: str) -> None:
        """Count a call of the store port that failed; the operation is the port's method."""
        self._store_errors.labels(operation).inc()

    def rpc_handled(self, rpc: str, code: str, seconds: float) -> None:
        """Count a unary call that ended by method (a bare name or a path), gRPC status code name and duration."""
        counted, timed = self._of_rpc(_known_rpc(rpc), code)
        counted.inc()
        timed.observe(seconds)

    def stream_opened(self, rpc: str) -> None:
        """Count a stream in."""
        self._streams.labels(_known_rpc(rpc)).inc()

    def stream_closed(self, rpc: str, code: str) -> None:
        """Count a stream out, by the name of its gRPC status code; how long it was open says nothing."""
        name = _known_rpc(rpc)
        self._streams.labels(name).dec()
        self._rpcs.labels(name, code).inc()

    def limit_exceeded(self, limit: Limit) -> None:
        """Count a call or stream that was refused because it asked for too much."""
        self._limits_exceeded.labels(limit.value).inc()

    def answered(self, age_seconds: float) -> None:
        """Take note of how old the decision is that a GetMetrics told."""
        self._answer_age.observe(age_seconds)

    def pushed(self, delay_seconds: float) -> None:
        """Take note of how long a change on the board took to be written to one stream."""
        self._push_delay.observe(delay_seconds)

    def certificate_served(self, *, expires_at: datetime, authorities_expire_at: datetime | None) -> None:
        """Show until when the gRPC server's certificate is valid, and the last of its clients' authorities."""
        _show(self._certificate_expiry, (_SERVER,), expires_at.timestamp())
        _show(
            self._certificate_expiry,
            (_CLIENT_CA,),
            authorities_expire_at.timestamp() if authorities_expire_at is not None else None,
        )

    def certificate_refused(self) -> None:
        """Count a look at certificate files that have changed and cannot be used."""
        self._certificates_refused.inc()

    def standing_seen(self, role: str, *, silence_seconds: float | None) -> None:
        """Show what this agent is to the others and, of a follower, how long the leader has said nothing."""
        for other in self._roles - {role}:
            self._role.labels(other).set(0)
            _show(self._silence, (other,), None)
        self._roles |= {role}
        self._role.labels(role).set(1)
        _show(self._silence, (role,), silence_seconds)

    def followers(self, count: int) -> None:
        """Show how many agents follow this one."""
        self._followers.set(count)

    def loop_failed(self) -> None:
        """Count an error that nobody foresaw, caught at the outer edge of a loop; the log has it whole."""
        self._loop_failures.inc()

    def forget(self, key: PolicyKey) -> None:
        """Remove every series of a policy that is gone."""
        for metric in self._of_policy:
            metric.remove_by_labels({"namespace": key.namespace, "policy": key.name})

    def exposition(self) -> bytes:
        """Return all metrics in Prometheus' text format."""
        return generate_latest(self.registry)

    def _declare_decisions(self) -> None:
        self._demand = self._gauge("demand", "Newest demand of a signal, in its own unit.", _SIGNAL)
        self._peak = self._gauge(
            "forecast_peak", "Largest demand within the look-ahead at the deciding quantile, in demand units.", _SIGNAL
        )
        self._data_age = self._gauge("data_age_seconds", "Age of the newest sample at the last decision.", _SIGNAL)
        self._forecast_age = self._gauge(
            "forecast_age_seconds", "Age of the forecast's origin at the last decision.", _SIGNAL
        )
        self._raw_need = self._gauge("raw_need_replicas", "Demand now over capacity.", _POLICY)
        self._need = self._gauge("need_replicas", "Replicas the risk asks for, before any clamp.", _POLICY)
        self._answer = self._gauge("answer_replicas", "Replicas the policy answers.", _POLICY)
        self._for_keda = self._gauge(
            "keda_answer_replicas", "Replicas KEDA gets: the answer, or the raw need in Shadow.", _POLICY
        )
        self._existing = self._gauge("existing_replicas", "Observed replicas that exist.", _POLICY)
        self._ready = self._gauge("ready_replicas", "Observed replicas that serve.", _POLICY)
        self._look_ahead = self._gauge("look_ahead_seconds", "How far ahead the last decision read.", _POLICY)
        self._decided_at = self._gauge("decision_timestamp_seconds", "Instant of the last decision.", _POLICY)
        self._basis = self._gauge("decision_basis", "1 for what the last answer rests on.", (*_POLICY, "basis"))
        self._decisions = self._counter("decisions_total", "Decisions published.", (*_POLICY, "basis"))

    def _declare_trust(self) -> None:
        self._loss = self._gauge(
            "decision_loss_ratio", "Loss of deciding by a model over that of reacting.", (*_SIGNAL, "model")
        )
        self._coverage = self._gauge(
            "coverage_ratio", "Share of demand peaks at or below the deciding quantile.", _SIGNAL
        )
        self._risk = self._gauge("risk_ratio", "Share of time demand may exceed ready capacity, as set.", _POLICY)
        self._policies = self._gauge("policies", "Policies by condition and its status.", ("condition", "status"))

    def _declare_sources_and_fits(self) -> None:
        self._reads = self._counter("source_reads_total", "Reads of a source by what came.", (*_POLICY, "state"))
        self._warnings = self._counter("source_warnings_total", "Warnings that came with an answer.", _POLICY)
        self._dropped = self._counter(
            "samples_dropped_total", "Samples that the history refused.", (*_POLICY, "reason")
        )
        self._read_seconds = self._histogram(
            "source_read_duration_seconds", "Duration of reads of the newest sample.", (), _READ_BUCKETS
        )
        self._fits = self._counter("fits_total", "Fits by model and outcome.", ("model", "outcome"))
        self._fit_seconds = self._counter("fit_cpu_seconds_total", "CPU time of fits that succeeded.", ("model",))
        self._store_errors = self._counter("store_errors_total", "Calls of the store that failed.", ("operation",))

    def _declare_usage(self) -> None:
        self._namespace_policies = self._gauge("namespace_policies", "Policies that are acted on.", ("namespace",))
        self._namespace_samples = self._counter(
            "namespace_samples_read_total",
            "Newest samples that sources gave to a namespace's policies.",
            ("namespace",),
        )
        self._namespace_fits = self._counter(
            "namespace_fit_cpu_seconds_total",
            "CPU time of fits that succeeded, for a namespace's policies.",
            ("namespace",),
        )

    def _declare_server(self) -> None:
        self._rpcs = self._counter("grpc_handled_total", "gRPC calls that ended.", ("rpc", "code"))
        self._rpc_seconds = self._histogram(
            "grpc_handling_seconds", "Time to answer a gRPC call.", ("rpc", "code"), _RPC_BUCKETS
        )
        # looking labels up costs more than counting, and this is done at each call
        self._of_rpc = cache(lambda rpc, code: (self._rpcs.labels(rpc, code), self._rpc_seconds.labels(rpc, code)))
        self._push_delay = self._histogram(
            "grpc_push_delay_seconds", "Time from a change to its being written to a stream.", (), _PUSH_BUCKETS
        )
        self._answer_age = self._histogram(
            "grpc_answer_age_seconds", "Age of the decision that a GetMetrics told.", (), _AGE_BUCKETS
        )
        self._limits_exceeded = self._counter(
            "grpc_limits_exceeded_total", "Calls and streams refused because they asked for too much.", ("limit",)
        )
        self._streams = self._gauge("grpc_streams", "Open gRPC streams.", ("rpc",))
        self._certificate_expiry = self._gauge(
            "grpc_certificate_not_after_timestamp_seconds",
            "End of the validity of what new gRPC connections get.",
            ("certificate",),
        )
        self._certificates_refused = self._counter(
            "grpc_certificate_reload_failures_total",
            "Looks, one every 5 s, at changed certificate files that cannot be used.",
            (),
        )

    def _declare_peers(self) -> None:
        self._role = self._gauge("role", "1 for what this agent is to the others that hold the same Lease.", ("role",))
        self._followers = self._gauge("followers", "Agents that follow this one.", ())
        self._silence = self._gauge(
            "leader_silence_seconds", "Time since a follower has heard of its leader.", ("role",)
        )

    def _gauge(self, name: str, documentation: str, labels: tuple[str, ...]) -> Gauge:
        return self._noted(Gauge(f"foretide_{name}", documentation, labels, registry=self.registry), name, labels)

    def _counter(self, name: str, documentation: str, labels: tuple[str, ...]) -> Counter:
        return self._noted(Counter(f"foretide_{name}", documentation, labels, registry=self.registry), name, labels)

    def _histogram(
        self, name: str, documentation: str, labels: tuple[str, ...], buckets: tuple[float, ...]
    ) -> Histogram:
        metric = Histogram(f"foretide_{name}", documentation, labels, buckets=buckets, registry=self.registry)
        return self._noted(metric, name, labels)

    def _noted(self, metric: M, name: str, labels: tuple[str, ...]) -> M:
        kind = type(metric).__name__.lower()
        (described,) = metric.describe()
        self.declared.append(DeclaredMetric(f"foretide_{name}", kind, labels, described.documentation))
        if "policy" in labels:
            self._of_policy.append(metric)
        return metric

    def _show_signal(self, labels: tuple[str, ...], signal: SignalInput, now: datetime) -> None:
        _show(self._demand, labels, signal.demand)
        _show(self._data_age, labels, (now - signal.at).total_seconds() if signal.at else None)
        _show(self._peak, labels, signal.peak.value if signal.peak else None)
        _show(self._forecast_age, labels, (now - signal.peak.origin).total_seconds() if signal.peak else None)

    def _used(self, counter: Counter, key: PolicyKey, amount: float) -> None:
        self._namespaces.add(key.namespace)
        counter.labels(key.namespace).inc(amount)

    def _show_usage(self, policies: Mapping[str, int]) -> None:
        """Show how many policies each namespace has; one that has none any more has no series."""
        for gone in self._namespaces - policies.keys():
            for metric in (self._namespace_policies, self._namespace_samples, self._namespace_fits):
                metric.remove_by_labels({"namespace": gone})
        for namespace, count in policies.items():
            self._namespace_policies.labels(namespace).set(count)
        self._namespaces = set(policies)

    def _show_record(self, snapshot: PolicySnapshot) -> None:
        key = (snapshot.key.namespace, snapshot.key.name)
        self._risk.labels(*key).set(snapshot.policy.risk)
        for row in snapshot.trust:
            _show(self._loss, (*key, row.signal, row.model), row.loss)
        for observed in snapshot.coverage:
            if isclose(observed.level, 1 - snapshot.policy.risk):
                _show(self._coverage, (*key, observed.signal), observed.observed)


def _show(gauge: Gauge, labels: tuple[str, ...], value: float | None) -> None:
    if value is None:
        gauge.remove(*labels)
    else:
        gauge.labels(*labels).set(value)


def _status(status: bool | None) -> str:
    return "Unknown" if status is None else str(status)


def _fit_outcome(outcome: Outcome) -> str:
    if not isinstance(outcome, FitFailed):
        return "fitted"
    return "needs_history" if outcome.needs_history else "failed"


def _known_rpc(rpc: str) -> str:
    name = rpc.rpartition("/")[2]
    return name if name in _RPCS else _OTHER_RPC
