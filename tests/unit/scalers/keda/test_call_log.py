"""What a log of calls is told, over a real channel."""

from __future__ import annotations

from collections.abc import Iterator

import grpc
import pytest

from scalers.keda.call_log import EndedCall
from scalers.keda.proto.externalscaler_pb2 import ScaledObjectRef
from tests.fakes.board import CHAT, IDLE, needing
from tests.keda_server import SOON, Serving, served


class Kept:
    """A log of all calls."""

    def __init__(self) -> None:
        self.calls: list[EndedCall] = []
        self.asked: list[str] = []

    def takes_answered(self) -> bool:
        self.asked.append("answered")
        return True

    def takes_refused(self) -> bool:
        self.asked.append("refused")
        return True

    def write(self, call: EndedCall) -> None:
        self.calls.append(call)


@pytest.fixture
def kept() -> Kept:
    return Kept()


@pytest.fixture
def logged(kept: Kept) -> Iterator[Serving]:
    with served(log=kept) as serving:
        yield serving


SECRETS = {
    "passwordFromEnv": "hunter2",
    "policyFromEnv": "hunter2",
    "apiKey": "hunter2",
    "query": "hunter2",
    "tlsClientKey": "-----BEGIN PRIVATE KEY-----hunter2",
}


def test_an_answered_call_is_told_with_whose_it_is_and_how_it_went(
    logged: Serving, kept: Kept, trigger: ScaledObjectRef
) -> None:
    logged.board.put(CHAT, needing(10.7))
    logged.scaler.GetMetrics(logged.metric(trigger))
    (call,) = kept.calls
    assert (call.rpc, call.code, call.namespace, call.scaled_object, call.policy, call.reason) == (
        "GetMetrics",
        "OK",
        "ml",
        "chat",
        "chat",
        None,
    )
    assert call.peer.startswith("ipv4:127.0.0.1:")
    assert 0 < call.seconds < 1
    assert kept.asked == ["answered"]


def test_a_refused_call_is_told_with_what_keda_was_told(logged: Serving, kept: Kept, trigger: ScaledObjectRef) -> None:
    with pytest.raises(grpc.RpcError):
        logged.scaler.IsActive(trigger)
    (call,) = kept.calls
    assert (call.code, call.reason) == ("NOT_FOUND", "there is no ForecastPolicy ml/chat")
    assert kept.asked == ["refused"]


def test_a_stream_is_told_when_it_ends_and_one_that_the_client_left_is_no_refusal(
    logged: Serving, kept: Kept, trigger: ScaledObjectRef
) -> None:
    logged.board.put(CHAT, IDLE)
    left = logged.scaler.StreamIsActive(trigger)
    next(left)
    left.cancel()
    ended = logged.scaler.StreamMetricSpec(trigger)
    next(ended)
    logged.server.stop(SOON)
    assert {(call.rpc, call.code) for call in kept.calls} == {
        ("StreamIsActive", "CANCELLED"),
        ("StreamMetricSpec", "OK"),
    }
    assert kept.asked == ["answered", "answered"]


def test_bytes_that_are_no_request_have_no_names(logged: Serving, kept: Kept) -> None:
    with pytest.raises(grpc.RpcError):
        logged.channel.unary_unary("/externalscaler.ExternalScaler/IsActive")(b"\xff\xff\xff")
    (call,) = kept.calls
    assert (call.code, call.namespace, call.scaled_object, call.policy) == ("INVALID_ARGUMENT", "", "", "")


@pytest.mark.parametrize("metadata", [SECRETS, {"policy": "chat", **SECRETS}, {"polcy": "chat", **SECRETS}])
def test_no_value_of_the_metadata_but_the_policy_is_told(logged: Serving, kept: Kept, metadata: dict[str, str]) -> None:
    reference = ScaledObjectRef(name="chat", namespace="ml", scalerMetadata=metadata)
    logged.scaler.GetMetricSpec(reference)
    with pytest.raises(grpc.RpcError):
        logged.scaler.GetMetrics(logged.metric(reference))
    assert len(kept.calls) == 2
    assert "hunter2" not in repr(kept.calls)


def test_names_of_any_length_are_cut(logged: Serving, kept: Kept) -> None:
    logged.scaler.GetMetricSpec(
        ScaledObjectRef(name="n" * 5000, namespace="s" * 5000, scalerMetadata={"policy": "p" * 5000})
    )
    (call,) = kept.calls
    assert (len(call.namespace), len(call.scaled_object), len(call.policy)) == (253, 253, 253)
