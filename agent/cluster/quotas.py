"""ResourceQuotas: how many pods of a workload one has room for. What cannot be told to count a pod counts none.

Which pods a quota counts, and what of them, is in kubernetes pkg/quota/v1/evaluator/core/pods.go.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from math import floor

from agent.cluster.asking import limits_of, requests_of
from agent.cluster.documents import Document, Name, name_of
from agent.cluster.workloads import Amounts, PodTemplate
from agent.policy.quantities import parse_quantity

_PODS = frozenset({"pods", "count/pods"})
_COMPUTE = ("cpu", "memory")
_BARE = frozenset({*_COMPUTE, "ephemeral-storage"})  # which a quota may name without `requests.`
_ROUNDING = 1e-9  # of a pod: sums of tenths of cores are not exact


@dataclass(frozen=True, slots=True)
class Quota:
    """A ResourceQuota."""

    name: Name
    hard: Mapping[str, str]  # as written, by the quota's own names of resources
    used: Amounts
    scopes: tuple[tuple[str, str, frozenset[str]], ...]  # scope, operator and values; all must hold for a pod to count


@dataclass(frozen=True, slots=True)
class Room:
    """How many pods of a workload a quota has room for, by one resource."""

    quota: Name
    resource: str
    hard: str
    others: float  # what others use of it
    fits: int  # pods
    silent: str | None = None  # a container that must say how much it asks for and does not, so that no pod is taken


def quota_of(document: Document) -> Quota:
    """Return what a ResourceQuota means."""
    spec = document["spec"]
    selected = (spec.get("scopeSelector") or {}).get("matchExpressions") or ()
    return Quota(
        name=name_of(document),
        hard={resource: str(value) for resource, value in (spec.get("hard") or {}).items()},
        used={name: parse_quantity(value) for name, value in (document.get("status", {}).get("used") or {}).items()},
        scopes=(
            *((scope, "Exists", frozenset[str]()) for scope in spec.get("scopes") or ()),
            *((each["scopeName"], each["operator"], frozenset(each.get("values") or ())) for each in selected),
        ),
    )


def rooms(quotas: Iterable[Quota], pods: PodTemplate, own: int) -> Iterator[Room]:
    """Return the room that each quota has for pods with their defaults filled in.

    Args:
        quotas: of the pods' namespace.
        pods: what each of them asks for.
        own: how many of them were counted in what the quotas have used.
    """
    for quota in quotas:
        if all(_is_in(pods, *scope) for scope in quota.scopes):
            for resource, hard in quota.hard.items():
                if (room := _room(quota, resource, hard, pods, own)) is not None:
                    yield room


def _room(quota: Quota, resource: str, hard: str, pods: PodTemplate, own: int) -> Room | None:
    each = _of_one(resource, pods)
    if (silent := _silent(resource, pods)) is not None:
        return Room(quota.name, resource, hard, 0.0, 0, silent)
    if not each:
        return None
    others = max(0.0, quota.used.get(resource, 0.0) - own * each)
    fits = floor(max(0.0, parse_quantity(hard) - others) / each + _ROUNDING)
    return Room(quota.name, resource, hard, others, fits)


def _of_one(resource: str, pods: PodTemplate) -> float:
    """Return what one pod takes of a quota's resource."""
    if resource in _PODS:
        return 1.0
    kind, _, name = resource.partition(".")
    if kind == "limits":
        return limits_of(pods).get(name, 0.0)
    if kind == "requests":
        return requests_of(pods).get(name, 0.0)
    is_of_pods = resource in _BARE or resource.startswith("hugepages-")
    return requests_of(pods).get(resource, 0.0) if is_of_pods else 0.0


def _silent(resource: str, pods: PodTemplate) -> str | None:
    """Return a container without what a quota demands of each: compute, unless the pod as such asks for it."""
    kind, _, name = resource.rpartition(".")
    if name not in _COMPUTE or kind not in ("", "requests", "limits"):
        return None
    for container in (each for each in pods.containers if pods.whole is None):
        if name not in (container.limits if kind == "limits" else container.requests):
            return container.name
    return None


def _is_in(pods: PodTemplate, scope: str, operator: str, values: frozenset[str]) -> bool:
    """Whether a quota's scope has the pods; of one that the template alone does not tell, that it has not."""
    if scope == "NotTerminating":
        return True  # a template of a workload may have no activeDeadlineSeconds
    if scope in ("BestEffort", "NotBestEffort"):
        asked = [*pods.containers, *([pods.whole] if pods.whole is not None else [])]
        asks = any(name in (*each.requests, *each.limits) for each in asked for name in _COMPUTE)
        return asks == (scope == "NotBestEffort")
    if scope == "PriorityClass" and pods.priority_class:
        known = {"In": pods.priority_class in values, "NotIn": pods.priority_class not in values, "Exists": True}
        return known.get(operator, False)
    return False
