"""Pods that wait for a node take longer to be Ready, and the agent tells both apart: real scheduler, KWOK's nodes."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from agent.policy.crd import custom_resource_definition
from tests.cluster.agent import ClusterAgent
from tests.cluster.api import Api, Object
from tests.cluster.control_plane import ControlPlane
from tests.cluster.installed import Account
from tests.cluster.nodes import Nodes, started_in
from tests.cluster.processes import eventually
from tests.cluster.scaled import Scaled
from tests.real.prometheus import rig

pytestmark = [pytest.mark.real, pytest.mark.rig("nodes come when the rig says so")]

LONGEST = 60.0  # seconds
NAMESPACE = "late-nodes"
POLICIES = f"/apis/foretide.dev/v1alpha1/namespaces/{NAMESPACE}/forecastpolicies"
PODS = f"/api/v1/namespaces/{NAMESPACE}/pods"
NODE_TAKES = 22.0  # seconds; what is measured must differ from what is declared by more than 10 s to be used


@pytest.fixture
def api(control_plane: ControlPlane) -> Iterator[Api]:
    """An API server with a policy that needs five replicas, and declares a start-up of 10 s."""
    api = control_plane.api
    api.apply(custom_resource_definition())
    eventually(lambda: api.get(POLICIES), "policies are served", within=LONGEST, told=control_plane.logs)
    api.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}})
    spec: Object = {
        "scaleTargetRef": {"name": "chat"},
        "demand": {"prometheus": {"query": "max(demand)"}, "step": "1s"},
        "capacity": {"perReplica": 12},
        "replicas": {"min": 1, "max": 40},
        "leadTime": {"declared": "10s"},
    }
    metadata = {"name": "chat", "namespace": NAMESPACE}
    api.apply({"apiVersion": "foretide.dev/v1alpha1", "kind": "ForecastPolicy", "metadata": metadata, "spec": spec})
    yield api
    api.delete(f"{POLICIES}/chat")


@pytest.fixture
def agent(account: Account, prometheus: rig.PrometheusServer, tmp_path: Path) -> Iterator[ClusterAgent]:
    agent = ClusterAgent(tmp_path, account, NAMESPACE, "--prometheus-url", prometheus.url)
    yield agent
    agent.kill()


def waiting(api: Api) -> int:
    """Return how many pods have found no node."""
    listed = (api.get(PODS) or {"items": []})["items"]
    conditions = [each for pod in listed for each in pod["status"].get("conditions", [])]
    return len([each for each in conditions if each.get("reason") == "Unschedulable"])


def test_what_a_node_takes_to_start_is_told_apart_and_counts(
    api: Api, agent: ClusterAgent, nodes: Nodes, control_plane: ControlPlane
) -> None:
    def lead_time() -> Object:
        return dict((api.get(f"{POLICIES}/chat") or {}).get("status", {}).get("leadTime") or {})

    def told() -> str:
        return f"{lead_time()}\n{agent.log.read_text()[-3000:]}"

    def until(claim: Callable[[], object], what: str) -> None:
        eventually(claim, what, within=LONGEST, told=told)

    nodes.add("there", pods=3, kind="a100")
    scaled = Scaled(api, NAMESPACE, control_plane.logs)
    with agent:
        began = time.monotonic()
        scaled.create_target(replicas=6, pods=started_in(run=timedelta(seconds=2), ready=timedelta(seconds=1)))
        until(lambda: waiting(api) == 3, "three find no node")
        time.sleep(max(0.0, began + NODE_TAKES - time.monotonic()))
        nodes.add("late", pods=3, kind="a100")
        until(lambda: lead_time().get("origin") == "Measured", "the lead time is measured")
    found = lead_time()
    assert found["samples"] == 6
    assert 3 <= seconds(found["withNode"]) <= 6
    assert NODE_TAKES <= seconds(found["withoutNode"]) <= NODE_TAKES + 15
    assert found["used"] == found["withoutNode"]
    assert "where a node had to start (3)" in found["message"]
    assert found["advice"].endswith("keep a spare node ready")


def seconds(told: str) -> int:
    return int(told.removesuffix("s"))
