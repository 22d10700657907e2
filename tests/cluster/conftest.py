"""One cluster for all tests; an agent and a namespace for each."""

from __future__ import annotations

import itertools
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cluster import binaries, installed, keda
from tests.cluster.agent import DemandedAgent
from tests.cluster.control_plane import ControlPlane
from tests.cluster.given import KUBECONFIG, GivenCluster
from tests.cluster.installed import Account
from tests.cluster.nodes import Nodes
from tests.cluster.scaled import Scaled
from tests.real.prometheus import rig

_NUMBERS = itertools.count(1)
HOME = "foretide-e2e-release"  # the agents' own namespace
FIGURE = "figure"  # the property by which a test gives a line for people, told at the end whatever comes of it

Agents = Callable[..., DemandedAgent]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave out, of a cluster that was given, what needs the rig's own; each test says why."""
    for item in items:
        if KUBECONFIG and (mark := item.get_closest_marker("rig")):
            item.add_marker(pytest.mark.skip(reason=f"not on a given cluster: {mark.args[0]}"))


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Tell the figures of all tests; what they print themselves is lost where several processes run them."""
    # tests that were left out by -k are counted beside reports
    reports = [each for told in terminalreporter.stats.values() for each in told if isinstance(each, pytest.TestReport)]
    for report in reports:
        for name, value in report.user_properties if report.when == "call" else ():
            if name == FIGURE:
                terminalreporter.write_line(str(value))


@pytest.fixture(scope="session")
def control_plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane | GivenCluster]:
    """The cluster that was given; or Kubernetes alone, or a skip where no Go is there to build it. In CI it must be."""
    if KUBECONFIG:
        with GivenCluster(Path(KUBECONFIG), tmp_path_factory.mktemp("cluster")) as given:
            yield given
        return
    if shutil.which("go") is None and "CI" not in os.environ:
        pytest.skip("Go is not there, so Kubernetes and KEDA cannot be built: both are played by fakes of ours only")
    binaries.KUBERNETES.built()
    with ControlPlane(tmp_path_factory.mktemp("cluster")) as started:
        yield started


@pytest.fixture(scope="session")
def cluster(control_plane: ControlPlane | GivenCluster) -> ControlPlane | GivenCluster:
    """Kubernetes with KEDA."""
    if isinstance(control_plane, GivenCluster):
        control_plane.need_keda()
        return control_plane
    binaries.KEDA.built()
    keda.install(control_plane)
    return control_plane


@pytest.fixture(scope="session")
def account(control_plane: ControlPlane, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    """The chart's service account, of a release in a namespace of its own: all that an agent may be."""
    control_plane.api.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": HOME}})
    with installed.release(control_plane, HOME, tmp_path_factory.mktemp("account")) as account:
        yield account


@pytest.fixture
def lease(control_plane: ControlPlane, account: Account) -> Iterator[str]:
    """The name of the release's Lease; gone with the test, whose agents may have ended without letting go of it."""
    yield installed.NAME
    control_plane.api.delete(account.lease)


@pytest.fixture(scope="module")
def nodes(control_plane: ControlPlane, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nodes]:
    """A scheduler and KWOK, for the tests of one module; no node at first."""
    with Nodes(control_plane, tmp_path_factory.mktemp("nodes")) as started:
        yield started


@pytest.fixture
def namespace(cluster: ControlPlane) -> Iterator[str]:
    name = f"foretide-e2e-{next(_NUMBERS)}"
    cluster.api.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    yield name
    # gone before its agent is, or KEDA would go on asking it throughout the tests that follow
    cluster.api.delete(f"/apis/keda.sh/v1alpha1/namespaces/{name}/scaledobjects/chat")


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[rig.PrometheusServer]:
    """Scrapes a demand of 60 each second."""
    if reason := rig.missing_binary():
        pytest.skip(reason)
    exporter = rig.Exporter()
    exporter.value = 60.0
    server = rig.PrometheusServer(tmp_path_factory.mktemp("prometheus"), targets=[exporter.target])
    with rig.running(server):
        yield server
    exporter.stop()


@pytest.fixture
def agents(tmp_path: Path) -> Iterator[Agents]:
    """Makes agents that end with the test; each is started by the test."""
    made: list[DemandedAgent] = []

    def make(namespace: str, *options: str, config: str | None = None) -> DemandedAgent:
        folder = tmp_path / f"agent-{len(made)}"
        folder.mkdir()
        made.append(DemandedAgent(folder, namespace, *options, config=config))
        return made[-1]

    yield make
    for agent in made:
        agent.kill()


@pytest.fixture
def agent(namespace: str, agents: Agents) -> DemandedAgent:
    """An agent that answers for the test's namespace."""
    return agents(namespace).start()


@pytest.fixture
def scaled(cluster: ControlPlane, namespace: str) -> Scaled:
    return Scaled(cluster.api, namespace, cluster.logs)
