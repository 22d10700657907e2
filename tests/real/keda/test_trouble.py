"""What hostile, broken or careless clients do to the server: nothing that the others would notice."""

from __future__ import annotations

import os
import re
import signal
import socket
import struct
import time
from collections.abc import Iterator
from contextlib import ExitStack

import grpc
import pytest

from scalers.keda.proto.externalscaler_pb2_grpc import ExternalScalerStub
from tests import http2
from tests.keda_client import KedaClient, Trigger
from tests.real.keda.conftest import LONGEST, Process, Serve, Server

pytestmark = pytest.mark.real

SERVICE = b"/externalscaler.ExternalScaler/"
TRIGGER = Trigger("ml", "chat", {"policy": "chat"})
REFERENCE = TRIGGER.reference().SerializeToString()
CONNECTIONS = 10_000
AT_ONCE = 2_500
OF_GRPC = r"E\d{4} [\d:.]+ +\d+ hpack_parser\.cc:\d+\] Error parsing '[a-z:-]+' metadata: [a-z ]+"
SPARE_MIB = 40.0  # of a process of 60: what a heap keeps, and a few caches


@pytest.fixture
def answered(server: Server) -> Iterator[Server]:
    """A server that answers before the trouble, and must as well after it, without a word of complaint."""
    server.publish(10.7)
    assert_answers(server)
    yield server
    assert_answers(server)
    assert surprises(server) == []


def surprises(server: Server) -> list[str]:
    """Return what the server wrote to standard error, without gRPC core's lines on headers that it could not read."""
    return [line for line in server.complaints().splitlines() if not re.fullmatch(OF_GRPC, line)]


def assert_answers(server: Server) -> None:
    """A new client is answered as ever, and nobody waits for seconds."""
    with KedaClient([server.endpoint], TRIGGER) as keda:
        for _ in range(30):
            began = time.monotonic()
            polled = keda.poll()
            assert (polled.metrics, polled.is_active) == ({"s0-foretide-replicas": 10.7}, True)
            assert time.monotonic() - began < 10


def connected(server: Server) -> socket.socket:
    return socket.create_connection(("127.0.0.1", int(str(server.port))), timeout=LONGEST)


def reset_on_close(connection: socket.socket) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def half_said(number: int) -> bytes:
    """Return one of the things that a client may have said before it goes."""
    match number % 5:
        case 0:
            return b""
        case 1:
            return http2.opening()
        case 2:
            return http2.opening() + http2.request(SERVICE + b"StreamIsActive", REFERENCE)
        case 3:
            return http2.opening() + http2.request(SERVICE + b"GetMetrics", REFERENCE)[:-3]
        case _:
            return os.urandom(200)


def test_ten_thousand_connections_opened_and_dropped_leave_no_file_and_no_memory_behind(answered: Server) -> None:
    held = []
    for begin in range(0, CONNECTIONS, AT_ONCE):
        with ExitStack() as connections:
            for number in range(begin, begin + AT_ONCE):
                connection = connections.enter_context(connected(answered))
                if number % 2:
                    reset_on_close(connection)
                connection.sendall(half_said(number))
            assert_answers(answered)
        answered.until(lambda rpcs: rpcs.open_streams == 0, "the streams of those who left are closed")
        deadline = time.monotonic() + LONGEST
        while (memory := answered.memory()).files > 100 and time.monotonic() < deadline:
            time.sleep(0.1)
        held.append(memory)
    assert max(memory.files for memory in held) <= 100
    assert held[-1].mib - held[0].mib < SPARE_MIB  # what the first round needed, the others use again


def test_calls_and_streams_that_are_given_up_leave_nothing_behind(answered: Server) -> None:
    held = []
    for _ in range(3):
        with grpc.insecure_channel(answered.endpoint) as channel:
            scaler = ExternalScalerStub(channel)
            for _ in range(1500):
                scaler.StreamIsActive(TRIGGER.reference()).cancel()
                scaler.IsActive.future(TRIGGER.reference()).cancel()
        answered.until(lambda rpcs: rpcs.open_streams == 0, "what was given up is over")
        held.append(answered.memory())
    assert held[-1].mib - held[0].mib < SPARE_MIB
    assert held[-1].files <= held[0].files + 5


def test_a_client_that_never_reads_keeps_nobody_waiting_and_takes_no_memory(answered: Server) -> None:
    streams, changes = 400, 300
    answered.publish(0.0)
    with connected(answered) as deaf, grpc.insecure_channel(answered.endpoint) as channel:
        deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        calls = [http2.request(SERVICE + b"StreamIsActive", REFERENCE, stream=2 * n + 1) for n in range(streams)]
        deaf.sendall(http2.opening() + b"".join(calls))
        answered.until(lambda rpcs: rpcs.opened.count("StreamIsActive") == streams, "its streams are open")
        listening = ExternalScalerStub(channel).StreamIsActive(TRIGGER.reference(), timeout=6 * LONGEST)
        assert next(listening).result is False
        before = answered.memory()
        for number in range(changes):  # far more words than its windows and the kernel's buffers take
            answered.publish(10.7 if number % 2 == 0 else 0.0)
            assert next(listening).result is (number % 2 == 0)
        assert answered.memory().mib - before.mib < SPARE_MIB
        answered.publish(10.7)
        assert_answers(answered)
        reset_on_close(deaf)
    answered.until(lambda rpcs: rpcs.open_streams == 0, "its streams are closed once it has gone")


def test_a_client_that_is_stopped_keeps_nobody_waiting_and_hears_the_newest_when_it_goes_on(answered: Server) -> None:
    options = ["--endpoint", answered.endpoint, "--namespace", "ml", "--name", "chat", "--metadata", "policy=chat"]
    with Process("tests.keda_client", *options, "--polls", "0", "--interval", "60", "--push") as stopped:
        assert stopped.hear(event="pushed")["active"] is True
        stopped.popen.send_signal(signal.SIGSTOP)
        with grpc.insecure_channel(answered.endpoint) as channel:
            listening = ExternalScalerStub(channel).StreamIsActive(TRIGGER.reference(), timeout=LONGEST)
            heard = [next(listening).result]
            for replicas in (0.0, 2.0, 0.0):
                answered.publish(replicas)
                heard.append(next(listening).result)
        assert heard == [True, False, True, False]
        stopped.popen.send_signal(signal.SIGCONT)
        assert stopped.hear(event="pushed", active=False)["active"] is False
    answered.publish(10.7)


def test_a_client_that_trickles_its_request_keeps_nobody_waiting(answered: Server) -> None:
    said = http2.opening() + http2.request(SERVICE + b"GetMetricSpec", REFERENCE)
    with ExitStack() as connections:
        slow = [connections.enter_context(connected(answered)) for _ in range(200)]
        for place, letter in enumerate(said):
            for connection in slow:
                connection.sendall(bytes([letter]))
            if place % 50 == 0:
                assert_answers(answered)
        answered.until(lambda rpcs: rpcs.count("GetMetricSpec") >= 200, "the slow ones are answered in the end")


def test_calls_that_never_send_their_message_are_held_apart_from_the_others(answered: Server) -> None:
    with connected(answered) as silent:
        begun = [http2.request(SERVICE + b"IsActive", REFERENCE, stream=2 * n + 1) for n in range(2000)]
        message = len(http2.frame(http2.DATA, 0, 1, b"\0" * 5 + REFERENCE))
        silent.sendall(http2.opening() + b"".join(call[:-message] for call in begun))
        assert_answers(answered)
        reset_on_close(silent)
    assert answered.memory().files <= 100


def test_what_a_client_gives_as_its_reason_to_leave_is_no_line_of_the_log(answered: Server) -> None:
    reason = b'\n{"event": "forged"}\n'
    goodbye = http2.frame(http2.GOAWAY, 0, 0, (0).to_bytes(4, "big") + (11).to_bytes(4, "big") + reason)
    for _ in range(20):
        with connected(answered) as leaving:
            leaving.sendall(http2.opening() + goodbye)
            leaving.shutdown(socket.SHUT_WR)
            while leaving.recv(65536):
                pass
    assert "forged" not in answered.complaints()


@pytest.mark.parametrize("size", [17_000, 100_000, 1_000_000])
def test_headers_beyond_the_limit_are_refused_call_by_call(answered: Server, size: int) -> None:
    with grpc.insecure_channel(answered.endpoint, options=[("grpc.max_metadata_size", 10_000_000)]) as channel:
        scaler = ExternalScalerStub(channel)
        for _ in range(10):
            with pytest.raises(grpc.RpcError) as caught:
                scaler.IsActive(TRIGGER.reference(), metadata=[("x-odd", "v" * size)], timeout=LONGEST)
            assert caught.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED


def test_messages_beyond_the_limit_are_refused_call_by_call(answered: Server) -> None:
    huge = Trigger("ml", "x" * 3_000_000, {"policy": "chat"}).reference()
    before = answered.memory()
    with grpc.insecure_channel(answered.endpoint) as channel:
        for _ in range(20):
            with pytest.raises(grpc.RpcError) as caught:
                ExternalScalerStub(channel).IsActive(huge, timeout=LONGEST)
            assert caught.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert answered.memory().mib - before.mib < SPARE_MIB


def test_a_namespace_that_asks_without_end_is_refused_and_the_others_are_not(serve: Serve) -> None:
    server = serve("--calls-per-second", "50", "--calls-at-once", "200")
    server.publish(10.7)
    greedy = Trigger("greedy", "chat", {"policy": "chat"}).reference()
    with grpc.insecure_channel(server.endpoint) as channel:
        scaler = ExternalScalerStub(channel)
        calls = [scaler.IsActive.future(greedy, timeout=LONGEST) for _ in range(3000)]
        codes = {call.code() for call in calls}
        assert codes == {grpc.StatusCode.NOT_FOUND, grpc.StatusCode.RESOURCE_EXHAUSTED}
        assert len(scaler.GetMetricSpec(greedy).metricSpecs) == 1
        assert_answers(server)
