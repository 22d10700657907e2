"""A trigger with `queueCounts`, over a real channel: the answers to a ScaledJob."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import grpc
import pytest

from scalers.jobs import JobsWanted
from scalers.keda.board import Answer
from scalers.keda.proto.externalscaler_pb2 import ScaledObjectRef
from tests.fakes.board import CHAT, REFUSAL, needing
from tests.keda_server import SOON, Serving

MINUTE = timedelta(minutes=1)


def job(counts: str = "waiting") -> ScaledObjectRef:
    return ScaledObjectRef(name="render", namespace="ml", scalerMetadata={"policy": "chat", "queueCounts": counts})


def jobs(count: float, *, replicas: float = 30.0, age: float = 0.0) -> Answer:
    """A forecast that wants 30 replicas, and as many items as make some jobs."""
    answer = needing(replicas)
    return replace(answer, jobs=JobsWanted(count, MINUTE), published_at=time.monotonic() - age)


def refusal(call: Callable[[], object]) -> tuple[grpc.StatusCode, str]:
    with pytest.raises(grpc.RpcError) as caught:
        call()
    return caught.value.code(), caught.value.details()


@pytest.mark.parametrize("counts", ["waiting", "waiting+running"])
def test_a_scaled_job_is_told_jobs_for_real_items_and_never_the_forecast(serving: Serving, counts: str) -> None:
    serving.board.put(CHAT, jobs(2.5))
    (value,) = serving.scaler.GetMetrics(serving.metric(job(counts))).metricValues
    assert (value.metricValueFloat, value.metricValue) == (2.5, 3)
    assert serving.scaler.IsActive(job(counts)).result is True


def test_a_scaled_object_of_the_same_policy_is_told_replicas(serving: Serving, trigger: ScaledObjectRef) -> None:
    serving.board.put(CHAT, jobs(2.5))
    (value,) = serving.scaler.GetMetrics(serving.metric(trigger)).metricValues
    assert value.metricValueFloat == 30.0


def test_no_items_are_zero_and_inactive_whatever_is_foretold(serving: Serving) -> None:
    serving.board.put(CHAT, jobs(0.0))
    (value,) = serving.scaler.GetMetrics(serving.metric(job())).metricValues
    assert (value.metricValueFloat, value.metricValue) == (0.0, 0)
    assert serving.scaler.IsActive(job()).result is False


def test_items_that_are_not_known_start_no_job_though_replicas_are_held(serving: Serving) -> None:
    serving.board.put(CHAT, needing(12.0))
    expected = (grpc.StatusCode.UNAVAILABLE, "policy ml/chat has no fresh count of items: as the test says")
    assert refusal(lambda: serving.scaler.GetMetrics(serving.metric(job()))) == expected
    assert refusal(lambda: serving.scaler.IsActive(job())) == expected


def test_a_count_that_has_grown_old_on_the_board_starts_no_job(serving: Serving) -> None:
    serving.board.put(CHAT, jobs(2.5, age=61.0))
    code, sentence = refusal(lambda: serving.scaler.IsActive(job()))
    assert code is grpc.StatusCode.UNAVAILABLE
    assert sentence.startswith("policy ml/chat counted its items 61 s ago, too long for a job to start")


def test_the_spec_of_a_scaled_job_has_a_target_of_one_and_needs_nothing(serving: Serving) -> None:
    (spec,) = serving.scaler.GetMetricSpec(job("nonsense")).metricSpecs
    assert (spec.targetSizeFloat, spec.targetSize) == (1.0, 1)


def test_a_scaled_job_is_not_pushed_to_and_told_the_type_of_trigger_that_fits(serving: Serving) -> None:
    serving.board.put(CHAT, jobs(2.5))
    code, sentence = refusal(lambda: next(serving.scaler.StreamIsActive(job(), timeout=SOON.total_seconds())))
    assert code is grpc.StatusCode.FAILED_PRECONDITION
    assert sentence.endswith("KEDA takes no push for a ScaledJob: give the trigger type `external`")


def test_another_way_to_count_is_refused_with_the_two_that_there_are(serving: Serving) -> None:
    serving.board.put(CHAT, REFUSAL)
    serving.board.put(CHAT, jobs(2.5))
    code, sentence = refusal(lambda: serving.scaler.GetMetrics(serving.metric(job("pending"))))
    assert code is grpc.StatusCode.INVALID_ARGUMENT
    assert sentence == (
        "trigger metadata of ml/render has queueCounts 'pending': write `waiting` or `waiting+running`, whichever the "
        "demand counts"
    )
