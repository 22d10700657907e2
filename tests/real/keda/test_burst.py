"""KEDA's leader opens everything it has at once when it starts."""

from __future__ import annotations

import asyncio

import grpc
import pytest

from scalers.keda.proto.externalscaler_pb2_grpc import ExternalScalerStub
from tests.keda_client import Trigger
from tests.real.keda.conftest import LONGEST, Server

pytestmark = pytest.mark.real


async def test_thousands_of_streams_opened_at_once_are_all_taken_and_all_hear_a_change(server: Server) -> None:
    server.publish(0.0)
    reference = Trigger("ml", "chat", {"policy": "chat"}).reference()
    async with asyncio.timeout(LONGEST), grpc.aio.insecure_channel(server.endpoint) as channel:
        streams = [ExternalScalerStub(channel).StreamIsActive(reference) for _ in range(4000)]
        assert {(await stream.read()).result for stream in streams} == {False}
        server.publish(2.0)
        assert {(await stream.read()).result for stream in streams} == {True}
