"""A registry of the agent's own, and the list of what is on it for whatever must agree with it."""

from __future__ import annotations

from dataclasses import dataclass
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

from scalers.policy import PolicyKey

OF_POLICY = ("namespace", "policy")
OF_SIGNAL = (*OF_POLICY, "signal")

M = TypeVar("M", bound=MetricWrapperBase)


@dataclass(frozen=True, slots=True)
class DeclaredMetric:
    """One metric as queries see it, for whatever must agree with it: documentation, dashboards, alert rules."""

    name: str
    kind: str  # gauge, counter or histogram
    labels: tuple[str, ...]
    documentation: str


class Metrics:
    """The agent's metrics in the order in which they were declared; their names get the prefix here.

    Attributes:
        registry: where the library keeps them.
        declared: what they are.
    """

    def __init__(self) -> None:
        # the library's switch is one for the process; a creation time per counter would double the exposition
        disable_created_metrics()  # type: ignore[no-untyped-call]  # the library leaves it unannotated
        self.registry = CollectorRegistry()
        self.declared: list[DeclaredMetric] = []
        ProcessCollector(registry=self.registry)
        self._of_policy: list[MetricWrapperBase] = []

    def gauge(self, name: str, documentation: str, labels: tuple[str, ...]) -> Gauge:
        """Declare a gauge."""
        return self._noted(Gauge(f"foretide_{name}", documentation, labels, registry=self.registry), name, labels)

    def counter(self, name: str, documentation: str, labels: tuple[str, ...]) -> Counter:
        """Declare a counter."""
        return self._noted(Counter(f"foretide_{name}", documentation, labels, registry=self.registry), name, labels)

    def histogram(
        self, name: str, documentation: str, labels: tuple[str, ...], buckets: tuple[float, ...]
    ) -> Histogram:
        """Declare a histogram; `buckets` are upper ends, in the unit of its name."""
        metric = Histogram(f"foretide_{name}", documentation, labels, buckets=buckets, registry=self.registry)
        return self._noted(metric, name, labels)

    def forget(self, key: PolicyKey) -> None:
        """Remove every series of a policy that is gone."""
        for metric in self._of_policy:
            metric.remove_by_labels({"namespace": key.namespace, "policy": key.name})

    def exposition(self) -> bytes:
        """Return all metrics in Prometheus' text format."""
        return generate_latest(self.registry)

    def _noted(self, metric: M, name: str, labels: tuple[str, ...]) -> M:
        kind = type(metric).__name__.lower()
        (described,) = metric.describe()
        self.declared.append(DeclaredMetric(f"foretide_{name}", kind, labels, described.documentation))
        if "policy" in labels:
            self._of_policy.append(metric)
        return metric


def show(gauge: Gauge, labels: tuple[str, ...], value: float | None) -> None:
    """Set a gauge's series; one whose value is not known is removed."""
    if value is None:
        gauge.remove(*labels)
    else:
        gauge.labels(*labels).set(value)
