"""The agents of these tests are the chart's service account: it has what they need, in both scopes, and no more."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from agent.policy.crd import custom_resource_definition
from tests.cluster import installed
from tests.cluster.agent import ClusterAgent
from tests.cluster.api import Api, Object
from tests.cluster.control_plane import ControlPlane
from tests.cluster.installed import NAME, Account
from tests.cluster.kubectl import printed
from tests.cluster.processes import eventually
from tests.cluster.scaled import Scaled
from tests.real.prometheus import rig

pytestmark = pytest.mark.real

LONGEST = 60.0  # seconds
NAMESPACE = "foretide-e2e-installed"
POLICIES = f"/apis/foretide.dev/v1alpha1/namespaces/{NAMESPACE}/forecastpolicies"


@pytest.fixture(scope="module")
def api(control_plane: ControlPlane) -> Iterator[Api]:
    """An API server with a Deployment."""
    api = control_plane.api
    api.apply(custom_resource_definition())
    eventually(lambda: api.get(POLICIES), "policies are served", within=LONGEST, told=control_plane.logs)
    api.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}})
    target = Scaled(api, NAMESPACE, control_plane.logs)
    target.create_target(replicas=2)
    yield api
    target.remove_target()


@pytest.fixture
def policy(api: Api) -> Iterator[Callable[[float], None]]:
    """Applies a policy of the Deployment, for a demand of 60, and takes it away at the end."""

    def apply(per_replica: float) -> None:
        spec: Object = {
            "scaleTargetRef": {"name": "chat"},
            "demand": {"prometheus": {"query": "max(demand)"}, "step": "1s"},
            "capacity": {"perReplica": per_replica},
            "replicas": {"min": 1, "max": 40},
            "leadTime": {"declared": "10s"},
        }
        metadata = {"name": "chat", "namespace": NAMESPACE}
        api.apply({"apiVersion": "foretide.dev/v1alpha1", "kind": "ForecastPolicy", "metadata": metadata, "spec": spec})

    apply(12)
    yield apply
    api.delete(f"{POLICIES}/chat")


def until(agent: ClusterAgent, claim: Callable[[], object], what: str) -> None:
    eventually(claim, what, within=LONGEST, told=lambda: agent.log.read_text()[-3000:])


def status(api: Api) -> Object:
    return dict((api.get(f"{POLICIES}/chat") or {}).get("status") or {})


def has_looked_at_all(api: Api) -> bool:
    """Return whether the agent has seen the target, its pods, and that nothing else acts on it."""
    reasons = {each["type"]: each["reason"] for each in status(api).get("conditions", [])}
    is_seen = (reasons.get("Ready"), reasons.get("Conflict")) == ("Answering", "NoneFound")
    return is_seen and bool(status(api).get("leadTime", {}).get("message"))


def refusals(api: Api, agent: ClusterAgent) -> list[str]:
    """Return what it says that it may not do."""
    lines = [str(status(api)), *agent.log.read_text().splitlines()]
    return [line for line in lines if "forbidden" in line.lower() or "let the service account" in line]


def test_an_agent_is_the_charts_service_account_and_can_read_no_secret(account: Account) -> None:
    whoami = ("auth", "whoami", "-o", "jsonpath={.status.userInfo.username}")

    assert printed(account.kubeconfig, *whoami) == f"system:serviceaccount:{account.namespace}:{NAME}"
    with pytest.raises(subprocess.CalledProcessError) as refused:
        printed(account.kubeconfig, "-n", account.namespace, "get", "secrets")
    assert 'cannot list resource "secrets"' in refused.value.stderr


@pytest.mark.usefixtures("policy")
def test_an_agent_leads_by_the_lease_of_its_release_and_by_no_other(
    account: Account, lease: str, tmp_path: Path
) -> None:
    with ClusterAgent(tmp_path / "own", account, NAMESPACE, "--lease", lease) as agent:
        until(agent, lambda: '"event": "leading"' in agent.log.read_text(), "it leads by its own")
    with ClusterAgent(tmp_path / "other", account, NAMESPACE, "--lease", "of-others") as agent:
        until(agent, lambda: '"event": "lease_forbidden"' in agent.log.read_text(), "it is refused another's")


@pytest.mark.usefixtures("policy")
@pytest.mark.rig("an agent acts on the policies of all namespaces")
def test_one_that_is_installed_for_all_namespaces_is_refused_nothing(
    api: Api, account: Account, lease: str, prometheus: rig.PrometheusServer, tmp_path: Path
) -> None:
    options = ("--prometheus-url", prometheus.url, "--lease", lease)
    with ClusterAgent(tmp_path, account, NAMESPACE, *options, acts_everywhere=True) as agent:
        until(agent, lambda: has_looked_at_all(api), "it has seen all, and written the status")
        assert agent.ask() == 5.0
        assert refusals(api, agent) == []


def test_one_that_is_installed_for_a_namespace_does_there_what_it_does_everywhere(
    api: Api,
    policy: Callable[[float], None],
    control_plane: ControlPlane,
    prometheus: rig.PrometheusServer,
    tmp_path: Path,
) -> None:
    values: Object = {"rbac.scope": "namespace"}
    with installed.release(control_plane, NAMESPACE, tmp_path, values) as account:
        assert not api.allows(f"system:serviceaccount:{NAMESPACE}:{NAME}", "list", "foretide.dev/forecastpolicies")
        options = ("--prometheus-url", prometheus.url, "--lease", NAME)
        with ClusterAgent(tmp_path, account, NAMESPACE, *options) as agent:
            until(agent, lambda: has_looked_at_all(api), "it has seen all, and written the status")
            policy(6)
            until(agent, lambda: agent.ask() == 10.0, "an edit is acted on")
            assert refusals(api, agent) == []
