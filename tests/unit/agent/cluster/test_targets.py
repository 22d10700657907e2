from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import pytest

from agent.cluster.documents import Documents
from agent.cluster.target import Target, target_of
from agent.cluster.targets import DEPLOYMENTS, ObservedTargets, WatchedTargets, counts_of
from agent.snapshot import Unseen
from scalers.decision import Replicas
from scalers.policy import PolicyKey

CHAT = PolicyKey("ml", "chat")
TARGET = target_of("ml", {"apiVersion": "apps/v1", "kind": "Deployment", "name": "server"})


class Clock:
    """Seconds, as a test says."""

    seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


def targets(
    status: Mapping[str, object], target: Target | None = TARGET, monotonic: Callable[[], float] = lambda: 0.0
) -> ObservedTargets:
    deployments = Documents()
    metadata = {"namespace": "ml", "name": "server", "uid": "a", "resourceVersion": "1"}
    deployments.put(
        counts_of(
            {
                "metadata": metadata,
                "spec": {"replicas": 3, "template": {"spec": {"volumes": ["long"]}}},
                "status": status,
            }
        )
    )
    watched = WatchedTargets({DEPLOYMENTS: deployments}, monotonic=monotonic)
    return ObservedTargets(watched, lambda _: target, lambda: None)


def test_replicas_that_exist_and_those_that_serve_are_known() -> None:
    status = {"observedGeneration": 4, "replicas": 3, "updatedReplicas": 3, "readyReplicas": 2}
    assert targets(status).observed(CHAT) == Replicas(existing=3, ready=2)
    assert targets({"observedGeneration": 4}).observed(CHAT) == Replicas(existing=0, ready=0)


@pytest.mark.parametrize(
    ("status", "target"),
    [
        ({}, TARGET),  # no controller has looked at it
        ({"observedGeneration": 1}, None),  # the policy is gone
        ({"observedGeneration": 1}, replace(TARGET, name="another")),
        ({"observedGeneration": 1}, replace(TARGET, group="argoproj.io", version="v1alpha1", kind="Rollout")),
    ],
)
def test_what_nobody_has_seen_is_unknown(status: Mapping[str, object], target: Target | None) -> None:
    assert targets(status, target).observed(CHAT) is None


def test_a_target_that_is_not_there_is_told_once_the_watch_has_had_its_time() -> None:
    clock = Clock()
    known = targets({"observedGeneration": 1}, replace(TARGET, name="another"), clock)
    assert known.unseen(CHAT) is None
    clock.seconds = 61
    assert known.unseen(CHAT) == Unseen("NoSuchTarget", "there is no Deployment/another in namespace ml")


def test_a_target_that_may_not_be_seen_is_not_said_to_be_missing() -> None:
    clock, mend = Clock(), "let the service account list and watch deployments.apps"
    watched = WatchedTargets({DEPLOYMENTS: Documents()}, monotonic=clock)
    watched.forbidden = {DEPLOYMENTS: mend}
    known = ObservedTargets(watched, lambda _: TARGET, lambda: None)
    clock.seconds = 61
    assert known.unseen(CHAT) == Unseen("TargetsForbidden", f"Deployment/server is not seen: {mend}")
    assert known.observed(CHAT) is None


def test_who_controls_a_target_is_known_and_an_owner_that_does_not_is_none() -> None:
    deployments, owned = Documents(), {"kind": "Revision", "name": "chat-00001", "uid": "r"}
    watched = WatchedTargets({DEPLOYMENTS: deployments})
    for number, owner in enumerate(({**owned, "controller": True}, owned)):
        metadata = {"namespace": "ml", "name": "server", "uid": "a", "resourceVersion": str(number)}
        deployments.put(counts_of({"metadata": {**metadata, "ownerReferences": [owner]}}))
        assert watched.controller(TARGET) == (("Revision", "chat-00001"), None)[number]
    assert watched.controller(replace(TARGET, name="another")) is None


def test_of_a_workload_its_counts_are_kept_and_what_its_pods_ask_for() -> None:
    metadata = {"name": "a", "annotations": {"x": "long"}, "managedFields": ["longer"]}
    resources = {"requests": {"cpu": "1"}}
    container = {"name": "main", "image": "chat:1", "env": ["longest"], "resources": resources}
    template = {"metadata": {"labels": {"app": "a"}, "annotations": {"x": "long"}}, "spec": {"containers": [container]}}
    kept = counts_of({"metadata": metadata, "spec": {"template": template}, "status": {}})
    assert set(kept["metadata"]) == {"name"}
    assert kept["spec"]["template"] == {
        "metadata": {"labels": {"app": "a"}},
        "spec": {"containers": [{"name": "main", "resources": resources}]},
    }


def test_what_a_workload_asks_for_is_read_once_until_the_workload_changes() -> None:
    deployments = Documents()
    watched = WatchedTargets({DEPLOYMENTS: deployments})
    deployments.put(counts_of(_deployment(replicas=3, version=1)))
    first = watched.workload(TARGET)
    assert first is not None
    assert first.wanted == 3
    assert watched.workload(TARGET) is first

    deployments.put(counts_of(_deployment(replicas=4, version=2)))
    second = watched.workload(TARGET)
    assert second is not None
    assert second.wanted == 4


def test_of_a_workload_that_is_gone_nothing_is_known_any_more() -> None:
    deployments = Documents()
    watched = WatchedTargets({DEPLOYMENTS: deployments})
    deployments.put(counts_of(_deployment(replicas=3, version=1)))
    assert watched.workload(TARGET) is not None
    deployments.remove(_deployment(replicas=3, version=1))
    assert watched.workload(TARGET) is None


def _deployment(*, replicas: int, version: int) -> Mapping[str, object]:
    metadata = {"namespace": "ml", "name": "server", "uid": "a", "resourceVersion": str(version)}
    return {"metadata": metadata, "spec": {"replicas": replicas}, "status": {}}
