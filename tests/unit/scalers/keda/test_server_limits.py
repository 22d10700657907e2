"""What asks for too much, over a real channel: refused with a code and a mend, while all else is answered."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import grpc
import pytest

from scalers.keda.limits import Limit, Limits
from scalers.keda.proto.externalscaler_pb2 import GetMetricSpecResponse, ScaledObjectRef
from tests.fakes.board import CHAT, IDLE, needing
from tests.unit.scalers.keda.conftest import PATIENT, SOON, Serving, served

DEADLINE = SOON.total_seconds()
TIGHT = Limits(
    message_bytes=4096,
    header_bytes=4096,
    metadata_entries=4,
    metadata_key=20,
    metadata_value=30,
    streams_per_connection=3,
    streams_per_client=5,
    calls_per_second=1,
    calls_at_once=6,
)


@pytest.fixture
def tight() -> Iterator[Serving]:
    with served(replace(PATIENT, limits=TIGHT)) as running:
        running.board.put(CHAT, IDLE)
        yield running


def code(call: Callable[[], object]) -> grpc.StatusCode:
    with pytest.raises(grpc.RpcError) as caught:
        call()
    return caught.value.code()


def chatty(entries: int) -> ScaledObjectRef:
    metadata = {"policy": "chat", **{f"key-{number}": "x" for number in range(entries - 1)}}
    return ScaledObjectRef(name="chat", namespace="ml", scalerMetadata=metadata)


def spec(serving: Serving, reference: ScaledObjectRef) -> GetMetricSpecResponse:
    return serving.scaler.GetMetricSpec(reference, timeout=DEADLINE)


def test_a_trigger_with_too_many_metadata_has_its_spec_and_nothing_else(tight: Serving) -> None:
    assert code(lambda: tight.scaler.IsActive(chatty(5))) is grpc.StatusCode.INVALID_ARGUMENT
    assert code(lambda: tight.scaler.GetMetrics(tight.metric(chatty(5)))) is grpc.StatusCode.INVALID_ARGUMENT
    assert code(lambda: next(tight.scaler.StreamIsActive(chatty(5)))) is grpc.StatusCode.INVALID_ARGUMENT
    assert len(spec(tight, chatty(5)).metricSpecs) == 1
    assert len(next(tight.scaler.StreamMetricSpec(chatty(5))).metricSpecs) == 1
    assert tight.rpcs.exceeded == [Limit.METADATA] * 3


def test_a_namespace_beyond_its_rate_has_its_specs_and_the_others_have_all(tight: Serving) -> None:
    calls = [lambda: tight.scaler.IsActive(chatty(1), timeout=DEADLINE)] * 20
    codes = []
    for call in calls:
        try:
            call()
        except grpc.RpcError as error:
            codes.append(error.code())
    assert set(codes) == {grpc.StatusCode.RESOURCE_EXHAUSTED}
    assert 12 <= len(codes) <= 14  # six at once, and one more for each second that this took
    assert len(spec(tight, chatty(1)).metricSpecs) == 1
    other = ScaledObjectRef(name="chat", namespace="billing", scalerMetadata={"policy": "chat"})
    assert code(lambda: tight.scaler.IsActive(other)) is grpc.StatusCode.NOT_FOUND
    assert set(tight.rpcs.exceeded) == {Limit.CALLS}


def test_a_connection_holds_so_many_streams_of_both_kinds_and_its_calls_are_answered(tight: Serving) -> None:
    streams = [tight.scaler.StreamMetricSpec(chatty(1), timeout=DEADLINE) for _ in range(2)]
    streams.append(tight.scaler.StreamIsActive(chatty(1), timeout=DEADLINE))
    for stream in streams:
        next(stream)
    assert code(lambda: next(tight.scaler.StreamMetricSpec(chatty(1)))) is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert code(lambda: next(tight.scaler.StreamIsActive(chatty(1)))) is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert tight.scaler.IsActive(chatty(1), timeout=DEADLINE).result is False
    assert tight.rpcs.exceeded == [Limit.CONNECTION] * 2


def test_a_stream_that_was_left_makes_room_for_another(tight: Serving) -> None:
    for _ in range(3 * TIGHT.streams_per_connection):
        stream = tight.scaler.StreamMetricSpec(chatty(1), timeout=DEADLINE)
        next(stream)
        stream.cancel()
        while len(tight.rpcs.closed) < len(tight.rpcs.opened):
            spec(tight, chatty(1))
    assert tight.rpcs.exceeded == []


def test_a_message_that_is_too_long_is_refused_before_it_is_read(tight: Serving) -> None:
    long = ScaledObjectRef(name="x" * 5000, namespace="ml", scalerMetadata={"policy": "chat"})
    for call in (tight.scaler.IsActive, tight.scaler.GetMetricSpec):
        assert code(lambda call=call: call(long, timeout=DEADLINE)) is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert tight.rpcs.handled == []


def test_headers_that_are_too_long_are_refused(tight: Serving) -> None:
    headers = [("x-odd", "v" * 5000)]
    refused = code(lambda: tight.scaler.IsActive(chatty(1), timeout=DEADLINE, metadata=headers))
    assert refused is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert tight.rpcs.handled == []
    assert tight.scaler.IsActive(chatty(1), timeout=DEADLINE, metadata=[("x-odd", "v" * 3000)]).result is False


@pytest.mark.parametrize("rpc", ["GetMetrics", "IsActive", "StreamIsActive"])
def test_bytes_that_are_no_request_are_an_invalid_argument(serving: Serving, rpc: str) -> None:
    call = serving.channel.unary_stream(f"/externalscaler.ExternalScaler/{rpc}")
    assert code(lambda: next(call(b"\xff\xff\xff", timeout=DEADLINE))) is grpc.StatusCode.INVALID_ARGUMENT


@pytest.mark.parametrize("rpc", ["GetMetricSpec", "StreamMetricSpec"])
def test_the_spec_is_told_even_to_bytes_that_are_no_request(serving: Serving, rpc: str) -> None:
    call = serving.channel.unary_stream(
        f"/externalscaler.ExternalScaler/{rpc}", response_deserializer=GetMetricSpecResponse.FromString
    )
    assert len(next(call(b"\xff\xff\xff", timeout=DEADLINE)).metricSpecs) == 1


def test_what_a_trigger_may_have_at_most_passes_the_defaults(serving: Serving) -> None:
    serving.board.put(CHAT, needing(10.7))
    most = {f"{number}-".ljust(253, "k"): "x" * 16_384 for number in range(99)}
    reference = ScaledObjectRef(name="chat", namespace="ml", scalerMetadata={"policy": "chat", **most})
    assert serving.scaler.IsActive(reference, timeout=DEADLINE).result is True
