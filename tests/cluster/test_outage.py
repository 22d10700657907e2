"""The API server hangs, is gone and comes back with another memory: what is answered, scaled and known meanwhile."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from agent.policy.crd import custom_resource_definition
from tests.cluster.agent import ClusterAgent
from tests.cluster.api import Api, Object
from tests.cluster.cable import Cable
from tests.cluster.control_plane import ControlPlane
from tests.cluster.installed import Account
from tests.cluster.processes import eventually
from tests.cluster.scaled import Scaled, push
from tests.real.prometheus import rig

pytestmark = [pytest.mark.real, pytest.mark.rig("the API server is ended")]

LONGEST = 90.0  # seconds
HANGS, GONE = 60.0, 60.0  # seconds
RISES_AT = 20.0  # seconds


@pytest.fixture
def exporter() -> Iterator[rig.Exporter]:
    exporter = rig.Exporter()
    exporter.value = 60.0
    yield exporter
    exporter.stop()


@pytest.fixture
def prometheus(tmp_path: Path, exporter: rig.Exporter) -> Iterator[rig.PrometheusServer]:
    """Scrapes the demand each second."""
    if reason := rig.missing_binary():
        pytest.skip(reason)
    folder = tmp_path / "prometheus"
    folder.mkdir()
    with rig.running(rig.PrometheusServer(folder, targets=[exporter.target])) as server:
        yield server


class Cut:
    """An agent for one namespace with a cable to the API server, and the policy `chat` there."""

    def __init__(self, api: Api, namespace: str, cable: Cable, agent: ClusterAgent) -> None:
        self._api = api
        self._policies = f"/apis/foretide.dev/v1alpha1/namespaces/{namespace}/forecastpolicies"
        self._namespace = namespace
        self.cable = cable
        self.agent = agent

    def apply(self, per_replica: float) -> None:
        spec: Object = {
            "mode": "Active",
            "scaleTargetRef": {"name": "chat"},
            "demand": {"prometheus": {"query": "max(demand)"}, "step": "1s"},
            "capacity": {"perReplica": per_replica},
            "replicas": {"min": 1, "max": 40},
            "leadTime": {"declared": "10s"},
        }
        metadata = {"name": "chat", "namespace": self._namespace}
        document = {"apiVersion": "foretide.dev/v1alpha1", "kind": "ForecastPolicy", "metadata": metadata}
        self._api.apply({**document, "spec": spec})

    @property
    def recommendation(self) -> Object:
        """What the policy's status says."""
        status = (self._api.get(f"{self._policies}/chat") or {}).get("status") or {}
        return dict(status.get("recommendation") or {})

    def until(self, claim: Callable[[], object], what: str) -> None:
        eventually(lambda: claim() or None, what, within=LONGEST, told=self._told)

    def _told(self) -> str:
        return f"{self.recommendation}\n{self.agent.log.read_text()[-3000:]}"


@pytest.fixture
def cut(
    cluster: ControlPlane,
    account: Account,
    lease: str,
    namespace: str,
    prometheus: rig.PrometheusServer,
    tmp_path: Path,
) -> Iterator[Cut]:
    api: Api = cluster.api
    api.apply(custom_resource_definition())
    policies = f"/apis/foretide.dev/v1alpha1/namespaces/{namespace}/forecastpolicies"
    eventually(lambda: api.get(policies), "policies are served", within=LONGEST, told=lambda: "")
    with Cable(int(api.url.rpartition(":")[2])) as cable:
        options = ("--prometheus-url", prometheus.url, "--lease", lease)
        agent = ClusterAgent(tmp_path, account.behind(cable, tmp_path), namespace, *options)
        made = Cut(api, namespace, cable, agent)
        made.apply(12)
        with agent:
            yield made
    api.delete(f"{policies}/chat")


def test_two_minutes_without_an_api_server_cost_no_answer_and_no_replica(
    cluster: ControlPlane, scaled: Scaled, cut: Cut, exporter: rig.Exporter
) -> None:
    scaled.create(push(cut.agent.address))
    scaled.until(lambda: scaled.replicas == 5, "60 of demand take 5 replicas of 12")
    cut.until(lambda: cut.recommendation.get("answer") == 5.0, "its status says so")

    answers: list[float | str] = []
    began = time.monotonic()
    cluster.api_server.pause()
    while (passed := time.monotonic() - began) < HANGS:
        exporter.value = 60.0 if passed < RISES_AT else 120.0
        answers.append(cut.agent.ask())
        time.sleep(0.5)
    cluster.kill_api_server()
    while time.monotonic() - began < HANGS + GONE:
        answers.append(cut.agent.ask())
        time.sleep(0.5)
    print(f"{len(answers)} answers: {set(answers)}")
    assert set(answers) == {5.0, 10.0}
    assert answers == sorted(answers, key=float)

    cluster.start_api_server()
    seen: set[int] = set()
    scaled.until(lambda: seen.add(scaled.replicas) or 10 in seen, "replicas follow what demand was meanwhile")
    assert min(seen) >= 5
    scaled.always(lambda: scaled.replicas == 10, "and stay", seconds=5)
    cut.until(lambda: cut.recommendation["answer"] == 10.0, "its status is written again")
    cut.apply(6)
    scaled.until(lambda: scaled.replicas == 20, "an edit is seen")


def test_what_was_deleted_while_the_watch_was_cut_is_known_after_it_410_gone(
    cluster: ControlPlane, scaled: Scaled, namespace: str, cut: Cut
) -> None:
    scaled.create_target(replicas=3)
    cut.until(lambda: cut.recommendation.get("replicas", {}).get("existing") == 3, "its replicas are seen")

    cut.cable.cut()
    cluster.api.delete(f"/apis/apps/v1/namespaces/{namespace}/deployments/chat")
    cut.apply(6)
    cluster.kill_api_server()  # the next remembers no event before its start: who asks for them is told 410
    cluster.start_api_server()
    cut.cable.mend()

    cut.until(lambda: cut.recommendation.get("answer") == 10.0, "the edit is seen")
    cut.until(lambda: "replicas" not in cut.recommendation, "nothing is said of replicas that are no more")
    assert '"targets_gone"' in cut.agent.log.read_text()
