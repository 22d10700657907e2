"""Whether a workload is in the middle of a rollout: its controller brings up a version, mostly in another one's place.

A rollout that is stuck, paused or left half done on purpose does not count: nothing would ever be scaled in.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from typing import Any

# Kubernetes's default progressDeadlineSeconds; a StatefulSet has none of its own.
_DEADLINE = 600.0
# kubernetes/kubernetes pkg/controller/deployment/util/deployment_util.go
_GOES_ON = frozenset({"NewReplicaSetCreated", "FoundNewReplicaSet", "ReplicaSetUpdated", "DeploymentResumed"})
_IS_STUCK = frozenset({"ProgressDeadlineExceeded", "DeploymentPaused"})

Workload = Mapping[str, Any]


def deployment_rolls(workload: Workload) -> bool:
    """Whether a Deployment's controller replaces pods.

    That it has not yet seen the newest spec says nothing: each scaling is a new generation, too.
    """
    status = workload["status"]
    told: Workload = next((each for each in status.get("conditions") or () if each.get("type") == "Progressing"), {})
    if told.get("reason") in _IS_STUCK or workload["spec"].get("paused"):
        return False
    is_going_on = told.get("status") == "True" and told.get("reason") in _GOES_ON
    return is_going_on or (status.get("updatedReplicas") or 0) < (status.get("replicas") or 0)


def stateful_set_rolls(workload: Workload) -> bool:
    """Whether a StatefulSet's controller replaces pods; those below the partition keep their version."""
    spec, status = workload["spec"], workload["status"]
    strategy = spec.get("updateStrategy") or {}
    if strategy.get("type") == "OnDelete" or status.get("currentRevision") == status.get("updateRevision"):
        return False
    kept = (strategy.get("rollingUpdate") or {}).get("partition") or 0
    return (status.get("updatedReplicas") or 0) < max((status.get("replicas") or 0) - kept, 0)


class Progress:
    """For how long a rollout has not come on. For one thread."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        """Begin; `monotonic` tells seconds."""
        self._monotonic = monotonic
        self._seen: dict[Hashable, tuple[object, float]] = {}  # where it stood, and since when

    def is_coming_on(self, name: Hashable, workload: Workload) -> bool:
        """Note where a rollout stands, and return whether it came on within its deadline."""
        status, now = workload["status"], self._monotonic()
        marks = ("updateRevision", "updatedReplicas", "readyReplicas")
        stands = (workload["metadata"].get("uid"), *(status.get(mark) for mark in marks))
        before, since = self._seen.get(name, (None, now))
        if before != stands:
            since = now
            self._seen[name] = (stands, since)
        return now - since <= float(workload["spec"].get("progressDeadlineSeconds") or _DEADLINE)

    def ended(self, name: Hashable) -> None:
        """Forget a rollout that is done."""
        self._seen.pop(name, None)
