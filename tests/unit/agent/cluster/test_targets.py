from __future__ import annotations

from collections.abc import Mapping

import pytest

from agent.cluster.documents import Documents
from agent.cluster.targets import DEPLOYMENTS, ObservedTargets, counts_of
from scalers.decision import Replicas
from scalers.policy import PolicyKey

CHAT = PolicyKey("ml", "chat")
TARGET = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "server"}


def targets(status: Mapping[str, object], target: Mapping[str, str] | None = TARGET) -> ObservedTargets:
    deployments = Documents()
    metadata = {"namespace": "ml", "name": "server", "uid": "a", "resourceVersion": "1"}
    deployments.put(counts_of({"metadata": metadata, "spec": {"replicas": 3, "template": "long"}, "status": status}))
    return ObservedTargets({DEPLOYMENTS: deployments}, lambda _: target)


def test_replicas_that_exist_and_those_that_serve_are_known() -> None:
    status = {"observedGeneration": 4, "replicas": 3, "updatedReplicas": 3, "readyReplicas": 2}
    assert targets(status).observed(CHAT) == Replicas(existing=3, ready=2)
    assert targets({"observedGeneration": 4}).observed(CHAT) == Replicas(existing=0, ready=0)


@pytest.mark.parametrize(
    ("status", "target"),
    [
        ({}, TARGET),  # no controller has looked at it
        ({"observedGeneration": 1}, None),  # the policy is gone
        ({"observedGeneration": 1}, {**TARGET, "name": "another"}),
        ({"observedGeneration": 1}, {**TARGET, "apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout"}),
    ],
)
def test_what_nobody_has_seen_is_unknown(status: Mapping[str, object], target: Mapping[str, str] | None) -> None:
    assert targets(status, target).observed(CHAT) is None


def test_of_a_workload_its_counts_alone_are_kept() -> None:
    metadata = {"name": "a", "annotations": {"x": "long"}, "managedFields": ["longer"]}
    kept = counts_of({"metadata": metadata, "spec": {"template": {}}, "status": {}})
    assert "template" not in kept["spec"]
    assert set(kept["metadata"]) == {"name"}
