"""A target at zero whose demand nobody knows, by the real KEDA: woken, or left at rest, as its policy says."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from agent.policy.crd import custom_resource_definition
from tests.cluster.agent import ClusterAgent
from tests.cluster.api import Object
from tests.cluster.control_plane import ControlPlane
from tests.cluster.installed import Account
from tests.cluster.processes import eventually
from tests.cluster.scaled import Scaled, push
from tests.real.prometheus import rig

pytestmark = pytest.mark.real

LONGEST = 60.0  # seconds


@pytest.fixture
def policy(cluster: ControlPlane, namespace: str) -> Iterator[Callable[[str], None]]:
    """Applies a policy whose query has no samples, and takes it away at the end."""
    path = f"/apis/foretide.dev/v1alpha1/namespaces/{namespace}/forecastpolicies"
    cluster.api.apply(custom_resource_definition())
    eventually(lambda: cluster.api.get(path), "policies are served", within=LONGEST, told=cluster.logs)

    def apply(when_unknown: str) -> None:
        spec: Object = {
            "mode": "Active",
            "scaleTargetRef": {"name": "chat"},
            "demand": {"prometheus": {"query": "max(demand_that_nobody_sends)"}, "step": "1s"},
            "capacity": {"perReplica": 12},
            "replicas": {"min": 0, "max": 40},
            "leadTime": {"declared": "10s"},
            "scaling": {"whenUnknown": when_unknown},
        }
        metadata = {"name": "chat", "namespace": namespace}
        kind = {"apiVersion": "foretide.dev/v1alpha1", "kind": "ForecastPolicy"}
        cluster.api.apply({**kind, "metadata": metadata, "spec": spec})

    yield apply
    cluster.api.delete(f"{path}/chat")


@pytest.fixture
def zeroed(
    account: Account, namespace: str, prometheus: rig.PrometheusServer, scaled: Scaled, tmp_path: Path
) -> Iterator[Callable[[], None]]:
    """Starts an agent, and then KEDA on a Deployment of no replicas."""
    agent = ClusterAgent(tmp_path, account, namespace, "--prometheus-url", prometheus.url)

    def start() -> None:
        scaled.create_target(replicas=0)
        agent.start()
        scaled.scale(push(agent.address), minReplicaCount=0)

    yield start
    agent.kill()


def test_keda_wakes_a_target_at_zero_whose_demand_is_unknown(
    policy: Callable[[str], None], zeroed: Callable[[], None], scaled: Scaled
) -> None:
    policy("Wake")
    zeroed()
    scaled.until(lambda: scaled.replicas == 1, "one replica is woken")
    assert any("from 0 to 1" in said for said in scaled.events("KEDAScaleTargetActivated"))


def test_keda_leaves_it_at_zero_where_the_policy_says_stay(
    policy: Callable[[str], None], zeroed: Callable[[], None], scaled: Scaled
) -> None:
    policy("Stay")
    zeroed()
    scaled.until(lambda: scaled.condition("Ready")[0] == "False", "KEDA sees that there is no answer")
    scaled.always(lambda: scaled.replicas == 0, "it stays at zero", seconds=6)  # three polls
    assert any("no sample yet" in said for said in scaled.events("KEDAScalerFailed"))
