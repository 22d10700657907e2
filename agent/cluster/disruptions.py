"""PodDisruptionBudgets: at how many replicas one lets no pod be evicted, so that no node can be drained.

Scaling in deletes pods and asks no budget. But the node that it was for stays: neither an autoscaler nor an upgrade may
drain it. Mirrors kubernetes pkg/controller/disruption/disruption.go.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from agent.cluster.documents import Document, Name, name_of
from agent.cluster.workloads import share_of

Count = int | str  # pods, or a percentage of them


@dataclass(frozen=True, slots=True)
class Budget:
    """A PodDisruptionBudget."""

    name: Name
    selector: Mapping[str, Any] | None  # of labels; None selects nothing
    least: Count | None  # minAvailable
    most_gone: Count | None  # maxUnavailable
    counted: int  # pods that it counts, of whatever workloads; 0 where nobody has counted yet

    @property
    def told(self) -> str:
        """Its field and value, as people write them."""
        if self.most_gone is not None:
            return f"spec.maxUnavailable is {self.most_gone}"
        return f"spec.minAvailable is {self.least}"

    @property
    def is_total(self) -> bool:
        """Whether it lets no pod go, however many there are."""
        return self.least == "100%" or self.most_gone in (0, "0%")

    def evictable(self, replicas: int) -> int:
        """Return how many of so many pods that all serve may be evicted at once."""
        if self.most_gone is not None:
            return min(replicas, share_of(self.most_gone, replicas))
        return replicas if self.least is None else max(0, replicas - share_of(self.least, replicas))


def budget_of(document: Document) -> Budget:
    """Return what a PodDisruptionBudget means."""
    spec, counted = document.get("spec") or {}, (document.get("status") or {}).get("expectedPods") or 0
    return Budget(
        name_of(document), spec.get("selector"), spec.get("minAvailable"), spec.get("maxUnavailable"), counted
    )


def budgets_of(budgets: Iterable[Budget], labels: Mapping[str, str]) -> list[Budget]:
    """Return the budgets that select pods with these labels."""
    return [each for each in budgets if each.selector is not None and _selects(each.selector, labels)]


def _selects(selector: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    """Whether a label selector selects: k8s.io/apimachinery pkg/apis/meta/v1. An empty one selects everything."""
    wanted = (selector.get("matchLabels") or {}).items()
    return all(labels.get(name) == value for name, value in wanted) and all(
        _holds(labels.get(each["key"]), each["operator"], each.get("values") or ())
        for each in selector.get("matchExpressions") or ()
    )


def _holds(value: str | None, operator: str, values: Collection[str | None]) -> bool:
    return {
        "In": value in values,
        "NotIn": value not in values,
        "Exists": value is not None,
        "DoesNotExist": value is None,
    }.get(operator, False)
