"""The documents and commands that lead a workload from what scales it today to Foretide, and back."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from agent.adopt.cannot import CannotAdopt
from agent.adopt.demand import Demand
from agent.adopt.finding import Found, Kind
from agent.adopt.today import Today
from agent.cluster.documents import Document
from agent.policy import ForecastPolicy, policy_of
from agent.policy.document import API_VERSION, KIND
from agent.policy.quantities import format_duration, format_quantity, format_share

# What the API server sets; the annotation of `kubectl apply` is the user's, and the next apply reads it.
_SERVER_METADATA = ("creationTimestamp", "generation", "managedFields", "resourceVersion", "selfLink", "uid")
_LONGEST_LABEL = 63  # KEDA writes the ScaledObject's name into a label
_SCALED_OBJECT_API = "keda.sh/v1alpha1"
# kedacore/keda apis/keda/v1alpha1/scaledobject_types.go; without it KEDA's webhook refuses a target that has an HPA
TRANSFER = "scaledobject.keda.sh/transfer-hpa-ownership"

_NO_KEDA = "the cluster knows no ScaledObjects: install KEDA before the hand-over; Shadow needs none"

POLICY_FILE = "policy.yaml"
SCALED_OBJECT_FILE = "scaledobject.yaml"
PATCH_FILE = "hand-over.yaml"
HPA_BACK_FILE = "way-back-hpa.yaml"
PATCH_BACK_FILE = "way-back.yaml"


@dataclass(frozen=True, slots=True)
class Wish:
    """What the user says of the policy."""

    risk: float  # ratio
    start_up: timedelta
    scaler_address: str  # host and port of the agent's gRPC, as KEDA reaches it


@dataclass(frozen=True, slots=True)
class Around:
    """What else there is in the namespace."""

    hpas: tuple[str, ...] = ()  # further HPAs on the same target
    scaled_objects: tuple[Document, ...] = ()
    policies: frozenset[str] = frozenset()  # names
    has_keda: bool = True  # whether the cluster knows ScaledObjects


@dataclass(frozen=True, slots=True)
class Step:
    """One part of the way: what it does, and the commands, with {dir} for the folder of the files."""

    title: str
    commands: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class File:
    """One document that a step uses."""

    name: str
    about: str
    document: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Proposal:
    """The whole way, there and back."""

    today: Today
    demand: Demand
    policy: ForecastPolicy  # as it parses
    files: tuple[File, ...]
    steps: tuple[Step, ...]
    notes: tuple[str, ...]


_ALONE = Around()


def propose(today: Today, demand: Demand, wish: Wish, around: Around = _ALONE) -> Proposal:
    """Return the way to Foretide and back.

    Args:
        today: what scales the workload.
        demand: what follows from it.
        wish: what the user says.
        around: what else there is in the namespace.

    Raises:
        CannotAdopt: a name is too long for KEDA, or a ScaledObject stands in the way.
        InvalidPolicy: what was read or given makes no policy.
    """
    name = _name(today)
    _refuse_a_second(today, name, around.scaled_objects)
    document = _policy(today, demand, wish, name)
    is_hpa = today.found.kind is Kind.HPA
    files = _hpa_files(today, wish, name) if is_hpa else _scaled_object_files(today, demand, wish, name)
    return Proposal(
        today=today,
        demand=demand,
        policy=policy_of(document, origin=f"the policy for {today.found.shown}"),
        files=(File(POLICY_FILE, "the policy, in Shadow: it recommends, and changes nothing", document), *files),
        steps=_steps(today, name),
        notes=(*demand.notes, *_notes(today, name, around)),
    )


def _name(today: Today) -> str:
    """Return the name of policy and ScaledObject: a ScaledObject keeps its own, an HPA's are the target's."""
    if today.found.kind is Kind.SCALED_OBJECT:
        return today.found.name
    name = today.target["name"]
    if len(name) > _LONGEST_LABEL:
        raise CannotAdopt(
            f"{today.found.shown}: spec.scaleTargetRef.name {name!r} has {len(name)} characters, and KEDA takes"
            f" ScaledObjects of {_LONGEST_LABEL} at most: write the ScaledObject by hand, with a shorter name"
        )
    return name


def _refuse_a_second(today: Today, name: str, scaled_objects: Sequence[Document]) -> None:
    """Refuse where an HPA's new ScaledObject would overwrite another, or be the second on its target."""
    if today.found.kind is Kind.SCALED_OBJECT:
        return
    for each in scaled_objects:
        other = Found(Kind.SCALED_OBJECT, each)
        if other.name == name or other.target == today.target["name"]:
            raise CannotAdopt(
                f"{today.found.shown}: {other.shown}, which scales {other.target}, stands in the way of a ScaledObject"
                f" {name} for {today.target['name']}: adopt that one with --kind scaledobject, or delete it first"
            )


def _policy(today: Today, demand: Demand, wish: Wish, name: str) -> dict[str, Any]:
    activation = {"activation": format_quantity(demand.activation)} if demand.activation else {}
    return {
        "apiVersion": API_VERSION,
        "kind": KIND,
        "metadata": {"name": name, "namespace": today.found.namespace},
        "spec": {
            "mode": "Shadow",
            "scaleTargetRef": dict(today.target),
            "demand": {"prometheus": {"query": demand.query}, "step": "15s"},
            "capacity": {"perReplica": format_quantity(demand.capacity)},
            "replicas": {"min": today.minimum, "max": today.maximum},
            "risk": format_share(wish.risk),
            "leadTime": {"declared": format_duration(wish.start_up)},
            "scaling": {
                "tolerance": format_share(today.tolerance),
                "stabilization": format_duration(today.stabilization),
                **activation,
            },
        },
    }


def _trigger(wish: Wish, name: str) -> dict[str, Any]:
    metadata = {"scalerAddress": wish.scaler_address, "policy": name}
    return {"type": "external-push", "metricType": "AverageValue", "metadata": metadata}


def _hpa_files(today: Today, wish: Wish, name: str) -> tuple[File, ...]:
    hpa = today.found
    config: dict[str, Any] = {"name": hpa.name} | ({"behavior": dict(today.behavior)} if today.behavior else {})
    scaled_object = {
        "apiVersion": _SCALED_OBJECT_API,
        "kind": "ScaledObject",
        "metadata": {"name": name, "namespace": hpa.namespace, "annotations": {TRANSFER: "true"}},
        "spec": {
            "scaleTargetRef": dict(today.target),
            "pollingInterval": 15,
            "minReplicaCount": today.minimum,
            "maxReplicaCount": today.maximum,
            "advanced": {"horizontalPodAutoscalerConfig": config},
            "triggers": [_trigger(wish, name)],
        },
    }
    return (
        File(SCALED_OBJECT_FILE, f"the hand-over: KEDA takes over HPA {hpa.name}, and asks Foretide", scaled_object),
        File(HPA_BACK_FILE, f"the way back: HPA {hpa.name} as it is now", original(hpa.document)),
    )


def _scaled_object_files(today: Today, demand: Demand, wish: Wish, name: str) -> tuple[File, ...]:
    before = copy.deepcopy(list(today.found.document["spec"]["triggers"]))
    first = demand.replaced[0]
    after = [
        _trigger(wish, name) if place == first else copy.deepcopy(trigger)
        for place, trigger in enumerate(before)
        if place == first or place not in demand.replaced
    ]
    return (
        File(PATCH_FILE, "the hand-over: a patch of the triggers", {"spec": {"triggers": after}}),
        File(PATCH_BACK_FILE, "the way back: a patch to the triggers of now", {"spec": {"triggers": before}}),
    )


def original(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return an object as it was written, without what the API server keeps."""
    kept = {key: copy.deepcopy(value) for key, value in document.items() if key != "status"}
    kept["metadata"] = {key: value for key, value in kept["metadata"].items() if key not in _SERVER_METADATA}
    return kept


def _steps(today: Today, name: str) -> tuple[Step, ...]:
    namespace = today.found.namespace
    there, back = _hpa_way(today, name) if today.found.kind is Kind.HPA else _scaled_object_way(today)
    shadow = (
        f"kubectl apply --server-side -f {{dir}}/{POLICY_FILE}",
        f"kubectl get fcp {name} -n {namespace}",
        f"foretide explain {name} -n {namespace}",
    )
    activate = f'kubectl patch fcp {name} -n {namespace} --type=merge -p \'{{{{"spec":{{{{"mode":"Active"}}}}}}}}\''
    return (
        Step("Shadow: recommendations beside what scales it today. Look for a day or more", shadow),
        Step("Hand over", (activate, there)),
        Step("The way back", (*back, f"kubectl delete fcp {name} -n {namespace}")),
    )


def _hpa_way(today: Today, name: str) -> tuple[str, tuple[str, ...]]:
    """Return the commands there and back.

    Orphaned, the HPA outlives its ScaledObject: it holds the replicas until it is replaced by itself of before, and
    there is no time without one. An ordinary deletion takes it along.
    """
    return f"kubectl apply --server-side -f {{dir}}/{SCALED_OBJECT_FILE}", (
        f"kubectl delete scaledobject {name} -n {today.found.namespace} --cascade=orphan",
        f"kubectl replace -f {{dir}}/{HPA_BACK_FILE}",
    )


def _scaled_object_way(today: Today) -> tuple[str, tuple[str, ...]]:
    patch = (
        f"kubectl patch scaledobject {today.found.name} -n {today.found.namespace} --type=merge --patch-file {{dir}}/"
    )
    return f"{patch}{PATCH_FILE}", (f"{patch}{PATCH_BACK_FILE}",)


def _notes(today: Today, name: str, around: Around) -> list[str]:
    said = [
        f"HPA {each} scales {today.target['kind']} {today.target['name']}, too: KEDA's webhook refuses the hand-over"
        " until it is deleted, and until then they fight"
        for each in around.hpas
    ]
    metadata = today.found.document["metadata"]
    if keeper := (metadata.get("labels") or {}).get("app.kubernetes.io/managed-by"):
        said.append(f"{today.found.shown} is managed by {keeper}: make the same change there, or it will be set back")
    if any(key.startswith("autoscaling.keda.sh/paused") for key in metadata.get("annotations") or {}):
        said.append(f"{today.found.shown} is paused by an annotation, and stays so")
    if name in around.policies:
        said.append(
            f"there is a policy {today.found.namespace}/{name} already: {POLICY_FILE} would change it, and the way back"
            " deletes it; compare both first"
        )
    return said if around.has_keda else [*said, _NO_KEDA]
