"""Documents of an API server for tests, and who reads them: nothing is there that a test does not put there."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from agent.cluster.reading import NotRead

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


class Documents:
    """A `Reader` of what a test says; remembers what was asked for."""

    def __init__(self) -> None:
        self.by_path: dict[str, object] = {}  # a document, or the HTTP status of a refusal; 0: nobody answers
        self.asked: list[str] = []

    async def get(self, path: str, query: Sequence[tuple[str, str]] = (), *, accept: str = "") -> bytes:
        self.asked.append("&".join([path, *(f"{name}={value}" for name, value in query)]))
        found = self.by_path.get(path, 404)
        if isinstance(found, int):
            raise NotRead(path, found or None, "Refused")
        return json.dumps(found).encode()

    def times(self, path: str) -> int:
        """Return how often a path was asked for."""
        return sum(asked.split("&")[0] == path for asked in self.asked)


def stamp(seconds: float) -> str:
    """Return the time so many seconds after noon, as Kubernetes writes it."""
    return (NOON + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")


def a_pod(
    name: str = "chat-5f-a",
    *,
    created: float = 0,
    scheduled: float | None = 1,
    prepared: float | None = 5,
    running: float | None = 65,
    ready: float | None = 95,
    restarts: int = 0,
    waiting: str = "",
    owner: tuple[str, str] = ("ReplicaSet", "chat-5f"),
    image: str = "chat:1",
    node: str = "node-1",
) -> dict[str, Any]:
    """A pod as the API server shows it, with more than is read of it; times are seconds after noon, None is not yet."""
    told = {"PodScheduled": scheduled, "PodReadyToStartContainers": prepared, "Initialized": prepared, "Ready": ready}
    conditions = [
        {
            "type": kind,
            "status": "False" if at is None else "True",
            "lastProbeTime": None,
            "lastTransitionTime": stamp(created if at is None else at),
        }
        for kind, at in told.items()
    ]
    state: dict[str, Any] = {"waiting": {"reason": waiting or "ContainerCreating", "message": "long"}}
    if running is not None and not waiting:
        state = {"running": {"startedAt": stamp(running)}}
    controller = {"apiVersion": "apps/v1", "kind": owner[0], "name": owner[1], "uid": "x", "controller": True}
    statuses = [{"name": "main", "restartCount": restarts, "state": state, "ready": ready is not None}]
    return {
        "metadata": {
            "name": name,
            "uid": f"uid-{name}",
            "creationTimestamp": stamp(created),
            "ownerReferences": [controller],
            "annotations": {"long": "x" * 1000},
            "managedFields": [{"fieldsV1": {}}],
        },
        "spec": {"nodeName": node, "containers": [{"name": "main", "image": image, "env": [{"name": "A"}]}]},
        "status": {
            "phase": "Pending" if running is None else "Running",
            "conditions": conditions,
            "containerStatuses": statuses,
        },
    }


def a_list(*pods: dict[str, Any]) -> dict[str, Any]:
    """A list as the API server answers."""
    return {"kind": "PodList", "metadata": {"resourceVersion": "7"}, "items": list(pods)}


def a_node(created: float = -86400, node_class: str = "g5.xlarge") -> dict[str, Any]:
    """A node's metadata."""
    labels = {"node.kubernetes.io/instance-type": node_class, "kubernetes.io/hostname": "node-1"}
    return {"kind": "PartialObjectMetadata", "metadata": {"creationTimestamp": stamp(created), "labels": labels}}
