"""Policies that are objects of a cluster: acted on, told of in their status, and nothing else is touched."""

from __future__ import annotations

import time
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
from tests.real.prometheus import rig

pytestmark = pytest.mark.real

LONGEST = 60.0  # seconds
NAMESPACE = "operated"
POLICIES = f"/apis/foretide.dev/v1alpha1/namespaces/{NAMESPACE}/forecastpolicies"
DEPLOYMENTS = f"/apis/apps/v1/namespaces/{NAMESPACE}/deployments"


@pytest.fixture(scope="module")
def api(control_plane: ControlPlane) -> Api:
    """An API server that serves policies."""
    api = control_plane.api
    api.apply(custom_resource_definition())
    eventually(lambda: api.get(POLICIES), "policies are served", within=LONGEST, told=lambda: "")
    api.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}})
    return api


@pytest.fixture
def agent(account: Account, prometheus: rig.PrometheusServer, tmp_path: Path) -> Iterator[ClusterAgent]:
    agent = ClusterAgent(tmp_path, account, NAMESPACE, "--prometheus-url", prometheus.url)
    yield agent
    agent.kill()


Applied = Callable[..., Object]


@pytest.fixture
def applied(api: Api) -> Iterator[Applied]:
    """Applies the policy `chat`, and takes it away at the end."""

    def apply(per_replica: float = 12, **spec: object) -> Object:
        body: Object = {
            "mode": "Active",
            "scaleTargetRef": {"name": "chat"},
            "demand": {"prometheus": {"query": "max(demand)"}, "step": "1s"},
            "capacity": {"perReplica": per_replica},
            "replicas": {"min": 1, "max": 40},
            "leadTime": {"declared": "10s"},
        }
        return api.apply(
            {
                "apiVersion": "foretide.dev/v1alpha1",
                "kind": "ForecastPolicy",
                "metadata": {"name": "chat", "namespace": NAMESPACE},
                "spec": {**body, **spec},
            }
        )

    yield apply
    api.delete(f"{POLICIES}/chat")


def status(api: Api) -> Object:
    return dict((api.get(f"{POLICIES}/chat") or {}).get("status") or {})


def ready(api: Api) -> Object:
    conditions = status(api).get("conditions", [])
    return next((dict(each) for each in conditions if each["type"] == "Ready"), {"status": None, "reason": "NotYet"})


def stamp(instant: datetime) -> str:
    return instant.strftime("%Y-%m-%dT%H:%M:%SZ")


def until(agent: ClusterAgent, claim: Callable[[], object], what: str) -> None:
    eventually(claim, what, within=LONGEST, told=lambda: agent.log.read_text()[-3000:])


def test_a_policy_is_acted_on_and_its_status_says_so(api: Api, agent: ClusterAgent, applied: Applied) -> None:
    applied()
    with agent:
        until(agent, lambda: status(api).get("recommendation", {}).get("answer") == 5.0, "the answer is in the status")
        assert ready(api)["status"] == "True"
        assert status(api)["observedGeneration"] == 1
        applied(per_replica=6)
        until(agent, lambda: status(api)["recommendation"]["answer"] == 10.0, "an edit is acted on")
        until(agent, lambda: status(api)["observedGeneration"] == 2, "the status speaks of the edit")
        shown = api.table(f"{POLICIES}/chat")
        cells = dict(
            zip([column["name"] for column in shown["columnDefinitions"]], shown["rows"][0]["cells"], strict=True)
        )
        assert cells["Mode"] == "Active"
        api.delete(f"{POLICIES}/chat")
        until(agent, lambda: '"policy_dropped"' in agent.log.read_text(), "a deletion is acted on")


def test_the_namespaces_annotation_gives_keda_the_raw_need_and_its_end_the_answer(
    api: Api, agent: ClusterAgent, account: Account, applied: Applied
) -> None:
    now = datetime.now(UTC)
    floor = {
        "replicas": 9,
        "from": stamp(now),
        "until": stamp(now + timedelta(hours=1)),
        "owner": "me",
        "reason": "load",
    }
    applied(overrides=[floor])
    home = f"/api/v1/namespaces/{account.namespace}"

    def for_keda() -> object:
        return status(api).get("recommendation", {}).get("forKeda")

    with agent:
        until(agent, lambda: for_keda() == 9.0, "the override is the answer")
        api.patch(home, {"metadata": {"annotations": {"foretide.dev/reactive": "true"}}})
        until(agent, lambda: for_keda() == 5.0, "KEDA gets the raw need")
        assert status(api)["recommendation"]["answer"] == 9.0
        api.patch(home, {"metadata": {"annotations": {"foretide.dev/reactive": None}}})
        until(agent, lambda: for_keda() == 9.0, "KEDA gets the answer again")


def test_a_policy_that_came_later_is_acted_on(api: Api, agent: ClusterAgent, applied: Applied) -> None:
    with agent:
        applied()
        until(agent, lambda: ready(api)["status"] == "True", "it answers")


def test_a_status_that_says_the_same_is_not_written_again(api: Api, agent: ClusterAgent, applied: Applied) -> None:
    applied()
    with agent:
        until(agent, lambda: ready(api)["status"] == "True", "it answers")
        time.sleep(6)  # a look of the writer lies in between, and decisions each second
        before = (api.get(f"{POLICIES}/chat") or {})["metadata"]["resourceVersion"]
        time.sleep(11)
        assert (api.get(f"{POLICIES}/chat") or {})["metadata"]["resourceVersion"] == before


def test_replicas_of_the_target_are_observed_and_it_is_left_alone(
    api: Api, agent: ClusterAgent, applied: Applied
) -> None:
    labels = {"app": "chat"}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "main", "image": "none"}]}}
    spec = {"replicas": 3, "selector": {"matchLabels": labels}, "template": template}
    metadata = {"name": "chat", "namespace": NAMESPACE}
    api.create({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata, "spec": spec})
    eventually(
        lambda: (api.get(f"{DEPLOYMENTS}/chat") or {})["status"].get("replicas") == 3,
        "the Deployment has its pods",
        within=LONGEST,
        told=lambda: "",
    )
    before = (api.get(f"{DEPLOYMENTS}/chat") or {})["metadata"]
    applied()
    try:
        with agent:
            there = {"existing": 3, "ready": 0, "rollingOut": True}  # none of its first pods is available
            until(agent, lambda: status(api).get("recommendation", {}).get("replicas") == there, "replicas are seen")
        after = (api.get(f"{DEPLOYMENTS}/chat") or {})["metadata"]
        assert after.get("annotations") == before.get("annotations")
        assert after.get("finalizers") == before.get("finalizers")
        assert "annotations" not in (api.get(f"{POLICIES}/chat") or {})["metadata"]
        assert "finalizers" not in (api.get(f"{POLICIES}/chat") or {})["metadata"]
    finally:
        api.delete(f"{DEPLOYMENTS}/chat")


def test_a_policy_that_only_the_agent_can_refuse_says_why(api: Api, agent: ClusterAgent, applied: Applied) -> None:
    applied()
    with agent:
        until(agent, lambda: ready(api)["status"] == "True", "it answers")
        applied(forecast={"timeZone": "Mars/Olympus"})
        until(agent, lambda: ready(api)["reason"] == "Invalid", "the fault is told")
        assert "spec.forecast.timeZone" in ready(api)["message"]
        assert "the last good version is acted on" in ready(api)["message"]
        assert status(api)["recommendation"]["answer"] == 5.0


def test_the_holder_of_the_lease_writes_and_when_it_dies_another_does(
    api: Api, account: Account, lease: str, prometheus: rig.PrometheusServer, tmp_path: Path, applied: Applied
) -> None:
    options = ("--prometheus-url", prometheus.url, "--lease", lease)
    first, second = (ClusterAgent(tmp_path / name, account, NAMESPACE, *options) for name in ("a", "b"))

    def leads(agent: ClusterAgent) -> bool:
        return '"event": "leading"' in agent.log.read_text()

    applied()
    with first:
        until(first, lambda: leads(first), "the first leads")
        with second:
            until(first, lambda: ready(api)["status"] == "True", "its status is written")
            assert not leads(second)
            first.kill()
            began = time.monotonic()
            until(second, lambda: leads(second), "the second leads")
            assert time.monotonic() - began < 30
            applied(per_replica=6)
            until(second, lambda: status(api)["recommendation"]["answer"] == 10.0, "it writes from now on")
