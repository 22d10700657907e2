"""A real server on a loopback port over a board that the test holds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

import grpc
import pytest

from scalers.keda.proto.externalscaler_pb2 import GetMetricsRequest, ScaledObjectRef
from scalers.keda.proto.externalscaler_pb2_grpc import ExternalScalerStub
from scalers.keda.server import KedaServer, ServerSettings
from scalers.keda.streams import StreamSettings
from tests.fakes.board import HeldBoard
from tests.fakes.rpcs import RecordedRpcs

SOON = timedelta(seconds=5)
QUICK = ServerSettings(
    drain_delay=timedelta(0),
    streams=StreamSettings(
        repeat=timedelta(milliseconds=20), respec=timedelta(milliseconds=20), age=timedelta(milliseconds=250)
    ),
)
PATIENT = ServerSettings(drain_delay=timedelta(0))


@dataclass
class Serving:
    """A running server and a client of it."""

    board: HeldBoard
    rpcs: RecordedRpcs
    server: KedaServer
    channel: grpc.Channel
    scaler: ExternalScalerStub

    def metric(self, reference: ScaledObjectRef, name: str = "foretide-replicas") -> GetMetricsRequest:
        return GetMetricsRequest(scaledObjectRef=reference, metricName=name)


@contextmanager
def served(
    settings: ServerSettings = PATIENT, *, interceptors: Sequence[grpc.aio.ServerInterceptor] = ()
) -> Iterator[Serving]:
    board, rpcs = HeldBoard(), RecordedRpcs()
    server = KedaServer(board, rpcs, settings, interceptors=interceptors)
    port = server.start("127.0.0.1:0")
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        yield Serving(board, rpcs, server, channel, ExternalScalerStub(channel))
        server.stop(timedelta(0))


@pytest.fixture
def serving() -> Iterator[Serving]:
    """Streams that live for minutes, as in a cluster."""
    with served(PATIENT) as running:
        yield running


@pytest.fixture
def quick() -> Iterator[Serving]:
    """Streams that repeat every 10 to 20 ms and end after a quarter of a second."""
    with served(QUICK) as running:
        yield running


@pytest.fixture
def trigger() -> ScaledObjectRef:
    """A trigger as KEDA sends it: our key among its own."""
    return ScaledObjectRef(
        name="chat", namespace="ml", scalerMetadata={"policy": "chat", "scalerAddress": "foretide.foretide:6000"}
    )
