"""What a workload's own document says of its pods: how many there are, their labels, and what each asks for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import ceil
from typing import Any

from agent.cluster.documents import Document
from agent.policy.quantities import parse_quantity

Amounts = Mapping[str, float]  # by resource, in its base unit: cores, bytes, pieces

_DEFAULT_SURGE = "25%"  # kubernetes pkg/apis/apps/v1/defaults.go
_TEMPLATE_SPEC = ("priorityClassName", "resources")
_CONTAINER = ("name", "resources", "restartPolicy")


@dataclass(frozen=True, slots=True)
class Container:
    """A container of a pod, as far as what it asks for goes; a request that is not given is the limit."""

    name: str
    requests: Amounts = field(default_factory=dict)
    limits: Amounts = field(default_factory=dict)
    is_init: bool = False
    stays: bool = True  # beside the others for the pod's whole life: no init container does, but for a sidecar


@dataclass(frozen=True, slots=True)
class PodTemplate:
    """What the pods of a workload have in common."""

    containers: tuple[Container, ...]
    labels: Mapping[str, str] = field(default_factory=dict)
    priority_class: str = ""
    whole: Container | None = None  # what is asked for the pod as such; None where containers ask alone


@dataclass(frozen=True, slots=True)
class Workload:
    """A Deployment or StatefulSet."""

    pods: PodTemplate
    wanted: int  # replicas that it is told to have
    existing: int  # pods that there are
    ending: int  # pods on their way out, as far as its controller tells
    max_surge: int | str  # pods more than wanted in a rollout, a number or a percentage; 0 for a StatefulSet
    refusal: str | None  # why the API server takes no new pod of it; None where it takes them

    def surge(self, replicas: int) -> int:
        """Return how many pods more than these replicas a rollout may make; a part of one counts whole."""
        return share_of(self.max_surge, replicas)

    @property
    def most(self) -> int:
        """How many pods of it may be counted anywhere now: counts lag behind each other for moments."""
        return max(self.existing, self.wanted) + self.ending


def share_of(count: int | str, replicas: int) -> int:
    """Return what a number or a percentage of replicas comes to, rounded up: k8s.io/apimachinery pkg/util/intstr."""
    if isinstance(count, str) and count.endswith("%"):
        return ceil(int(count[:-1]) * replicas / 100)
    return int(count)


def kept_template(template: Any) -> dict[str, Any]:
    """Return of a pod template what its pods ask for, and their labels: the rest is what makes it long."""
    spec, metadata = template.get("spec") or {}, template.get("metadata") or {}
    kept = {name: spec[name] for name in _TEMPLATE_SPEC if spec.get(name)}
    for kind in ("containers", "initContainers"):
        if spec.get(kind):
            kept[kind] = [{name: each[name] for name in _CONTAINER if each.get(name)} for each in spec[kind]]
    return {"metadata": {"labels": metadata.get("labels") or {}}, "spec": kept}


def workload_of(document: Document) -> Workload:
    """Return what a Deployment or a StatefulSet says."""
    spec, status = document.get("spec") or {}, document.get("status") or {}
    strategy = spec.get("strategy") or {}
    told: list[Document] = [each for each in status.get("conditions") or () if each.get("type") == "ReplicaFailure"]
    wanted = spec.get("replicas")
    return Workload(
        pods=template_of(spec.get("template") or {}),
        wanted=1 if wanted is None else wanted,
        existing=status.get("replicas") or 0,
        ending=status.get("terminatingReplicas") or 0,
        max_surge=_max_surge(strategy),
        refusal=next((each.get("message") or "" for each in told if each.get("status") == "True"), None),
    )


def template_of(template: Mapping[str, Any]) -> PodTemplate:
    """Return what a pod template says."""
    spec = template.get("spec") or {}
    inits = [_container(each, is_init=True) for each in spec.get("initContainers") or ()]
    return PodTemplate(
        containers=(*inits, *(_container(each) for each in spec.get("containers") or ())),
        labels=(template.get("metadata") or {}).get("labels") or {},
        priority_class=spec.get("priorityClassName") or "",
        whole=_container({"name": "", "resources": spec["resources"]}) if spec.get("resources") else None,
    )


def _max_surge(strategy: Mapping[str, Any]) -> int | str:
    """Return a Deployment's; what has no `strategy`, as a StatefulSet, ends a pod before it makes another."""
    if strategy.get("type") != "RollingUpdate":
        return 0
    surge: int | str = (strategy.get("rollingUpdate") or {}).get("maxSurge", _DEFAULT_SURGE)
    return surge


def _container(container: Mapping[str, Any], *, is_init: bool = False) -> Container:
    resources = container.get("resources") or {}
    limits = _amounts(resources.get("limits"))
    return Container(
        name=container.get("name") or "",
        requests={**limits, **_amounts(resources.get("requests"))},
        limits=limits,
        is_init=is_init,
        stays=not is_init or container.get("restartPolicy") == "Always",
    )


def _amounts(written: Mapping[str, Any] | None) -> dict[str, float]:
    return {name: parse_quantity(value) for name, value in (written or {}).items()}
