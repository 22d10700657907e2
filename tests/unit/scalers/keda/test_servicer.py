"""The unary rows of KEDA's contract, over a real channel."""

from __future__ import annotations

import time
from collections.abc import Callable

import grpc
import pytest

from scalers.keda.board import Answer
from scalers.keda.proto.externalscaler_pb2 import ScaledObjectRef
from scalers.policy import PolicyKey
from tests.fakes.board import CHAT, IDLE, REFUSAL, needing
from tests.unit.scalers.keda.conftest import Serving


def failure(call: Callable[[], object]) -> tuple[grpc.StatusCode, str]:
    with pytest.raises(grpc.RpcError) as caught:
        call()
    return caught.value.code(), caught.value.details()


@pytest.mark.parametrize(
    "reference",
    [
        ScaledObjectRef(),
        ScaledObjectRef(name="chat", namespace="ml", scalerMetadata={"policy": "nobody-knows"}),
        ScaledObjectRef(name="chat", namespace="ml", scalerMetadata={"query": "up", "risk": "1%"}),
    ],
)
def test_get_metric_spec_answers_from_nothing_at_all(serving: Serving, reference: ScaledObjectRef) -> None:
    (spec,) = serving.scaler.GetMetricSpec(reference).metricSpecs
    assert (spec.metricName, spec.targetSize, spec.targetSizeFloat) == ("foretide-replicas", 1, 1.0)


def test_a_call_that_comes_before_the_policys_first_answer_gets_it(serving: Serving, trigger: ScaledObjectRef) -> None:
    serving.board.put(CHAT, Answer(replicas=None, is_active=False, reason="no decision yet", is_awaited=True))
    calls = serving.scaler.GetMetrics.future(serving.metric(trigger)), serving.scaler.IsActive.future(trigger)
    deadline = time.monotonic() + 5
    while serving.board.subscriptions < len(calls) and time.monotonic() < deadline:
        time.sleep(0.001)
    serving.board.put(CHAT, needing(3.0))
    value, activity = (call.result(timeout=5) for call in calls)
    assert (value.metricValues[0].metricValueFloat, activity.result) == (3.0, True)


def test_get_metrics_gives_one_value_for_the_requested_name(serving: Serving, trigger: ScaledObjectRef) -> None:
    serving.board.put(CHAT, needing(10.7))
    (value,) = serving.scaler.GetMetrics(serving.metric(trigger)).metricValues
    assert (value.metricName, value.metricValueFloat, value.metricValue) == ("foretide-replicas", 10.7, 11)


def test_observed_idleness_is_zero_and_inactive(serving: Serving, trigger: ScaledObjectRef) -> None:
    serving.board.put(CHAT, IDLE)
    (value,) = serving.scaler.GetMetrics(serving.metric(trigger)).metricValues
    assert (value.metricValueFloat, value.metricValue) == (0.0, 0)
    assert serving.scaler.IsActive(trigger).result is False


def test_a_refusal_is_an_error_in_both_calls_and_never_a_zero(serving: Serving, trigger: ScaledObjectRef) -> None:
    serving.board.put(CHAT, REFUSAL)
    expected = (grpc.StatusCode.UNAVAILABLE, "policy ml/chat has no answer: no samples since 12:04")
    assert failure(lambda: serving.scaler.GetMetrics(serving.metric(trigger))) == expected
    assert failure(lambda: serving.scaler.IsActive(trigger)) == expected


def test_an_unknown_policy_is_not_found_in_both_calls(serving: Serving, trigger: ScaledObjectRef) -> None:
    expected = (grpc.StatusCode.NOT_FOUND, "there is no ForecastPolicy ml/chat")
    assert failure(lambda: serving.scaler.GetMetrics(serving.metric(trigger))) == expected
    assert failure(lambda: serving.scaler.IsActive(trigger)) == expected


def test_a_policy_in_the_trigger_that_nobody_has_made_is_told_where_it_would_be(serving: Serving) -> None:
    inline = {"query": "sum(rate(requests[1m]))", "capacityPerReplica": "12"}
    code, told = failure(
        lambda: serving.scaler.IsActive(ScaledObjectRef(name="chat", namespace="ml", scalerMetadata=inline))
    )
    assert code is grpc.StatusCode.NOT_FOUND
    assert "an agent on files (--policies) never does" in told


def test_a_policy_of_that_name_in_another_namespace_is_not_answered(serving: Serving, trigger: ScaledObjectRef) -> None:
    serving.board.put(PolicyKey("billing", "chat"), needing(3.0))
    assert failure(lambda: serving.scaler.IsActive(trigger))[0] is grpc.StatusCode.NOT_FOUND


def test_a_trigger_without_a_policy_is_an_invalid_argument(serving: Serving) -> None:
    reference = ScaledObjectRef(name="chat", namespace="ml")
    assert failure(lambda: serving.scaler.GetMetrics(serving.metric(reference)))[0] is grpc.StatusCode.INVALID_ARGUMENT
    assert failure(lambda: serving.scaler.IsActive(reference))[0] is grpc.StatusCode.INVALID_ARGUMENT


def test_a_metric_that_was_never_offered_is_an_invalid_argument(serving: Serving, trigger: ScaledObjectRef) -> None:
    serving.board.put(CHAT, needing(10.7))
    code, sentence = failure(lambda: serving.scaler.GetMetrics(serving.metric(trigger, "s0-foretide-replicas")))
    assert code is grpc.StatusCode.INVALID_ARGUMENT
    assert "without the prefix s<i>- that KEDA shows" in sentence


def test_reasons_reach_keda_with_their_typography(serving: Serving, trigger: ScaledObjectRef) -> None:
    serving.board.put(CHAT, type(REFUSAL)(replicas=None, is_active=False, reason="risk 1 % × 12 − no “samples”"))
    assert failure(lambda: serving.scaler.IsActive(trigger))[1].endswith("risk 1 % × 12 − no “samples”")
