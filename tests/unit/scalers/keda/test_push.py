"""The stream rows of KEDA's contract, over a real channel."""

from __future__ import annotations

from itertools import islice

import grpc
import pytest

from scalers.keda.proto.externalscaler_pb2 import ScaledObjectRef
from scalers.policy import PolicyKey
from tests.fakes.board import CHAT, IDLE, REFUSAL, needing
from tests.unit.scalers.keda.conftest import SOON, Serving

DEADLINE = SOON.total_seconds()


def test_the_current_state_is_sent_when_a_stream_opens(serving: Serving, trigger: ScaledObjectRef) -> None:
    serving.board.put(CHAT, IDLE)
    assert next(serving.scaler.StreamIsActive(trigger, timeout=DEADLINE)).result is False


def test_each_change_of_activity_is_pushed_at_once(serving: Serving, trigger: ScaledObjectRef) -> None:
    serving.board.put(CHAT, IDLE)
    stream = serving.scaler.StreamIsActive(trigger, timeout=DEADLINE)
    heard = [next(stream).result]
    for answer in (needing(1.0), IDLE, needing(2.0)):
        serving.board.put(CHAT, answer)
        heard.append(next(stream).result)
    assert heard == [False, True, False, True]


def test_all_streams_of_a_policy_hear_a_change_and_those_of_others_do_not(
    serving: Serving, trigger: ScaledObjectRef
) -> None:
    serving.board.put(CHAT, IDLE)
    serving.board.put(PolicyKey("ml", "other"), REFUSAL)
    other = ScaledObjectRef(name="other", namespace="ml", scalerMetadata={"policy": "other"})
    silent = serving.scaler.StreamIsActive(other, timeout=DEADLINE)
    streams = [serving.scaler.StreamIsActive(trigger, timeout=DEADLINE) for _ in range(20)]
    assert [next(stream).result for stream in streams] == [False] * 20
    serving.board.put(CHAT, needing(1.0))
    assert [next(stream).result for stream in streams] == [True] * 20
    serving.server.stop(SOON)
    assert list(silent) == []


def test_more_replicas_for_an_active_target_push_nothing(quick: Serving, trigger: ScaledObjectRef) -> None:
    quick.board.put(CHAT, needing(1.0, at_zero=False))
    stream = quick.scaler.StreamIsActive(trigger, timeout=DEADLINE)
    heard = [next(stream).result]
    quick.board.put(CHAT, needing(7.0, at_zero=False))
    assert heard + [message.result for message in stream] == [True]


@pytest.mark.parametrize("at_zero", [False, None])
def test_true_is_not_repeated_where_the_target_is_not_known_to_be_at_zero(
    quick: Serving, trigger: ScaledObjectRef, at_zero: bool | None
) -> None:
    quick.board.put(CHAT, needing(1.0, at_zero=at_zero))
    assert [message.result for message in quick.scaler.StreamIsActive(trigger, timeout=DEADLINE)] == [True]


def test_true_is_repeated_slowly_while_the_target_is_at_zero(quick: Serving, trigger: ScaledObjectRef) -> None:
    quick.board.put(CHAT, needing(1.0, at_zero=True))
    heard = [message.result for message in quick.scaler.StreamIsActive(trigger, timeout=DEADLINE)]
    assert heard == [True] * len(heard)
    assert 2 <= len(heard) <= 26  # within 250 ms, 10 to 20 ms apart


def test_false_is_never_repeated(quick: Serving, trigger: ScaledObjectRef) -> None:
    quick.board.put(CHAT, type(IDLE)(replicas=0.0, is_active=False, reason="no demand", at_zero=True))
    assert [message.result for message in quick.scaler.StreamIsActive(trigger, timeout=DEADLINE)] == [False]


def test_a_refusal_is_silence(serving: Serving, trigger: ScaledObjectRef) -> None:
    serving.board.put(CHAT, needing(1.0, at_zero=True))
    stream = serving.scaler.StreamIsActive(trigger, timeout=DEADLINE)
    heard = [next(stream).result]
    serving.board.put(CHAT, REFUSAL)
    serving.board.put(CHAT, IDLE)
    heard.append(next(stream).result)
    assert heard == [True, False]


def test_a_stream_of_a_policy_without_an_answer_is_open_and_silent_until_there_is_one(
    serving: Serving, trigger: ScaledObjectRef
) -> None:
    serving.board.put(CHAT, REFUSAL)
    stream = serving.scaler.StreamIsActive(trigger, timeout=DEADLINE)
    serving.scaler.GetMetricSpec(trigger)
    serving.board.put(CHAT, needing(1.0))
    assert next(stream).result is True


def test_a_stream_of_a_policy_that_nobody_knows_is_not_found(serving: Serving, trigger: ScaledObjectRef) -> None:
    with pytest.raises(grpc.RpcError) as caught:
        next(serving.scaler.StreamIsActive(trigger, timeout=DEADLINE))
    assert caught.value.code() is grpc.StatusCode.NOT_FOUND
    assert serving.board.subscriptions == 0


def test_a_stream_of_a_trigger_without_a_policy_is_refused(serving: Serving) -> None:
    with pytest.raises(grpc.RpcError) as caught:
        next(serving.scaler.StreamIsActive(ScaledObjectRef(name="chat", namespace="ml"), timeout=DEADLINE))
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT


def test_the_spec_is_streamed_at_once_and_again_from_time_to_time(quick: Serving) -> None:
    stream = quick.scaler.StreamMetricSpec(ScaledObjectRef(), timeout=DEADLINE)
    names = [[spec.metricName for spec in message.metricSpecs] for message in islice(stream, 3)]
    assert names == [["foretide-replicas"]] * 3


@pytest.mark.parametrize("rpc", ["StreamIsActive", "StreamMetricSpec"])
def test_streams_end_with_ok_at_a_good_age(quick: Serving, trigger: ScaledObjectRef, rpc: str) -> None:
    quick.board.put(CHAT, IDLE)
    stream = getattr(quick.scaler, rpc)(trigger, timeout=DEADLINE)
    for _ in stream:
        pass
    assert stream.code() is grpc.StatusCode.OK


@pytest.mark.parametrize("rpc", ["StreamIsActive", "StreamMetricSpec"])
def test_streams_end_with_ok_when_the_server_stops(serving: Serving, trigger: ScaledObjectRef, rpc: str) -> None:
    serving.board.put(CHAT, IDLE)
    stream = getattr(serving.scaler, rpc)(trigger, timeout=DEADLINE)
    next(stream)
    serving.server.stop(SOON)
    assert list(stream) == []
    assert stream.code() is grpc.StatusCode.OK


def test_a_client_that_does_not_read_keeps_nobody_else_waiting(serving: Serving, trigger: ScaledObjectRef) -> None:
    serving.board.put(CHAT, IDLE)
    unread = [serving.scaler.StreamIsActive(trigger, timeout=DEADLINE) for _ in range(10)]
    stream = serving.scaler.StreamIsActive(trigger, timeout=DEADLINE)
    next(stream)
    for _ in range(50):
        serving.board.put(CHAT, needing(1.0))
        assert next(stream).result is True
        serving.board.put(CHAT, IDLE)
        assert next(stream).result is False
    assert all(call.cancel() for call in unread)
