"""What is kept of ScaledObjects, HPAs and VPAs, and what it means: whom each of them scales, and how.

A trigger's metadata may hold addresses and more: of it the policy's name alone is kept, or the policy that it holds.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from agent.cluster.documents import Document, Name, name_of
from agent.cluster.inline_policies import holds_policy
from agent.cluster.target import Target, target_of
from agent.cluster.watch import Kind
from agent.policy.quantities import parse_quantity
from scalers.keda.metadata import INLINE_KEYS, POLICY

_METADATA = ("name", "namespace", "uid", "resourceVersion")
_PAUSED, _PAUSED_AT = "autoscaling.keda.sh/paused", "autoscaling.keda.sh/paused-replicas"
_SCALED_OBJECT = "scaledobject.keda.sh/name"  # label of an HPA that KEDA made
_SCALED = ("scaleTargetRef", "pollingInterval", "minReplicaCount", "maxReplicaCount", "idleReplicaCount")
_EXTERNAL, _PUSH = "external", "external-push"
_VERTICAL = frozenset({"cpu", "memory"})
# What KEDA and a ScaledObject's target take where nothing is said: kedacore/keda apis/keda/v1alpha1.
_POLLING_SECONDS, _MOST_REPLICAS = 30, 100
_DEFAULT_TARGET = {"apiVersion": "apps/v1", "kind": "Deployment"}
HPA_TOLERANCE = 0.1  # of an HPA that says nothing, unless the controller manager's flag does

Where = tuple[str, str, str, str]  # namespace, group, kind and name of a scale target, whatever the version


def where(target: Target) -> Where:
    """Return what two references to one object have in common."""
    return target.namespace, target.group, target.kind, target.name


def kept_scaled_object(document: Document) -> Document:
    """Return of a ScaledObject what says whom it scales, and which policies its triggers name."""
    spec = document.get("spec") or {}
    triggers = [
        {"type": each.get("type"), "metadata": _some(each.get("metadata") or {}, (POLICY, *INLINE_KEYS))}
        for each in spec.get("triggers") or ()
    ]
    annotations = document["metadata"].get("annotations") or {}
    metadata = {**_some(document["metadata"], _METADATA), "annotations": _some(annotations, (_PAUSED, _PAUSED_AT))}
    return {"metadata": metadata, "spec": {**_some(spec, _SCALED), "triggers": triggers}}


def kept_hpa(document: Document) -> Document:
    """Return of an HPA whom it scales, who made it, and by which resources; not its status, which changes always."""
    spec, metadata = document.get("spec") or {}, document["metadata"]
    owners = [_some(each, ("kind", "name")) for each in metadata.get("ownerReferences") or ()]
    labels = _some(metadata.get("labels") or {}, (_SCALED_OBJECT,))
    return {
        "metadata": {**_some(metadata, _METADATA), "ownerReferences": owners, "labels": labels},
        "spec": _some(spec, ("scaleTargetRef", "metrics", "behavior")),
    }


def kept_vpa(document: Document) -> Document:
    """Return of a VPA whom it acts on, and on which resources."""
    spec = _some(document.get("spec") or {}, ("targetRef", "updatePolicy", "resourcePolicy"))
    return {"metadata": _some(document["metadata"], _METADATA), "spec": spec}


SCALED_OBJECTS = Kind("keda.sh", "v1alpha1", "scaledobjects", kept_scaled_object)
HPAS = Kind("autoscaling", "v2", "horizontalpodautoscalers", kept_hpa)
VPAS = Kind("autoscaling.k8s.io", "v1", "verticalpodautoscalers", kept_vpa)


@dataclass(frozen=True, slots=True)
class ScaledObject:
    """A ScaledObject of KEDA."""

    name: Name
    target: Where
    policies: frozenset[str]  # that its triggers name, of its namespace
    pushed: frozenset[str]  # those of them that KEDA holds a stream open for
    polling: timedelta
    goes_to_zero: bool
    maximum: int
    is_paused: bool  # KEDA has taken its HPA away


@dataclass(frozen=True, slots=True)
class Hpa:
    """A HorizontalPodAutoscaler."""

    name: Name
    target: Where
    scaled_object: str | None  # whose it is; None where KEDA has not made it
    resources: frozenset[str]  # by whose utilization, which is a share of the requests, it scales
    is_acting: bool  # whether it may scale out or in at all
    tolerance: float | None  # of scaling out, a ratio; None where it says nothing, and the cluster's own counts


@dataclass(frozen=True, slots=True)
class Vpa:
    """A VerticalPodAutoscaler."""

    name: Name
    target: Where
    mode: str
    resources: frozenset[str]  # whose requests it sets; none in mode Off


def scaled_object_of(document: Document) -> ScaledObject:
    """Return what a ScaledObject means."""
    spec, annotations = document["spec"], document["metadata"].get("annotations") or {}
    named = [(each["type"], _policy(document, each)) for each in spec["triggers"] if each["type"] in (_EXTERNAL, _PUSH)]
    return ScaledObject(
        name=name_of(document),
        target=_target(document, spec["scaleTargetRef"]),
        policies=frozenset(policy for _, policy in named if policy),
        pushed=frozenset(policy for kind, policy in named if policy and kind == _PUSH),
        polling=timedelta(seconds=spec.get("pollingInterval", _POLLING_SECONDS)),
        goes_to_zero=spec.get("minReplicaCount", 0) == 0 or spec.get("idleReplicaCount") == 0,
        maximum=spec.get("maxReplicaCount", _MOST_REPLICAS),
        is_paused=_PAUSED_AT in annotations or annotations.get(_PAUSED, "false").lower() not in ("false", "f", "0"),
    )


def _policy(document: Document, trigger: Mapping[str, Any]) -> str | None:
    """Return the policy that a trigger of KEDA's external kinds names or holds."""
    if holds_policy(trigger):
        return name_of(document)[1]
    name: str | None = trigger["metadata"].get(POLICY)
    return name


def hpa_of(document: Document) -> Hpa:
    """Return what an HPA means."""
    spec, metadata = document["spec"], document["metadata"]
    owner = next((each["name"] for each in metadata["ownerReferences"] if each["kind"] == "ScaledObject"), None)
    behavior = spec.get("behavior") or {}
    ways = [(behavior.get(way) or {}).get("selectPolicy") for way in ("scaleUp", "scaleDown")]
    tolerance = (behavior.get("scaleUp") or {}).get("tolerance")
    return Hpa(
        name=name_of(document),
        target=_target(document, spec["scaleTargetRef"]),
        scaled_object=owner or metadata["labels"].get(_SCALED_OBJECT),
        resources=frozenset(_utilized(spec.get("metrics") or ())),
        is_acting=ways != ["Disabled", "Disabled"],
        tolerance=None if tolerance is None else parse_quantity(tolerance),
    )


def vpa_of(document: Document) -> Vpa:
    """Return what a VPA means."""
    spec = document["spec"]
    mode = (spec.get("updatePolicy") or {}).get("updateMode") or "Auto"
    policies = (spec.get("resourcePolicy") or {}).get("containerPolicies") or ()
    resources = frozenset() if mode == "Off" else _controlled(policies)
    return Vpa(name_of(document), _target(document, spec.get("targetRef") or {}), mode, resources)


def _utilized(metrics: Iterable[Mapping[str, Any]]) -> Iterable[str]:
    for metric in metrics:
        known = metric.get("resource") or metric.get("containerResource")
        if known is not None and known["target"]["type"] == "Utilization":
            yield known["name"]


def _controlled(policies: Iterable[Mapping[str, Any]]) -> frozenset[str]:
    """Return whose requests are set. Sidecars that are left alone leave the others as they would be without a word."""
    acting = [each for each in policies if each.get("mode") != "Off"]
    is_off = any(each.get("containerName") == "*" and each.get("mode") == "Off" for each in policies)
    if not acting:
        return frozenset() if is_off else _VERTICAL
    return frozenset(name for each in acting for name in each.get("controlledResources") or _VERTICAL)


def _target(document: Document, reference: Mapping[str, str]) -> Where:
    """Return what a reference names; one without a name names nothing that there is."""
    return where(target_of(name_of(document)[0], {**_DEFAULT_TARGET, "name": "", **reference}))


def _some(whole: Mapping[str, Any], names: Iterable[str]) -> dict[str, Any]:
    return {name: whole[name] for name in names if whole.get(name) is not None}
