"""What else acts on a policy's target, on a real API server with KEDA."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from agent.policy.crd import custom_resource_definition
from tests.cluster.agent import ClusterAgent
from tests.cluster.api import Api, Object
from tests.cluster.control_plane import ControlPlane
from tests.cluster.installed import Account
from tests.cluster.processes import eventually
from tests.cluster.scaled import Scaled, push
from tests.real.prometheus import rig

pytestmark = [pytest.mark.real, pytest.mark.rig("no pod of the target may become Ready, and no VPA be served")]

LONGEST = 90.0  # seconds
NAMESPACE = "fought-over"
POLICY = f"/apis/foretide.dev/v1alpha1/namespaces/{NAMESPACE}/forecastpolicies/chat"
HPA = f"/apis/autoscaling/v2/namespaces/{NAMESPACE}/horizontalpodautoscalers/chat-cpu"
DEPLOYMENT = f"/apis/apps/v1/namespaces/{NAMESPACE}/deployments/chat"
SCALED_OBJECT = f"/apis/keda.sh/v1alpha1/namespaces/{NAMESPACE}/scaledobjects/chat"
QUOTA = f"/api/v1/namespaces/{NAMESPACE}/resourcequotas/team"
BUDGET = f"/apis/policy/v1/namespaces/{NAMESPACE}/poddisruptionbudgets/chat"


@pytest.fixture
def api(cluster: ControlPlane) -> Iterator[Api]:
    """An API server with KEDA that serves policies."""
    api = cluster.api
    api.apply(custom_resource_definition())
    eventually(lambda: api.get(POLICY.removesuffix("/chat")), "policies are served", within=LONGEST, told=lambda: "")
    api.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}})
    yield api
    for path in (HPA, SCALED_OBJECT, POLICY, DEPLOYMENT, QUOTA, BUDGET):
        api.delete(path)
    eventually(lambda: api.get(SCALED_OBJECT) is None, "KEDA lets it go", within=LONGEST, told=lambda: "")


@pytest.fixture
def agent(api: Api, account: Account, tmp_path: Path) -> Iterator[ClusterAgent]:
    """Scrapes a demand of 60."""
    if reason := rig.missing_binary():
        pytest.skip(reason)
    exporter = rig.Exporter()
    exporter.value = 60.0
    folder = tmp_path / "prometheus"
    folder.mkdir()
    server = rig.PrometheusServer(folder, targets=[exporter.target])
    agent = ClusterAgent(tmp_path / "agent", account, NAMESPACE, "--prometheus-url", server.url)
    with rig.running(server):
        yield agent
        agent.kill()
    exporter.stop()


def apply_policy(api: Api, mode: str = "Active") -> None:
    """A policy that needs 5 replicas, and answers 10 because somebody wants them."""
    now = datetime.now(UTC)
    since, until = (f"{now + timedelta(hours=hours):%Y-%m-%dT%H:%M:%SZ}" for hours in (-1, 24))
    floor = {"replicas": 10, "from": since, "until": until, "owner": "ml", "reason": "launch"}
    spec: Object = {
        "mode": mode,
        "scaleTargetRef": {"name": "chat"},
        "demand": {"prometheus": {"query": "max(demand)"}, "step": "1s"},
        "capacity": {"perReplica": 12},
        "replicas": {"min": 1, "max": 40},
        "leadTime": {"declared": "10s"},
        "overrides": [floor],
    }
    metadata = {"name": "chat", "namespace": NAMESPACE}
    api.apply({"apiVersion": "foretide.dev/v1alpha1", "kind": "ForecastPolicy", "metadata": metadata, "spec": spec})


def another_hpa() -> Object:
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "chat"}
    metric = {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 70}}
    return {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": "chat-cpu", "namespace": NAMESPACE},
        "spec": {
            "scaleTargetRef": target,
            "minReplicas": 1,
            "maxReplicas": 20,
            "metrics": [{"type": "Resource", "resource": metric}],
        },
    }


def status(api: Api) -> Object:
    return dict((api.get(POLICY) or {}).get("status") or {})


def condition(api: Api, kind: str) -> tuple[str, str, str]:
    """Return a condition's status, reason and message."""
    found = next((each for each in status(api).get("conditions", []) if each["type"] == kind), {})
    return found.get("status", ""), found.get("reason", ""), found.get("message", "")


def for_keda(api: Api) -> float | None:
    answer: float | None = status(api).get("recommendation", {}).get("forKeda")
    return answer


def events(api: Api) -> dict[str, str]:
    """Return the types of the policy's Events by reason."""
    listed = api.get(f"/apis/events.k8s.io/v1/namespaces/{NAMESPACE}/events") or {"items": []}
    ours = [each for each in listed["items"] if each["regarding"].get("kind") == "ForecastPolicy"]
    return {each["reason"]: each["type"] for each in ours}


def test_what_stands_against_a_policy_is_told_and_where_two_fight_keda_gets_the_raw_need(
    api: Api, agent: ClusterAgent, cluster: ControlPlane
) -> None:
    def until(claim: Callable[[], object], what: str) -> None:
        eventually(claim, what, within=LONGEST, told=lambda: f"{status(api)}\n{agent.log.read_text()[-3000:]}")

    apply_policy(api)
    with agent:
        scaled = Scaled(api, NAMESPACE, cluster.logs)
        scaled.create(push(agent.address))
        scaled.until(lambda: scaled.replicas == 10, "KEDA's HPA follows the answer")
        until(lambda: condition(api, "Conflict")[:2] == ("False", "NoneFound"), "KEDA's own HPA is no conflict")
        assert '"kind": "verticalpodautoscalers.autoscaling.k8s.io"' in agent.log.read_text()
        # nobody lets its pods become Ready here, and in the middle of a rollout no less would be answered
        api.patch(DEPLOYMENT, {"spec": {"paused": True}})

        api.create(another_hpa())
        until(lambda: condition(api, "Conflict")[:2] == ("True", "TwoScalers"), "another HPA is one")
        assert condition(api, "Conflict")[2].startswith(f"HorizontalPodAutoscaler {NAMESPACE}/chat-cpu: it scales")
        until(lambda: for_keda(api) == 5.0, "the raw need is answered")
        assert status(api)["recommendation"]["answer"] == 10.0
        until(lambda: events(api).get("TwoScalers") == "Warning", "an Event warns of it")

        api.delete(HPA)
        until(lambda: condition(api, "Conflict")[:2] == ("False", "NoneFound"), "it ends with the HPA")
        until(lambda: for_keda(api) == 10.0, "the answer is back")
        until(lambda: events(api).get("NoneFound") == "Normal", "an Event tells its end")

        scaled.change({"maxReplicaCount": 8})
        until(lambda: condition(api, "Conflict")[1] == "MaxReplicasBelowPolicy", "a maximum that is too low is told")
        assert for_keda(api) == 10.0

        wide = {"horizontalPodAutoscalerConfig": {"behavior": {"scaleUp": {"tolerance": "150m"}}}}
        scaled.change({"maxReplicaCount": 40, "advanced": wide})
        until(lambda: condition(api, "Conflict")[1] == "ToleranceAbovePolicy", "a tolerance that is too wide is told")
        assert "spec.behavior.scaleUp.tolerance is 15%, above the 10% of" in condition(api, "Conflict")[2]
        assert for_keda(api) == 10.0

        apply_policy(api, mode="Shadow")
        until(lambda: condition(api, "TriggerInShadow")[:2] == ("True", "NamedByTrigger"), "the trigger is told")
        assert condition(api, "TriggerInShadow")[2].startswith(f"ScaledObject {NAMESPACE}/chat names this policy")
        until(lambda: events(api).get("ModeChanged") == "Normal", "and the other mode")


def test_a_namespace_that_cannot_hold_the_pods_is_told_until_it_can(
    api: Api, agent: ClusterAgent, cluster: ControlPlane
) -> None:
    def until(claim: Callable[[], object], what: str) -> None:
        eventually(claim, what, within=LONGEST, told=lambda: f"{status(api)}\n{agent.log.read_text()[-3000:]}")

    core, metadata = {"apiVersion": "v1", "kind": "ResourceQuota"}, {"name": "team", "namespace": NAMESPACE}
    api.create({**core, "metadata": metadata, "spec": {"hard": {"pods": "6"}}})
    budget = {"selector": {"matchLabels": {"app": "chat"}}, "maxUnavailable": 0}
    of_budget = {"apiVersion": "policy/v1", "kind": "PodDisruptionBudget"}
    api.create({**of_budget, "metadata": {"name": "chat", "namespace": NAMESPACE}, "spec": budget})
    eventually(
        lambda: (api.get(QUOTA) or {}).get("status", {}).get("hard"), "the quota holds", within=30, told=lambda: ""
    )
    apply_policy(api)
    with agent:
        scaled = Scaled(api, NAMESPACE, cluster.logs)
        scaled.create(push(agent.address))
        until(lambda: condition(api, "Conflict")[:2] == ("True", "QuotaBelowNeed"), "a quota is told")
        until(lambda: "exceeded quota: team" in condition(api, "Conflict")[2], "and what the API server refuses")
        told = condition(api, "Conflict")[2]
        assert (
            f"ResourceQuota {NAMESPACE}/team: spec.hard has pods: 6: it has room for 6 pods of Deployment/chat" in told
        )
        assert "and 5 are needed now, and a rollout makes 2 more (maxSurge 25%)" in told
        assert f"PodDisruptionBudget {NAMESPACE}/chat: spec.maxUnavailable is 0: no pod of Deployment/chat" in told
        until(lambda: events(api).get("QuotaBelowNeed") == "Warning", "an Event warns of it")
        assert for_keda(api) == 10.0  # nothing is fought over

        api.delete(QUOTA)
        api.delete(BUDGET)
        until(lambda: condition(api, "Conflict")[:2] == ("False", "NoneFound"), "nothing is left")
