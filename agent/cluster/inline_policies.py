"""ScaledObjects that hold query and capacity in a trigger of their own: the ForecastPolicy that each stands for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from agent.cluster.documents import Document, Name, name_of
from agent.policy.document import API_VERSION, KIND
from scalers.keda.metadata import INLINE_KEYS, INLINE_NEEDS, POLICY

OWNER_API, OWNER_KIND = "keda.sh/v1alpha1", "ScaledObject"
_TRIGGERS = frozenset(("external", "external-push"))
_LEAST, _MOST = 0, 100  # KEDA's defaults of minReplicaCount and maxReplicaCount
_START_UP = "2m"  # until the pods' own has been measured


def inline_policy(scaled_object: Document) -> dict[str, Any] | None:
    """Return the policy that a ScaledObject holds, as it should be in the cluster; None where it holds none.

    The first such trigger counts. Values are taken as they are: what is wrong with one, the API server says.
    """
    spec = scaled_object.get("spec", {})
    inline = next(_inline_of(spec.get("triggers", ())), None)
    if inline is None or not scaled_object["metadata"].get("uid"):
        return None
    namespace, name = name_of(scaled_object)
    return {
        "apiVersion": API_VERSION,
        "kind": KIND,
        "metadata": {"name": name, "namespace": namespace, "ownerReferences": [_reference(scaled_object)]},
        "spec": _spec(spec, inline),
    }


def holds_policy(trigger: Mapping[str, Any]) -> bool:
    """Return whether a trigger holds a policy: one of another external scaler has not both keys that it needs."""
    metadata = trigger.get("metadata") or {}
    return trigger.get("type") in _TRIGGERS and POLICY not in metadata and metadata.keys() >= INLINE_NEEDS


def owner_of(policy: Document) -> str | None:
    """Return the UID of the ScaledObject that a policy was made of; None where a person made it."""
    references = policy["metadata"].get("ownerReferences", ())
    kinds = {(each.get("kind"), each.get("controller", False)): each.get("uid") for each in references}
    return kinds.get((OWNER_KIND, True))


def is_as_wanted(policy: Document, wanted: Document) -> bool:
    """Return whether a policy has all that is wanted of its spec; what the API server has added is no difference."""
    return _covers(policy.get("spec", {}), wanted["spec"])


def superfluous(policies: Iterable[Document], scaled_objects: Mapping[Name, Document]) -> list[Document]:
    """Return the policies whose ScaledObject is there and no longer holds one.

    The policy of a ScaledObject that is gone is left to Kubernetes's garbage collection.
    """
    return [
        policy
        for policy in policies
        if (owner := owner_of(policy)) is not None
        and (scaled_object := scaled_objects.get(name_of(policy))) is not None
        and scaled_object["metadata"].get("uid") == owner
        and inline_policy(scaled_object) is None
    ]


def _inline_of(triggers: Iterable[Mapping[str, Any]]) -> Iterator[Mapping[str, str]]:
    for trigger in triggers:
        if holds_policy(trigger):
            yield {key: str(value) for key, value in trigger["metadata"].items() if key in INLINE_KEYS}


def _spec(spec: Mapping[str, Any], inline: Mapping[str, str]) -> dict[str, Any]:
    demand = {"prometheus": {"query": inline["query"]}}
    return {
        "mode": inline.get("mode", "Active"),
        "scaleTargetRef": _target(spec.get("scaleTargetRef", {})),
        "demand": demand | ({"source": inline["source"]} if "source" in inline else {}),
        "capacity": {"perReplica": inline["capacityPerReplica"]},
        "replicas": {"min": spec.get("minReplicaCount", _LEAST), "max": spec.get("maxReplicaCount", _MOST)},
        "leadTime": {"declared": inline.get("leadTime", _START_UP)},
    } | ({"risk": inline["risk"]} if "risk" in inline else {})


def _target(reference: Mapping[str, Any]) -> dict[str, Any]:
    return {key: reference[key] for key in ("apiVersion", "kind", "name") if reference.get(key)}


def _reference(scaled_object: Document) -> dict[str, Any]:
    metadata = scaled_object["metadata"]
    owner = {"apiVersion": OWNER_API, "kind": OWNER_KIND, "name": metadata["name"], "uid": metadata["uid"]}
    return {**owner, "controller": True, "blockOwnerDeletion": False}


def _covers(there: object, wanted: object) -> bool:
    if isinstance(wanted, Mapping):
        return isinstance(there, Mapping) and all(_covers(there.get(key), value) for key, value in wanted.items())
    return there == wanted
