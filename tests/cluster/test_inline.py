"""One ScaledObject is enough: the policy in its trigger is made, answered, edited and deleted with it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.policy.crd import custom_resource_definition
from tests.cluster.agent import ClusterAgent
from tests.cluster.api import Api, Object
from tests.cluster.control_plane import ControlPlane
from tests.cluster.installed import Account
from tests.cluster.processes import eventually
from tests.cluster.scaled import Scaled
from tests.real.prometheus import rig

pytestmark = pytest.mark.real

LONGEST = 90.0  # seconds


@pytest.fixture
def agent(
    cluster: ControlPlane, account: Account, namespace: str, prometheus: rig.PrometheusServer, tmp_path: Path
) -> Iterator[ClusterAgent]:
    api = cluster.api
    api.apply(custom_resource_definition())
    eventually(lambda: api.get(_policies(namespace)), "policies are served", within=LONGEST, told=lambda: "")
    with ClusterAgent(tmp_path, account, namespace, "--prometheus-url", prometheus.url) as agent:
        yield agent


def trigger(agent: ClusterAgent, capacity: str) -> Object:
    inline = {"query": "max(demand)", "capacityPerReplica": capacity, "leadTime": "10s"}
    return {"type": "external-push", "metadata": {"scalerAddress": agent.address, **inline}}


def test_one_scaled_object_is_enough(
    cluster: ControlPlane, namespace: str, scaled: Scaled, agent: ClusterAgent
) -> None:
    scaled.create(trigger(agent, "12"))
    scaled.until(lambda: scaled.replicas == 5, "60 of demand take 5 replicas of 12")
    policy = policy_of(cluster.api, namespace)
    assert policy["spec"]["mode"] == "Active"
    assert (policy["spec"]["replicas"]["min"], policy["spec"]["replicas"]["max"]) == (1, 40)

    scaled.change({"triggers": [trigger(agent, "6")], "maxReplicaCount": 30})
    scaled.until(lambda: scaled.replicas == 10, "an edit of the trigger is followed")
    scaled.until(lambda: policy_of(cluster.api, namespace)["spec"]["replicas"]["max"] == 30, "and one of the bounds")

    named = {"type": "external", "metadata": {**trigger(agent, "6")["metadata"], "policy": "other"}}
    for key in ("query", "capacityPerReplica", "leadTime"):
        del named["metadata"][key]
    scaled.change({"triggers": [named]})
    scaled.until(lambda: not policy_of(cluster.api, namespace), "a trigger that names another leaves none behind")


def test_what_a_trigger_holds_wrongly_is_refused_with_its_field(
    namespace: str, scaled: Scaled, agent: ClusterAgent
) -> None:
    scaled.create(trigger(agent, "0"))
    scaled.until(lambda: '"inline_policy_refused"' in agent.log.read_text(), "the agent says that it was refused")
    refusal = next(line for line in agent.log.read_text().splitlines() if "inline_policy_refused" in line)
    assert f"ScaledObject {namespace}/chat" in refusal
    assert "perReplica" in refusal
    assert scaled.replicas == 1


def test_the_policy_goes_with_its_scaled_object(
    cluster: ControlPlane, namespace: str, scaled: Scaled, agent: ClusterAgent
) -> None:
    scaled.create(trigger(agent, "12"))
    scaled.until(lambda: policy_of(cluster.api, namespace), "the policy is made")
    cluster.api.delete(f"/apis/keda.sh/v1alpha1/namespaces/{namespace}/scaledobjects/chat")
    eventually(
        lambda: not policy_of(cluster.api, namespace) or None,
        "Kubernetes deletes the policy with its owner",
        within=LONGEST,
        told=lambda: agent.log.read_text()[-2000:],
    )


def policy_of(api: Api, namespace: str) -> Object:
    return api.get(f"{_policies(namespace)}/chat") or {}


def _policies(namespace: str) -> str:
    return f"/apis/foretide.dev/v1alpha1/namespaces/{namespace}/forecastpolicies"
