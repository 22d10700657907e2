"""An agent under the chart's service account, some verbs of its roles taken away: each is named, the rest goes on."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from copy import deepcopy
from pathlib import Path

import pytest

from agent.policy.crd import custom_resource_definition
from tests.cluster import examined, installed
from tests.cluster.agent import ClusterAgent
from tests.cluster.api import Api, Object
from tests.cluster.control_plane import ControlPlane
from tests.cluster.examined import NAMESPACE
from tests.cluster.installed import Account
from tests.cluster.processes import eventually
from tests.cluster.test_doctor import CRD, POLICIES, install, no_crd
from tests.real.agent.process import ROOT
from tests.real.prometheus import rig

pytestmark = [pytest.mark.real, pytest.mark.rig("the CRD is changed and deleted, and with it every policy")]

LONGEST = 60.0  # seconds
DEPLOYMENT = f"/apis/apps/v1/namespaces/{NAMESPACE}/deployments/chat"
HPA = f"/apis/autoscaling/v2/namespaces/{NAMESPACE}/horizontalpodautoscalers/chat-cpu"


@pytest.fixture
def api(control_plane: ControlPlane) -> Iterator[Api]:
    """An API server that serves policies, one of them of Deployment/chat."""
    api = control_plane.api
    api.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}})
    no_crd(api)
    install(api, custom_resource_definition())
    api.create(examined.a_deployment("chat"))
    api.apply(a_policy(12))
    yield api
    for path in (DEPLOYMENT, HPA, CRD):
        api.delete(path)


@pytest.fixture
def account(api: Api, control_plane: ControlPlane, tmp_path: Path) -> Iterator[Account]:
    """Of a release in this namespace, whose rights each test takes away in part."""
    with installed.release(control_plane, NAMESPACE, tmp_path) as account:
        yield account


@pytest.fixture
def agent(account: Account, prometheus: rig.PrometheusServer, tmp_path: Path) -> Iterator[ClusterAgent]:
    agent = ClusterAgent(tmp_path, account, NAMESPACE, "--prometheus-url", prometheus.url)
    yield agent
    agent.kill()


def a_policy(per_replica: int) -> Object:
    demand = {"prometheus": {"query": "max(demand)"}, "step": "1s"}
    return examined.a_policy("chat", demand=demand, capacity={"perReplica": per_replica})


def status(api: Api) -> Object:
    return dict((api.get(f"{POLICIES}/chat") or {}).get("status") or {})


def condition(api: Api, kind: str) -> tuple[str, str, str]:
    found = next((each for each in status(api).get("conditions", []) if each["type"] == kind), {})
    return found.get("status", ""), found.get("reason", ""), found.get("message", "")


def until(agent: ClusterAgent, claim: Callable[[], object], what: str) -> None:
    eventually(claim, what, within=LONGEST, told=lambda: agent.log.read_text()[-3000:])


def granted(api: Api, *missing: tuple[str, str]) -> None:
    installed.grant(api, NAMESPACE, without=frozenset(missing))


def test_kinds_that_may_not_be_watched_or_listed_are_conditions(api: Api, agent: ClusterAgent) -> None:
    granted(api, ("deployments", "watch"), ("horizontalpodautoscalers", "watch"), ("limitranges", "list"))
    with agent:
        until(agent, lambda: condition(api, "Ready")[1] == "TargetsForbidden", "targets that are not seen are told")
        assert condition(api, "Ready")[0] == "True"  # and the plain need is answered
        assert f"let the service account watch deployments.apps in namespace {NAMESPACE}" in condition(api, "Ready")[2]
        assert status(api)["recommendation"]["answer"] == 5.0
        until(agent, lambda: condition(api, "Conflict")[:2] == ("Unknown", "NotSeen"), "so is what else may act")
        told = condition(api, "Conflict")[2]
        assert f"let the service account watch horizontalpodautoscalers.autoscaling in namespace {NAMESPACE}" in told
        assert "limitranges cannot be listed: let the service account list them" in told
        api.apply(a_policy(6))
        until(agent, lambda: status(api)["recommendation"]["answer"] == 10.0, "the watch of policies goes on")
        assert "watch_ended" not in agent.log.read_text()


def test_pods_events_and_policies_that_may_not_be_read_or_written_are_told(api: Api, agent: ClusterAgent) -> None:
    granted(api, ("pods", "list"), ("events", "create"), ("forecastpolicies", "watch"))
    cpu = {"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 70}}}
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "chat"}
    hpa = {"scaleTargetRef": target, "minReplicas": 1, "maxReplicas": 9, "metrics": [cpu]}
    metadata = {"name": "chat-cpu", "namespace": NAMESPACE}
    api.create({"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "metadata": metadata, "spec": hpa})
    with agent:
        until(agent, lambda: condition(api, "Conflict")[1] == "TwoScalers", "what is seen is acted on")
        until(
            agent, lambda: "let the service account create events" in agent.log.read_text(), "an Event is not written"
        )
        of_pods = f"let the service account list pods in {NAMESPACE}"
        until(agent, lambda: of_pods in status(api).get("leadTime", {}).get("message", ""), "pods are not seen")
        assert "let the service account watch forecastpolicies.foretide.dev" in agent.log.read_text()
        api.apply(a_policy(6))
        until(agent, lambda: status(api)["recommendation"]["answer"] == 10.0, "an edit is seen with the next list")


def test_a_status_that_may_not_be_written_is_in_the_log(api: Api, agent: ClusterAgent) -> None:
    granted(api, ("forecastpolicies/status", "patch"))
    with agent:
        mend = "Forbidden: let the service account patch forecastpolicies/status of foretide.dev"
        until(agent, lambda: mend in agent.log.read_text(), "it is told")


def test_policies_that_may_not_be_listed_or_are_of_another_version_end_the_agent_with_a_sentence(
    api: Api, account: Account
) -> None:
    granted(api, ("forecastpolicies", "list"))
    assert "let the service account get, list and watch forecastpolicies.foretide.dev" in refused(account)
    granted(api)
    no_crd(api)
    render = "foretide render crd | kubectl apply --server-side -f -"
    assert f"the CRD forecastpolicies.foretide.dev is not installed: {render}" in refused(account)
    later = deepcopy(custom_resource_definition())
    later["spec"]["versions"][0]["name"] = "v2"
    install(api, later, version="v2")
    told = refused(account)
    assert "the CRD forecastpolicies.foretide.dev serves v2, and this Foretide reads v1alpha1: run the version" in told
    assert "Traceback" not in told


def refused(account: Account) -> str:
    """Run the agent until it ends by itself, and return what it says."""
    command = [sys.executable, "-m", "agent", "run", "--kubeconfig", str(account.kubeconfig)]
    command += ["--namespace", NAMESPACE]
    command += ["--grpc-address", "127.0.0.1:0", "--http-address", "127.0.0.1:0", "--log-format", "json"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=LONGEST)
    assert done.returncode == 1, done.stderr
    return done.stderr
