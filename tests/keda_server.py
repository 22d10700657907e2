"""A real server on a loopback port over a board that the test holds, and a client of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

import grpc

from scalers.keda.call_log import CallLog
from scalers.keda.proto.externalscaler_pb2 import GetMetricsRequest, ScaledObjectRef
from scalers.keda.proto.externalscaler_pb2_grpc import ExternalScalerStub
from scalers.keda.server import KedaServer, ServerSettings
from tests.fakes.board import HeldBoard
from tests.fakes.rpcs import RecordedRpcs

SOON = timedelta(seconds=5)
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
    settings: ServerSettings = PATIENT,
    *,
    interceptors: Sequence[grpc.aio.ServerInterceptor] = (),
    log: CallLog | None = None,
) -> Iterator[Serving]:
    board, rpcs = HeldBoard(), RecordedRpcs()
    server = KedaServer(board, rpcs, settings, interceptors=interceptors, log=log)
    port = server.start("127.0.0.1:0")
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        yield Serving(board, rpcs, server, channel, ExternalScalerStub(channel))
        server.stop(timedelta(0))
