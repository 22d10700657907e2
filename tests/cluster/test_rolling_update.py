"""A rolling update of two agents while they are asked 50 times a second, by the gRPC library and in the way of KEDA."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
import requests

from agent.policy.crd import custom_resource_definition
from bench.keda import control
from bench.lines import LineProcess
from tests.cluster.agent import answer
from tests.cluster.api import Api
from tests.cluster.control_plane import ControlPlane
from tests.cluster.installed import Account
from tests.cluster.processes import eventually, free_port
from tests.cluster.test_leader import POLICIES, POLICY, Replica
from tests.real.prometheus import rig

pytestmark = [pytest.mark.real, pytest.mark.rig("the namespace ml is written to, which may be somebody's")]

LONGEST = 60.0  # seconds
RATE = 50  # calls a second
NAME = "policy-0"  # that the client asks for


@pytest.fixture
def api(control_plane: ControlPlane) -> Iterator[Api]:
    api = control_plane.api
    api.apply(custom_resource_definition())
    eventually(lambda: api.get(POLICIES), "policies are served", within=LONGEST, told=lambda: "")
    api.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "ml"}})
    api.apply({**POLICY, "metadata": {"name": NAME, "namespace": "ml"}})
    yield api
    api.delete(f"{POLICIES}/{NAME}")


class Rollout:
    """Replicas of a Deployment by name, each on its own port from the beginning."""

    def __init__(self, stack: ExitStack, folder: Path, account: Account, *options: str) -> None:
        self._stack = stack
        self.endpoints = {name: f"127.0.0.1:{free_port()}" for name in ("old-1", "old-2", "new-1", "new-2")}
        self._replicas = {
            name: Replica(folder / name, account, "ml", *options, "--grpc-address", address)
            for name, address in self.endpoints.items()
        }

    def start(self, name: str) -> None:
        """Start one, and return when it is Ready."""
        replica = self._stack.enter_context(self._replicas[name])
        eventually(
            lambda: requests.get(f"{replica.http}/readyz", timeout=5).ok or None,
            f"{name} is Ready",
            within=LONGEST,
            told=lambda: str(replica.log.read_text()[-3000:]),
        )

    def answers(self, name: str) -> None:
        """Wait until one answers: before the first sample of all an agent is Ready, and says what it waits for."""
        replica = self._replicas[name]
        eventually(
            lambda: isinstance(answer(replica.grpc_port, "ml", NAME), float),
            f"{name} answers",
            within=LONGEST,
            told=lambda: str(replica.log.read_text()[-3000:]),
        )

    def end(self, name: str) -> None:
        """End one as Kubernetes does, and return when it is gone."""
        assert self._replicas[name].terminate() == 0


@pytest.fixture
def rollout(
    api: Api, account: Account, lease: str, prometheus: rig.PrometheusServer, tmp_path: Path
) -> Iterator[Rollout]:
    with ExitStack() as stack:
        yield Rollout(stack, tmp_path, account, "--prometheus-url", prometheus.url, "--lease", lease)


def test_a_rolling_update_of_two_replicas_fails_no_call(rollout: Rollout) -> None:
    for old in ("old-1", "old-2"):
        rollout.start(old)
    for old in ("old-1", "old-2"):
        rollout.answers(old)  # Prometheus may not have scraped anything yet
    options = ["-endpoints", ",".join(rollout.endpoints.values()), "-rate", str(RATE), "-mixed", "-duration", "120s"]
    with LineProcess(control.built(), "load", *options) as client:
        client.hear()
        for old, new in (("old-1", "new-1"), ("old-2", "new-2")):
            rollout.start(new)  # maxSurge 1, maxUnavailable 0
            rollout.end(old)
        client.say("enough")
        heard = client.hear()
    print(heard)
    assert heard["failures"] == {}
    assert heard["failed"] == 0
    assert heard["calls"] >= RATE * 5
