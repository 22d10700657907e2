"""Workloads, quotas, limit ranges and disruption budgets as an API server shows them."""

from __future__ import annotations

from typing import Any

Object = dict[str, Any]


def a_container(
    name: str = "main", *, requests: Object | None = None, limits: Object | None = None, **more: object
) -> Object:
    """One that asks for what it is told to, and for nothing by itself."""
    resources = {key: value for key, value in (("requests", requests), ("limits", limits)) if value}
    return {"name": name, "image": "chat:1", "resources": resources, **more}


MAIN = a_container(requests={"cpu": "500m", "memory": "1Gi"}, limits={"memory": "1Gi"})


def a_deployment(
    *containers: Object,
    replicas: int = 5,
    existing: int = 5,
    surge: int | str | None = 0,
    inits: tuple[Object, ...] = (),
    refused: str | None = None,
    **template: object,
) -> Object:
    """Deployment/chat with so many replicas; `surge` is its maxSurge, and None Kubernetes's default."""
    rolling = {} if surge is None else {"rollingUpdate": {"maxSurge": surge, "maxUnavailable": 1}}
    spec = {"containers": list(containers) or [MAIN], "initContainers": list(inits), **template}
    failure = {"type": "ReplicaFailure", "status": "True", "reason": "FailedCreate", "message": refused}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": _metadata("chat"),
        "spec": {
            "replicas": replicas,
            "strategy": {"type": "RollingUpdate", **rolling},
            "template": {"metadata": {"labels": {"app": "chat"}}, "spec": spec},
        },
        "status": {
            "observedGeneration": 1,
            "replicas": existing,
            "conditions": [{"type": "Progressing", "status": "True", "reason": "NewReplicaSetAvailable"}]
            + ([] if refused is None else [failure]),
        },
    }


def a_quota(hard: Object, used: Object | None = None, **spec: object) -> Object:
    return {"metadata": _metadata("team"), "spec": {"hard": hard, **spec}, "status": {"hard": hard, "used": used or {}}}


def a_limit_range(**entry: object) -> Object:
    """One with one entry, of containers unless it says otherwise."""
    return {"metadata": _metadata("bounds"), "spec": {"limits": [{"type": "Container", **entry}]}}


def a_budget(name: str = "chat", *, selector: Object | None = None, expected: int = 5, **spec: object) -> Object:
    """One for the pods of Deployment/chat."""
    chosen = {"matchLabels": {"app": "chat"}} if selector is None else selector
    return {"metadata": _metadata(name), "spec": {"selector": chosen, **spec}, "status": {"expectedPods": expected}}


def _metadata(name: str) -> Object:
    return {"namespace": "ml", "name": name, "uid": f"uid-{name}", "resourceVersion": "812"}
