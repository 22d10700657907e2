"""Several agents on one Lease: one decides, the others answer with it and go on when it is gone."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from agent.policy.crd import custom_resource_definition
from tests.cluster.agent import ClusterAgent
from tests.cluster.api import Api
from tests.cluster.cable import Cable
from tests.cluster.control_plane import ControlPlane
from tests.cluster.installed import Account
from tests.cluster.processes import eventually
from tests.real.prometheus import rig

pytestmark = [pytest.mark.real, pytest.mark.rig("ways to an API server on this machine's loopback are cut")]

LONGEST = 60.0  # seconds
NEW_LEADER = 30.0  # seconds
HANDED_OVER = 10.0  # seconds
STEP = 2.0  # seconds; one publish
POLICIES = "/apis/foretide.dev/v1alpha1/namespaces/ml/forecastpolicies"
POLICY = {
    "apiVersion": "foretide.dev/v1alpha1",
    "kind": "ForecastPolicy",
    "metadata": {"name": "chat", "namespace": "ml"},
    "spec": {
        "mode": "Active",
        "scaleTargetRef": {"name": "chat"},
        "demand": {"prometheus": {"query": "max(demand)"}, "step": f"{STEP:g}s"},
        "capacity": {"perReplica": 12},
        "replicas": {"min": 1, "max": 40},
        "leadTime": {"declared": "10s"},
    },
}


class Replica(ClusterAgent):
    """One of several agents."""

    def signalled(self, number: int) -> None:
        assert self.popen is not None
        self.popen.send_signal(number)

    def has_logged(self, event: str) -> int:
        return self.log.read_text().count(f'"event": "{event}"')

    @property
    def decides(self) -> bool:
        return self.has_logged("deciding") > self.has_logged("resting")


@pytest.fixture(scope="module")
def api(control_plane: ControlPlane) -> Iterator[Api]:
    """An API server with the one policy."""
    api = control_plane.api
    api.apply(custom_resource_definition())
    eventually(lambda: api.get(POLICIES), "policies are served", within=LONGEST, told=lambda: "")
    api.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "ml"}})
    api.apply(POLICY)
    yield api
    api.delete(f"{POLICIES}/chat")


@pytest.fixture
def exporter() -> Iterator[rig.Exporter]:
    exporter = rig.Exporter()
    exporter.value = 60.0
    yield exporter
    exporter.stop()


@pytest.fixture
def prometheus(tmp_path_factory: pytest.TempPathFactory, exporter: rig.Exporter) -> Iterator[rig.PrometheusServer]:
    """Scrapes the demand each second."""
    if reason := rig.missing_binary():
        pytest.skip(reason)
    server = rig.PrometheusServer(tmp_path_factory.mktemp("prometheus"), targets=[exporter.target])
    with rig.running(server):
        yield server


@dataclass(frozen=True)
class Replicas:
    """Three agents, each with its own way to the API server; the first leads, and all answer 5."""

    agents: list[Replica]
    cables: list[Cable]

    @property
    def leader(self) -> Replica:
        return self.agents[0]

    @property
    def others(self) -> list[Replica]:
        return self.agents[1:]

    def until(self, claim: Callable[[], object], what: str, within: float = LONGEST) -> None:
        eventually(claim, what, within=within, told=self._logs)

    def all_answer(self, value: float, agents: list[Replica]) -> None:
        """Wait until what is decided now has reached all."""
        what = f"the leader's answer of {value} reaches all"
        self.until(lambda: all(each.ask() == value for each in agents), what, within=15)

    def one_decides(self, agents: list[Replica]) -> None:
        self.until(lambda: sum(each.decides for each in agents) == 1, "one decides")

    def _logs(self) -> str:
        return "\n".join(each.log.read_text()[-2500:] for each in self.agents)


@pytest.fixture
def replicas(
    api: Api, account: Account, lease: str, prometheus: rig.PrometheusServer, tmp_path: Path
) -> Iterator[Replicas]:
    options = ("--prometheus-url", prometheus.url, "--lease", lease)
    port = int(api.url.rpartition(":")[2])
    with ExitStack() as stack:
        made = Replicas([], [])
        for name in ("a", "b", "c"):
            cable = stack.enter_context(Cable(port))
            made.cables.append(cable)
            replica = Replica(tmp_path / name, account.behind(cable, tmp_path), "ml", *options)
            made.agents.append(stack.enter_context(replica))
            made.until(lambda: made.leader.decides, "the first decides")
        made.all_answer(5.0, made.agents)
        assert [each.decides for each in made.agents] == [True, False, False]
        yield made
        made.leader.signalled(signal.SIGCONT)


def asked_until_another_decides(others: list[Replica]) -> tuple[float, set[float | str]]:
    """Ask all the time; return after how long another decided, and all that was answered until 5 s after that."""
    began, answers, decided = time.monotonic(), set[float | str](), 0.0
    while not decided or time.monotonic() - began < decided + 5:
        answers |= {each.ask() for each in others}
        if not decided and any(each.decides for each in others):
            decided = time.monotonic() - began
        assert time.monotonic() - began < LONGEST, "nobody decides"
    return decided, answers


def test_when_the_leader_is_killed_the_others_answer_on_and_one_of_them_leads(
    replicas: Replicas, exporter: rig.Exporter
) -> None:
    replicas.leader.kill()
    decided, answers = asked_until_another_decides(replicas.others)
    print(f"another decides after {decided:.1f} s")
    assert decided < NEW_LEADER
    assert answers == {5.0}
    replicas.one_decides(replicas.others)
    exporter.value = 120.0
    replicas.all_answer(10.0, replicas.others)


def test_a_leader_that_was_stopped_does_not_answer_otherwise_than_the_new_one(
    replicas: Replicas, exporter: rig.Exporter
) -> None:
    replicas.leader.signalled(signal.SIGSTOP)
    decided, answers = asked_until_another_decides(replicas.others)
    assert decided < NEW_LEADER
    assert answers == {5.0}
    exporter.value = 120.0
    replicas.all_answer(10.0, replicas.others)
    replicas.leader.signalled(signal.SIGCONT)
    woken = time.monotonic()
    replicas.until(lambda: replicas.leader.ask() == 10.0, "the woken one answers as the new leader", within=15)
    agreed = time.monotonic() - woken
    print(f"another decides after {decided:.1f} s, the woken one answers as it does after {agreed:.1f} s")
    assert agreed < STEP
    replicas.one_decides(replicas.agents)
    assert not replicas.leader.decides


def test_a_leader_that_ends_hands_over_and_no_call_fails(replicas: Replicas, exporter: rig.Exporter) -> None:
    assert replicas.leader.popen is not None
    replicas.leader.signalled(signal.SIGTERM)
    decided, answers = asked_until_another_decides(replicas.others)
    print(f"another decides after {decided:.1f} s")
    assert decided < HANDED_OVER
    assert answers == {5.0}
    assert replicas.leader.popen.wait(timeout=LONGEST) == 0
    exporter.value = 120.0
    replicas.all_answer(10.0, replicas.others)


def test_a_leader_that_alone_loses_the_api_server_follows_the_next(replicas: Replicas, exporter: rig.Exporter) -> None:
    replicas.cables[0].cut()
    decided, answers = asked_until_another_decides(replicas.others)
    assert decided < NEW_LEADER
    assert answers == {5.0}
    replicas.until(lambda: not replicas.leader.decides, "it hears of the next", within=STEP)
    exporter.value = 120.0
    replicas.all_answer(10.0, replicas.agents)
    replicas.cables[0].mend()
    replicas.one_decides(replicas.agents)


def test_while_all_have_lost_the_api_server_the_leader_decides_on_and_the_others_with_it(
    replicas: Replicas, exporter: rig.Exporter
) -> None:
    for cable in replicas.cables:
        cable.cut()
    replicas.until(lambda: replicas.leader.has_logged("following"), "its Lease runs out")
    exporter.value = 120.0
    replicas.all_answer(10.0, replicas.agents)
    assert [each.decides for each in replicas.agents] == [True, False, False]
    for cable in replicas.cables:
        cable.mend()
    replicas.until(lambda: any(each.has_logged("leading") for each in replicas.agents), "the Lease is held again")
    exporter.value = 180.0
    replicas.all_answer(15.0, replicas.agents)
    replicas.one_decides(replicas.agents)
