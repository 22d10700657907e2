"""A ScaledJob of the real KEDA: jobs for items that are there, and none for what is foretold or no longer known."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.cluster.agent import DemandedAgent
from tests.cluster.control_plane import ControlPlane
from tests.cluster.processes import eventually
from tests.cluster.scaled import LONGEST, external

pytestmark = pytest.mark.real


class Jobs:
    """The ScaledJob `chat` of a namespace; its pods stay Pending, so no item is ever taken."""

    def __init__(self, cluster: ControlPlane, namespace: str) -> None:
        self._cluster = cluster
        self._namespace = namespace
        self.path = f"/apis/keda.sh/v1alpha1/namespaces/{namespace}/scaledjobs/chat"

    def create(self, address: str) -> None:
        container = {"name": "chat", "image": "chat.invalid/chat"}
        template = {"spec": {"restartPolicy": "Never", "containers": [container]}}
        spec = {
            "pollingInterval": 2,
            "maxReplicaCount": 50,
            "rollout": {"strategy": "gradual"},
            "scalingStrategy": {"strategy": "accurate"},
            "jobTargetRef": {"template": template},
            "triggers": [external(address, queueCounts="waiting")],
        }
        metadata = {"name": "chat", "namespace": self._namespace}
        self._cluster.api.create(
            {"apiVersion": "keda.sh/v1alpha1", "kind": "ScaledJob", "metadata": metadata, "spec": spec}
        )

    @property
    def count(self) -> int:
        listed = self._cluster.api.get(f"/apis/batch/v1/namespaces/{self._namespace}/jobs") or {"items": []}
        return len(listed["items"])

    def until(self, count: int, what: str) -> None:
        eventually(
            lambda: self.count == count or None,
            what,
            within=LONGEST,
            told=lambda: f"{self.count} jobs\n{self._cluster.logs(self._namespace)}",
        )


@pytest.fixture
def jobs(cluster: ControlPlane, namespace: str) -> Iterator[Jobs]:
    made = Jobs(cluster, namespace)
    yield made
    cluster.api.delete(made.path)


def test_as_many_jobs_as_items_wait_and_none_while_nobody_knows_how_many(agent: DemandedAgent, jobs: Jobs) -> None:
    agent.demand(3)
    jobs.create(agent.address)
    jobs.until(3, "3 items give 3 jobs")
    asked = agent.rpcs("GetMetrics")
    eventually(
        lambda: agent.rpcs("GetMetrics") >= asked + 3 or None, "KEDA goes on asking", within=LONGEST, told=lambda: ""
    )
    assert jobs.count == 3  # they have not begun, and are not started again

    agent.lose_demand()
    eventually(
        lambda: agent.rpcs("GetMetrics", "UNAVAILABLE") >= 3 or None,
        "KEDA is refused",
        within=LONGEST,
        told=lambda: str(agent.log.read_text()[-2000:]),
    )
    assert jobs.count == 3

    agent.demand(5)
    jobs.until(5, "two more items give two more jobs")
