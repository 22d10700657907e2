"""Requests that are made up: each gets an answer or one of the refusals that there are, and the server goes on."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import grpc
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scalers.keda.proto.externalscaler_pb2 import GetMetricsRequest, ScaledObjectRef
from scalers.keda.proto.externalscaler_pb2_grpc import ExternalScalerStub
from tests import http2
from tests.real.keda.conftest import LONGEST, Server
from tests.real.keda.test_trouble import REFERENCE, SERVICE, assert_answers, connected, surprises

pytestmark = pytest.mark.real

OK, INVALID, NOT_FOUND, PRECONDITION = (
    grpc.StatusCode.OK,
    grpc.StatusCode.INVALID_ARGUMENT,
    grpc.StatusCode.NOT_FOUND,
    grpc.StatusCode.FAILED_PRECONDITION,
)
UNAVAILABLE = grpc.StatusCode.UNAVAILABLE
RPCS = ("GetMetricSpec", "GetMetrics", "IsActive", "StreamIsActive", "StreamMetricSpec")
MANY = settings(
    max_examples=300,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)

keys = st.sampled_from(["policy", "queueCounts", "query", "risk", "scalerAddress", "policyFromEnv"]) | st.text(
    max_size=300
)
values = st.sampled_from(["chat", "chatt", "ml/chat", "waiting", "waiting+running", ""]) | st.text(max_size=500)
references = st.builds(
    lambda name, namespace, metadata: ScaledObjectRef(name=name, namespace=namespace, scalerMetadata=metadata),
    st.text(max_size=300),
    st.sampled_from(["ml", "", "billing"]) | st.text(max_size=100),
    st.dictionaries(keys, values, max_size=120) | st.fixed_dictionaries({"policy": st.just("chat")}),
)
names = st.sampled_from(["foretide-replicas", "Foretide-Replicas", "s0-foretide-replicas"]) | st.text(max_size=100)
frames = st.builds(
    http2.frame, st.integers(0, 12), st.integers(0, 255), st.integers(0, 2**32 - 1), st.binary(max_size=200)
)


@pytest.fixture
def fuzzed(server: Server) -> Iterator[Server]:
    """A server that answers after the trouble as before, and has not complained of a thing."""
    server.publish(10.7, jobs=2.0)
    yield server
    assert_answers(server)
    assert surprises(server) == []
    assert {code for _, code in server.rpcs().handled} <= {
        "OK", "INVALID_ARGUMENT", "NOT_FOUND", "FAILED_PRECONDITION", "UNAVAILABLE", "RESOURCE_EXHAUSTED"
    }  # fmt: skip


@pytest.fixture
def channel(fuzzed: Server) -> Iterator[grpc.Channel]:
    with grpc.insecure_channel(fuzzed.endpoint) as opened:
        yield opened


def code(call: grpc.Future) -> grpc.StatusCode:
    return call.code()


def first_code(stream: grpc.Call) -> grpc.StatusCode:
    """Return OK for a stream that says something, else how it ended."""
    try:
        next(iter(stream))
    except grpc.RpcError as error:
        return error.code()
    stream.cancel()
    return OK


@MANY
@given(reference=references, name=names)
def test_any_trigger_has_its_spec_and_an_answer_or_a_reason(
    channel: grpc.Channel, reference: ScaledObjectRef, name: str
) -> None:
    scaler = ExternalScalerStub(channel)
    assert len(scaler.GetMetricSpec(reference, timeout=LONGEST).metricSpecs) == 1
    assert first_code(scaler.StreamMetricSpec(reference, timeout=LONGEST)) is OK
    request = GetMetricsRequest(scaledObjectRef=reference, metricName=name)
    told = {code(scaler.GetMetrics.future(request, timeout=LONGEST)), code(scaler.IsActive.future(reference))}
    assert told <= {OK, INVALID, NOT_FOUND, PRECONDITION}
    assert first_code(scaler.StreamIsActive(reference, timeout=LONGEST)) in {OK, INVALID, NOT_FOUND, PRECONDITION}


@MANY
@given(raw=st.binary(max_size=600), rpc=st.sampled_from(RPCS))
def test_any_bytes_as_a_message_have_an_answer_or_a_reason(channel: grpc.Channel, raw: bytes, rpc: str) -> None:
    told = first_code(channel.unary_stream(f"/externalscaler.ExternalScaler/{rpc}")(raw, timeout=LONGEST))
    assert told in ({OK} if rpc.endswith("MetricSpec") else {OK, INVALID, NOT_FOUND, PRECONDITION})


@MANY
@given(
    position=st.integers(0, len(REFERENCE) - 1),
    letters=st.binary(min_size=1, max_size=4),
    rpc=st.sampled_from(["IsActive", "GetMetrics"]),
)
def test_a_request_that_was_damaged_on_its_way_has_an_answer_or_a_reason(
    channel: grpc.Channel, position: int, letters: bytes, rpc: str
) -> None:
    damaged = REFERENCE[:position] + letters + REFERENCE[position + len(letters) :]
    told = first_code(channel.unary_stream(f"/externalscaler.ExternalScaler/{rpc}")(damaged, timeout=LONGEST))
    assert told in {OK, INVALID, NOT_FOUND, PRECONDITION}


@MANY
@given(method=st.binary(max_size=60).filter(lambda name: b"\0" not in name))
def test_any_method_that_is_none_of_kedas_is_unimplemented(channel: grpc.Channel, method: bytes) -> None:
    told = first_code(channel.unary_stream(b"/" + method)(b"", timeout=LONGEST))
    assert told is grpc.StatusCode.UNIMPLEMENTED


def send(server: Server, raw: bytes) -> None:
    """Say something on a connection of one's own, look at what comes back at once, and leave."""
    with connected(server) as connection:
        try:
            connection.sendall(raw)
            connection.shutdown(socket.SHUT_WR)
            connection.settimeout(0.02)
            connection.recv(65536)
        except OSError:  # it has hung up, or has nothing to say
            return


@MANY
@given(raw=st.binary(max_size=2000))
def test_garbage_on_the_socket_disturbs_nobody(fuzzed: Server, raw: bytes) -> None:
    send(fuzzed, raw)


@MANY
@given(said=st.lists(frames, max_size=12))
def test_garbage_in_the_form_of_frames_disturbs_nobody(fuzzed: Server, said: list[bytes]) -> None:
    send(fuzzed, http2.opening() + b"".join(said))


@MANY
@given(
    path=st.binary(max_size=80) | st.sampled_from([SERVICE + name.encode() for name in RPCS]),
    name=st.binary(min_size=1, max_size=30),
    value=st.binary(max_size=200),
    message=st.binary(max_size=60) | st.just(REFERENCE),
)
def test_any_path_and_any_header_disturb_nobody(
    fuzzed: Server, path: bytes, name: bytes, value: bytes, message: bytes
) -> None:
    send(fuzzed, http2.opening() + http2.request(path, message, extra=[(name, value)]))
