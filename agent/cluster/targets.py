"""What is there of a policy's scale target: replicas that exist and those that serve, as the watch has seen them."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

from agent.cluster.documents import Document, Documents, name_of
from agent.cluster.rollouts import Progress, deployment_rolls, stateful_set_rolls
from agent.cluster.watch import Kind
from scalers.decision import Replicas
from scalers.policy import PolicyKey

_METADATA = ("name", "namespace", "uid", "resourceVersion", "generation")
_SPEC = ("replicas", "selector", "paused", "progressDeadlineSeconds", "updateStrategy")
_STATUS = (
    "replicas",
    "readyReplicas",
    "updatedReplicas",
    "observedGeneration",
    "currentRevision",
    "updateRevision",
)


def counts_of(document: Document) -> Document:
    """Return of a workload what says how many replicas there are: a Deployment with its template has tens of KiB."""
    kept: dict[str, Document] = {}
    for part, names in (("metadata", _METADATA), ("spec", _SPEC), ("status", _STATUS)):
        whole = document.get(part) or {}
        kept[part] = {name: whole[name] for name in names if whole.get(name) is not None}
    told = (document.get("status") or {}).get("conditions") or ()
    progressing = [
        {name: each.get(name) for name in ("type", "status", "reason")}
        for each in told
        if each.get("type") == "Progressing"
    ]
    return {**kept, "status": {**kept["status"], "conditions": progressing}}


DEPLOYMENTS = Kind("apps", "v1", "deployments", counts_of)
STATEFUL_SETS = Kind("apps", "v1", "statefulsets", counts_of)
WATCHED = {("apps", "Deployment"): DEPLOYMENTS, ("apps", "StatefulSet"): STATEFUL_SETS}
_ROLLS = {DEPLOYMENTS: deployment_rolls, STATEFUL_SETS: stateful_set_rolls}


class ObservedTargets:
    """The `ReplicaSource` of a cluster."""

    def __init__(
        self,
        kept: Mapping[Kind, Documents],
        target_of: Callable[[PolicyKey], Mapping[str, str] | None],
        *,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Look up what a watch keeps.

        Args:
            kept: the watch's documents by kind.
            target_of: a policy's `scaleTargetRef`, None where there is no such policy.
            monotonic: seconds on this machine's own watch, for rollouts that do not come on.
        """
        self._kept = kept
        self._target_of = target_of
        self._progress = Progress(monotonic)

    def observed(self, key: PolicyKey) -> Replicas | None:
        """Return the newest observation; None where the kind is not watched, or there is no such object."""
        target = self._target_of(key)
        if target is None:
            return None
        kind = WATCHED.get((target["apiVersion"].split("/")[0], target["kind"]))
        documents = None if kind is None else self._kept.get(kind)
        document = None if documents is None else documents.get((key.namespace, target["name"]))
        return None if kind is None or document is None else self._replicas(kind, document)

    def _replicas(self, kind: Kind, document: Document) -> Replicas | None:
        """Return the counts of a workload; a controller that has not looked at it yet knows none."""
        status = document["status"]
        if status.get("observedGeneration") is None:
            return None
        existing, ready = status.get("replicas") or 0, status.get("readyReplicas") or 0
        return Replicas(existing=existing, ready=ready, is_rolling_out=self._is_rolling_out(kind, document))

    def _is_rolling_out(self, kind: Kind, document: Document) -> bool:
        name = (kind.plural, *name_of(document))
        if _ROLLS[kind](document):
            return self._progress.is_coming_on(name, document)
        self._progress.ended(name)
        return False
