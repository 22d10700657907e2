"""What counts as a rollout, by what controllers write into a status."""

from __future__ import annotations

from typing import Any

import pytest

from agent.cluster.documents import Documents
from agent.cluster.rollouts import deployment_rolls, stateful_set_rolls
from agent.cluster.target import Target
from agent.cluster.targets import DEPLOYMENTS, WatchedTargets, counts_of

CHAT = Target("ml", "apps", "v1", "Deployment", "chat")


def deployment(reason: str = "NewReplicaSetAvailable", *, status: str = "True", **counts: object) -> dict[str, Any]:
    progressing = {"type": "Progressing", "status": status, "reason": reason, "lastUpdateTime": "long"}
    told = [{"type": "Available", "status": "True"}, progressing]
    metadata = {"namespace": "ml", "name": "chat", "uid": "a", "resourceVersion": "1"}
    counted = {"observedGeneration": 1, "replicas": 4, "updatedReplicas": 4, "readyReplicas": 4, **counts}
    return dict(counts_of({"metadata": metadata, "spec": {"replicas": 4}, "status": {**counted, "conditions": told}}))


def test_pods_of_an_older_version_beside_new_ones_are_a_rollout() -> None:
    assert deployment_rolls(deployment(updatedReplicas=1))
    assert not deployment_rolls(deployment())


def test_a_rollout_goes_on_until_its_last_pods_are_available() -> None:
    assert deployment_rolls(deployment("ReplicaSetUpdated"))


def test_replicas_that_are_added_are_no_rollout() -> None:
    assert not deployment_rolls(deployment(replicas=9, updatedReplicas=9, readyReplicas=4))


@pytest.mark.parametrize(("reason", "status"), [("ProgressDeadlineExceeded", "False"), ("DeploymentPaused", "Unknown")])
def test_a_rollout_that_is_stuck_or_paused_is_none(reason: str, status: str) -> None:
    assert not deployment_rolls(deployment(reason, status=status, updatedReplicas=1))


def stateful_set(strategy: dict[str, Any] | None = None, *, update: str = "b", updated: int = 1) -> dict[str, Any]:
    status = {"replicas": 4, "currentRevision": "a", "updateRevision": update, "updatedReplicas": updated}
    return dict(counts_of({"metadata": {"name": "a"}, "spec": {"updateStrategy": strategy}, "status": status}))


def test_a_stateful_set_with_two_revisions_is_rolled_out_as_far_as_its_strategy_goes() -> None:
    assert stateful_set_rolls(stateful_set())
    assert not stateful_set_rolls(stateful_set(update="a"))
    assert stateful_set_rolls(stateful_set({"type": "RollingUpdate", "rollingUpdate": {"partition": 2}}))
    assert not stateful_set_rolls(stateful_set({"type": "RollingUpdate", "rollingUpdate": {"partition": 3}}))
    assert not stateful_set_rolls(stateful_set({"type": "OnDelete"}))


def test_a_rollout_that_does_not_come_on_within_its_deadline_counts_no_longer() -> None:
    deployments, seconds = Documents(), [0.0]
    targets = WatchedTargets({DEPLOYMENTS: deployments}, monotonic=lambda: seconds[0])

    def rolls(version: str, at: float, **counts: object) -> bool | None:
        told = deployment("ReplicaSetUpdated", **counts)
        told["metadata"] = {**told["metadata"], "resourceVersion": version}
        deployments.put(told)
        seconds[0] = at
        there = targets.replicas(CHAT)
        return there and there.is_rolling_out

    assert rolls("1", 0.0, updatedReplicas=1)
    assert rolls("1", 600.0, updatedReplicas=1)
    assert rolls("2", 700.0, updatedReplicas=2)
    assert rolls("2", 1300.0, updatedReplicas=2)
    assert rolls("2", 1301.0, updatedReplicas=2) is False
