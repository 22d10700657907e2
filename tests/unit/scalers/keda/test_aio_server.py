"""What grpcio's own server does not outlive, or says nothing of."""

from __future__ import annotations

import asyncio

import grpc
import pytest

from scalers.keda.aio_server import AioServer
from scalers.keda.proto.externalscaler_pb2 import ScaledObjectRef
from tests.fakes.board import CHAT, needing
from tests.unit.scalers.keda.conftest import SOON, Serving


@pytest.mark.parametrize(
    "method", [b"/\xff\xfe/x", b"/externalscaler.ExternalScaler/\xc3\x28", b"/made/up", b"nothing"]
)
def test_a_method_that_nobody_knows_is_unimplemented_and_costs_the_others_nothing(
    serving: Serving, trigger: ScaledObjectRef, method: bytes
) -> None:
    serving.board.put(CHAT, needing(1.0))
    for _ in range(3):
        with pytest.raises(grpc.RpcError) as caught:
            serving.channel.unary_unary(method)(b"", timeout=SOON.total_seconds())
        assert caught.value.code() is grpc.StatusCode.UNIMPLEMENTED
    assert serving.scaler.IsActive(trigger, timeout=SOON.total_seconds()).result is True
    assert not serving.server.ended.done()


def test_a_server_that_was_asked_for_unknown_methods_stops_as_any_other(serving: Serving) -> None:
    with pytest.raises(grpc.RpcError):
        serving.channel.unary_unary("/made/up")(b"")
    serving.server.stop(SOON)
    assert serving.server.ended.result(timeout=0) is None


async def test_what_ends_the_loop_that_takes_calls_up_is_told() -> None:
    async def breaks() -> None:
        raise ValueError("nobody foresaw it")

    server = AioServer(interceptors=(), options=())
    serving = asyncio.ensure_future(breaks())
    await asyncio.wait([serving])
    server._server._serving_task_crash_handler(serving)
    with pytest.raises(ValueError, match="nobody foresaw it"):
        await asyncio.wait_for(server.failed(), 1)
