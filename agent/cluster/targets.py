"""What is there of a policy's scale target: replicas that exist and those that serve, as the watch has seen them."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from agent.cluster.documents import Document, Documents
from agent.cluster.watch import Kind
from scalers.decision import Replicas
from scalers.policy import PolicyKey


def counts_of(document: Document) -> Document:
    """Return of a workload what says how many replicas there are: a Deployment with its template has tens of KiB."""
    metadata, status = document["metadata"], document.get("status") or {}
    kept = {name: metadata.get(name) for name in ("name", "namespace", "uid", "resourceVersion", "generation")}
    counts = {name: status.get(name) for name in ("replicas", "readyReplicas", "updatedReplicas", "observedGeneration")}
    return {"metadata": kept, "spec": {"replicas": (document.get("spec") or {}).get("replicas")}, "status": counts}


DEPLOYMENTS = Kind("apps", "v1", "deployments", counts_of)
STATEFUL_SETS = Kind("apps", "v1", "statefulsets", counts_of)
WATCHED = {("apps", "Deployment"): DEPLOYMENTS, ("apps", "StatefulSet"): STATEFUL_SETS}


class ObservedTargets:
    """The `ReplicaSource` of a cluster."""

    def __init__(
        self, kept: Mapping[Kind, Documents], target_of: Callable[[PolicyKey], Mapping[str, str] | None]
    ) -> None:
        """Look up what a watch keeps.

        Args:
            kept: the watch's documents by kind.
            target_of: a policy's `scaleTargetRef`, None where there is no such policy.
        """
        self._kept = kept
        self._target_of = target_of

    def observed(self, key: PolicyKey) -> Replicas | None:
        """Return the newest observation; None where the kind is not watched, or there is no such object."""
        target = self._target_of(key)
        if target is None:
            return None
        kind = WATCHED.get((target["apiVersion"].split("/")[0], target["kind"]))
        documents = None if kind is None else self._kept.get(kind)
        document = None if documents is None else documents.get((key.namespace, target["name"]))
        return None if document is None else _replicas(document)


def _replicas(document: Document) -> Replicas | None:
    """Return the counts of a workload; a controller that has not looked at it yet knows none."""
    status = document["status"]
    if status.get("observedGeneration") is None:
        return None
    return Replicas(existing=status.get("replicas") or 0, ready=status.get("readyReplicas") or 0)
