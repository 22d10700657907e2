"""What the API server has: policies, each with a Deployment of its own whose one pod is Ready."""

from __future__ import annotations

import time
from datetime import UTC, datetime

from agent.policy.crd import custom_resource_definition
from bench.cluster.demand import CAPACITY
from tests.cluster.api import Api, Object
from tests.cluster.processes import eventually

NAMESPACE = "ml"
_DEPLOYMENTS = f"/apis/apps/v1/namespaces/{NAMESPACE}/deployments"
_POLICIES = f"/apis/foretide.dev/v1alpha1/namespaces/{NAMESPACE}/forecastpolicies"
_PODS = f"/api/v1/namespaces/{NAMESPACE}/pods"
_LONGEST = 300.0  # seconds


def name_of(number: int) -> str:
    return f"policy-{number}"


def create_all(api: Api, policies: int, history_days: int) -> None:
    """Create everything, and return when every Deployment has its pod Ready."""
    api.apply(custom_resource_definition())
    eventually(lambda: api.get("/apis/foretide.dev/v1alpha1"), "policies are served", within=_LONGEST, told=str)
    api.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}})
    for number in range(policies):
        api.create(_deployment(number))
        api.create(_policy(number, history_days))
    ready: set[str] = set()
    deadline = time.monotonic() + _LONGEST
    while len(ready) < policies:
        if time.monotonic() > deadline:
            raise RuntimeError(f"{len(ready)} of {policies} Deployments have a pod after {_LONGEST:g} s")
        for pod in (api.get(_PODS) or {"items": []})["items"]:
            name = pod["metadata"]["name"]
            if name not in ready:
                api.patch(f"{_PODS}/{name}/status", {"status": _ready()})
                ready.add(name)
        time.sleep(1)
    eventually(
        lambda: all(each["status"].get("readyReplicas") for each in (api.get(_DEPLOYMENTS) or {})["items"]) or None,
        "every Deployment is Ready",
        within=_LONGEST,
        told=str,
    )


def _deployment(number: int) -> Object:
    labels = {"app": name_of(number)}
    container = {"name": "main", "image": "main.invalid/main"}
    spec = {
        "replicas": 1,
        "selector": {"matchLabels": labels},
        "template": {"metadata": {"labels": labels}, "spec": {"containers": [container]}},
    }
    metadata = {"name": name_of(number), "namespace": NAMESPACE}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata, "spec": spec}


def _policy(number: int, history_days: int) -> Object:
    spec = {
        "mode": "Active",
        "scaleTargetRef": {"name": name_of(number)},
        "demand": {"prometheus": {"query": f'sum(demand{{policy="{number}"}})'}},
        "capacity": {"perReplica": CAPACITY},
        "replicas": {"min": 1, "max": 40},
        "leadTime": {"declared": "2m"},
        "forecast": {"history": f"{history_days}d"},
    }
    metadata = {"name": name_of(number), "namespace": NAMESPACE}
    return {"apiVersion": "foretide.dev/v1alpha1", "kind": "ForecastPolicy", "metadata": metadata, "spec": spec}


def _ready() -> Object:
    now = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"
    kinds = ("PodScheduled", "PodReadyToStartContainers", "Initialized", "ContainersReady", "Ready")
    state = {"running": {"startedAt": now}}
    main = {"name": "main", "ready": True, "restartCount": 0, "image": "main", "imageID": "", "state": state}
    return {
        "phase": "Running",
        "conditions": [{"type": kind, "status": "True", "lastTransitionTime": now} for kind in kinds],
        "containerStatuses": [main],
    }
