"""`foretide adopt` there and back: the commands that it prints, run against the real KEDA, with kubectl."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from agent.policy.crd import custom_resource_definition
from tests.cluster.agent import ClusterAgent
from tests.cluster.api import Api, Object
from tests.cluster.control_plane import ControlPlane
from tests.cluster.installed import Account
from tests.cluster.processes import eventually
from tests.cluster.scaled import Scaled
from tests.real.agent.process import ROOT
from tests.real.prometheus import rig

pytestmark = [
    pytest.mark.real,
    pytest.mark.rig("KEDA's own prometheus scaler asks a Prometheus that listens on this machine's loopback"),
]

LONGEST = 90.0  # seconds
QUERY = "max(demand)"
PATH = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])  # `make` puts kubectl beside Python


@pytest.fixture
def agent(
    cluster: ControlPlane, account: Account, namespace: str, prometheus: rig.PrometheusServer, tmp_path: Path
) -> Iterator[ClusterAgent]:
    api = cluster.api
    api.apply(custom_resource_definition())
    policies = f"/apis/foretide.dev/v1alpha1/namespaces/{namespace}/forecastpolicies"
    eventually(lambda: api.get(policies), "policies are served", within=LONGEST, told=lambda: "")
    with ClusterAgent(tmp_path, account, namespace, "--prometheus-url", prometheus.url) as agent:
        yield agent


class Way:
    """What `foretide adopt chat` says, step by step."""

    def __init__(self, cluster: ControlPlane, agent: ClusterAgent, namespace: str, out: Path, *options: str) -> None:
        if shutil.which("kubectl", path=PATH) is None and "CI" not in os.environ:
            pytest.skip("kubectl is not there: the commands cannot be run as they are printed")
        self._environment = {"PATH": PATH, "HOME": str(out.parent), "KUBECONFIG": str(cluster.kubeconfig)}
        command = [sys.executable, "-m", "agent", "adopt", "chat", "-n", namespace, "--json", "--out", str(out)]
        command += ["--kubeconfig", str(cluster.kubeconfig), "--scaler-address", f"127.0.0.1:{agent.grpc_port}"]
        self.said: dict[str, Any] = json.loads(self._run([*command, *options]))

    def walk(self, step: int) -> None:
        """Run the commands of a step; `explain` asks the agent, and changes nothing."""
        for command in self.said["steps"][step]["commands"]:
            if command.startswith("kubectl "):
                self._run(shlex.split(command))

    def _run(self, command: list[str]) -> str:
        done = subprocess.run(
            command, cwd=ROOT, env=self._environment, capture_output=True, text=True, check=False, timeout=LONGEST
        )
        assert done.returncode == 0, f"{shlex.join(command)}\n{done.stdout}\n{done.stderr}"
        return done.stdout


def test_an_hpa_is_taken_over_and_given_back_as_it_was(
    cluster: ControlPlane, namespace: str, scaled: Scaled, agent: ClusterAgent, tmp_path: Path
) -> None:
    api = cluster.api
    scaled.create_target(replicas=3)
    before = api.create(cpu_hpa(namespace))
    way = Way(cluster, agent, namespace, tmp_path / "way", "--query", QUERY, "--capacity", "12")

    way.walk(0)
    scaled.until(lambda: recommended(api, namespace) == 5.0, "in Shadow 5 replicas are recommended")
    assert scaled.replicas == 3  # and nothing is changed
    assert hpa(api, namespace)["spec"] == before["spec"]

    way.walk(1)
    scaled.until(lambda: scaled.replicas == 5, "60 of demand take 5 replicas of 12")
    taken = hpa(api, namespace)
    assert taken["metadata"]["uid"] == before["metadata"]["uid"]  # the same HPA, never deleted
    assert owners(taken) == ["ScaledObject/chat"]
    assert [each["type"] for each in taken["spec"]["metrics"]] == ["External"]
    assert taken["spec"]["behavior"] == before["spec"]["behavior"]
    assert not scaled.hpa, "KEDA made no second one"

    way.walk(2)
    assert scaled.replicas == 5  # what is there stays
    back = hpa(api, namespace)
    assert back["spec"] == before["spec"]
    assert back["metadata"]["uid"] == before["metadata"]["uid"]
    assert back["metadata"]["annotations"] == before["metadata"]["annotations"]
    assert "labels" not in back["metadata"]
    assert owners(back) == []
    assert not scaled.status, "the ScaledObject is gone"
    api.patch(f"/apis/apps/v1/namespaces/{namespace}/deployments/chat", {"spec": {"replicas": 12}})
    scaled.until(lambda: scaled.replicas == 8, "the HPA of before is in charge, and keeps its own maximum")


def test_a_scaled_objects_trigger_is_exchanged_and_put_back(
    cluster: ControlPlane,
    namespace: str,
    scaled: Scaled,
    agent: ClusterAgent,
    prometheus: rig.PrometheusServer,
    tmp_path: Path,
) -> None:
    asked = {"serverAddress": prometheus.url, "query": QUERY, "threshold": "12"}
    scaled.create({"type": "prometheus", "metadata": asked})
    scaled.until(lambda: scaled.replicas == 5, "KEDA's own trigger: 60 over a threshold of 12")
    before = scaled.triggers
    way = Way(cluster, agent, namespace, tmp_path / "way", "--capacity", "6")
    assert way.said["query"] == QUERY

    way.walk(0)
    scaled.until(lambda: recommended(cluster.api, namespace) == 10.0, "in Shadow 10 replicas are recommended")
    assert scaled.replicas == 5
    way.walk(1)
    scaled.until(lambda: scaled.replicas == 10, "the agent's answer scales")
    way.walk(2)
    scaled.until(lambda: scaled.replicas == 5, "KEDA's own trigger scales again")
    assert scaled.triggers == before


def cpu_hpa(namespace: str) -> Object:
    """One as people write them; it has no metrics here, and keeps its bounds all the same."""
    target = {"type": "Utilization", "averageUtilization": 70}
    spec = {
        "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "chat"},
        "minReplicas": 2,
        "maxReplicas": 8,
        "metrics": [{"type": "Resource", "resource": {"name": "cpu", "target": target}}],
        "behavior": {"scaleDown": {"stabilizationWindowSeconds": 60}},
    }
    return {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": "chat-cpu", "namespace": namespace, "annotations": {"team": "ml"}},
        "spec": spec,
    }


def hpa(api: Api, namespace: str) -> Object:
    return api.get(f"/apis/autoscaling/v2/namespaces/{namespace}/horizontalpodautoscalers/chat-cpu") or {}


def owners(document: Object) -> list[str]:
    return [f"{each['kind']}/{each['name']}" for each in document["metadata"].get("ownerReferences", [])]


def recommended(api: Api, namespace: str) -> float | None:
    policy = api.get(f"/apis/foretide.dev/v1alpha1/namespaces/{namespace}/forecastpolicies/chat") or {}
    need: float | None = policy.get("status", {}).get("recommendation", {}).get("need")
    return need
