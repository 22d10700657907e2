"""What a list of pods tells of start-ups, and what is kept of it."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from agent.cluster.pods import Node, Pod, node_of, pods_of, ready_among, trouble_of
from scalers.start_ups import StartUp
from tests.fakes.api_documents import NOON, a_list, a_node, a_pod, stamp


def pod(**fields: Any) -> Pod:
    (found,) = pods_of(json.dumps(a_list(a_pod(**fields))).encode())
    return found


def seconds(number: float) -> timedelta:
    return timedelta(seconds=number)


def started(found: Pod, *, had_no_node: bool = False, node: Node | None = None) -> StartUp | None:
    return found.start_up(had_no_node=had_no_node, node=node)


def test_the_parts_of_a_start_up_are_read_from_conditions_and_containers() -> None:
    assert started(pod()) == StartUp(
        pod="uid-chat-5f-a",
        created=NOON,
        to_schedule=seconds(1),
        to_start=seconds(4),
        to_run=seconds(60),
        to_ready=seconds(30),
        waited_for_node=False,
        image="chat:1",
        node_class="",
    )


def test_a_cluster_that_does_not_tell_of_the_sandbox_tells_of_the_rest() -> None:
    document = a_pod()
    document["status"]["conditions"] = [
        each for each in document["status"]["conditions"] if each["type"] != "PodReadyToStartContainers"
    ]
    (found,) = pods_of(json.dumps(a_list(document)).encode())
    start = started(found)
    assert start is not None
    assert (start.to_start, start.to_run, start.total) == (None, seconds(64), seconds(95))


def test_what_is_not_needed_of_a_pod_is_not_kept() -> None:
    found = repr(pod())
    assert "long" not in found
    assert "fieldsV1" not in found
    assert len(found) < 2000


@pytest.mark.parametrize("fields", [{"ready": None}, {"scheduled": None}, {"running": None}, {"restarts": 1}])
def test_a_pod_that_is_not_ready_or_was_not_at_its_first_attempt_is_no_start_up(fields: dict[str, Any]) -> None:
    assert started(pod(**fields)) is None


def test_a_pod_that_is_going_is_no_start_up() -> None:
    document = a_pod()
    document["metadata"]["deletionTimestamp"] = stamp(100)
    (found,) = pods_of(json.dumps(a_list(document)).encode())
    assert started(found) is None
    assert ready_among([found, pod()]) == 1


def test_clocks_that_differ_make_no_part_shorter_than_nothing() -> None:
    start = started(pod(scheduled=-2, prepared=-1, running=-3, ready=20))
    assert start is not None
    parts = (start.to_schedule, start.to_start, start.to_run, start.to_ready)
    assert parts == (seconds(0), seconds(0), seconds(0), seconds(20))


def test_a_node_that_came_after_the_pod_had_to_start_and_its_class_is_told() -> None:
    old, new = (node_of(json.dumps(a_node(created)).encode()) for created in (-60, 40))
    late = pod(scheduled=90, prepared=95, running=100, ready=110)
    there, came = started(late, node=old), started(late, node=new)
    assert there is not None
    assert came is not None
    assert (there.waited_for_node, came.waited_for_node) == (False, True)
    assert came.node_class == "g5.xlarge"


def test_where_nodes_are_not_known_a_pod_that_was_scheduled_late_had_none() -> None:
    kept = {"prepared": 95, "running": 100, "ready": 110}
    waited = [started(pod(scheduled=scheduled, **kept)) for scheduled in (30, 31)]
    assert [start and start.waited_for_node for start in waited] == [False, True]
    seen = started(pod(scheduled=5), had_no_node=True)
    assert seen is not None
    assert seen.waited_for_node


def test_pods_of_another_workload_under_the_same_labels_are_told_apart() -> None:
    assert pod().belongs_to("Deployment", "chat")
    assert not pod(owner=("ReplicaSet", "chat-canary-5f")).belongs_to("Deployment", "chat")
    assert pod(owner=("StatefulSet", "chat")).belongs_to("StatefulSet", "chat")
    assert not pod(owner=("Job", "chat")).belongs_to("StatefulSet", "chat")
    assert pod(owner=("RolloutThing", "x")).belongs_to("Rollout", "chat")


def test_pods_that_never_become_ready_are_told() -> None:
    failing = [pod(ready=None, waiting="CrashLoopBackOff", restarts=4), pod(ready=None, waiting="ImagePullBackOff")]
    assert trouble_of([*failing, failing[0], pod()]) == (
        "pods that do not become Ready are no start-ups: CrashLoopBackOff (2), ImagePullBackOff (1)"
    )
    assert trouble_of([pod(), pod(ready=None, running=None)]) is None
