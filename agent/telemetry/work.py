"""What the work behind decisions takes and where it fails: reads of sources, fits, the store; and whose it is."""

from __future__ import annotations

from collections.abc import Mapping

from prometheus_client import Counter

from agent.fitting.pool import FitFailed, Outcome
from agent.sources.source import SignalState
from agent.telemetry.metrics import OF_POLICY, Metrics
from scalers.policy import PolicyKey

_READ_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)  # the engine gives up at 10 s


class WorkTelemetry:
    """Counts per policy, per model and per operation, and what each namespace has used."""

    def __init__(self, metrics: Metrics) -> None:
        self._namespaces: set[str] = set()  # that have series of their usage
        self._declare_sources_and_fits(metrics)
        self._declare_usage(metrics)

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

    def policies_counted(self, policies: Mapping[str, int]) -> None:
        """Show how many policies each namespace has; one that has none any more has no series."""
        for gone in self._namespaces - policies.keys():
            for metric in (self._namespace_policies, self._namespace_samples, self._namespace_fits):
                metric.remove_by_labels({"namespace": gone})
        for namespace, count in policies.items():
            self._namespace_policies.labels(namespace).set(count)
        self._namespaces = set(policies)

    def _declare_sources_and_fits(self, metrics: Metrics) -> None:
        self._reads = metrics.counter("source_reads_total", "Reads of a source by what came.", (*OF_POLICY, "state"))
        self._warnings = metrics.counter("source_warnings_total", "Warnings that came with an answer.", OF_POLICY)
        self._dropped = metrics.counter(
            "samples_dropped_total", "Samples that the history refused.", (*OF_POLICY, "reason")
        )
        self._read_seconds = metrics.histogram(
            "source_read_duration_seconds", "Duration of reads of the newest sample.", (), _READ_BUCKETS
        )
        self._fits = metrics.counter("fits_total", "Fits by model and outcome.", ("model", "outcome"))
        self._fit_seconds = metrics.counter("fit_cpu_seconds_total", "CPU time of fits that succeeded.", ("model",))
        self._store_errors = metrics.counter("store_errors_total", "Calls of the store that failed.", ("operation",))

    def _declare_usage(self, metrics: Metrics) -> None:
        self._namespace_policies = metrics.gauge("namespace_policies", "Policies that are acted on.", ("namespace",))
        self._namespace_samples = metrics.counter(
            "namespace_samples_read_total",
            "Newest samples that sources gave to a namespace's policies.",
            ("namespace",),
        )
        self._namespace_fits = metrics.counter(
            "namespace_fit_cpu_seconds_total",
            "CPU time of fits that succeeded, for a namespace's policies.",
            ("namespace",),
        )

    def _used(self, counter: Counter, key: PolicyKey, amount: float) -> None:
        self._namespaces.add(key.namespace)
        counter.labels(key.namespace).inc(amount)


def _fit_outcome(outcome: Outcome) -> str:
    if not isinstance(outcome, FitFailed):
        return "fitted"
    return "needs_history" if outcome.needs_history else "failed"
