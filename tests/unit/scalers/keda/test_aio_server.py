"""What grpcio's own server does not outlive, or says nothing of."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

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


class _Check:
    """A method of one request and one reply, on a server of its own."""

    def __init__(self, answer: Callable[[bytes, object], Awaitable[bytes]]) -> None:
        self._answer = answer

    async def __aenter__(self) -> grpc.aio.UnaryUnaryMultiCallable[bytes, bytes]:
        self.server = AioServer(interceptors=(), options=())
        handlers = {"Check": grpc.unary_unary_rpc_method_handler(self._answer, bytes, bytes)}
        self.server.add_registered_method_handlers("a.Service", handlers)
        port = self.server.add_insecure_port("127.0.0.1:0")
        await self.server.start()
        self._channel = grpc.aio.insecure_channel(f"127.0.0.1:{port}")
        return self._channel.unary_unary("/a.Service/Check")

    async def __aexit__(self, *_: object) -> None:
        await self._channel.close()
        await self.server.stop(0)


async def test_a_method_that_breaks_costs_its_own_call_alone(caplog: pytest.LogCaptureFixture) -> None:
    async def breaks_once(request: bytes, context: object) -> bytes:
        if request == b"break":
            raise ValueError("nobody foresaw it")
        return request

    async with _Check(breaks_once) as check:
        with pytest.raises(grpc.aio.AioRpcError, match="unexpected ValueError: nobody foresaw it") as caught:
            await check(b"break", timeout=SOON.total_seconds())
        assert caught.value.code() is grpc.StatusCode.UNKNOWN
        assert await check(b"on", timeout=SOON.total_seconds()) == b"on"
    assert [record.message for record in caplog.records] == ["/a.Service/Check failed"]


async def test_a_client_that_leaves_before_its_reply_is_no_error(caplog: pytest.LogCaptureFixture) -> None:
    has_begun, may_end, ended = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def waits(request: bytes, context: object) -> bytes:
        has_begun.set()
        await may_end.wait()
        ended.set()
        return request

    async with _Check(waits) as check:
        call = check(b"")
        await asyncio.wait_for(has_begun.wait(), SOON.total_seconds())
        call.cancel()
        may_end.set()
        await asyncio.wait_for(ended.wait(), SOON.total_seconds())
        has_begun.clear()
        assert await check(b"the next", timeout=SOON.total_seconds()) == b"the next"
    assert not caplog.records


async def test_a_call_that_runs_when_the_server_stops_is_answered() -> None:
    has_begun, may_end = asyncio.Event(), asyncio.Event()

    async def waits(request: bytes, context: object) -> bytes:
        has_begun.set()
        await may_end.wait()
        return request

    check = _Check(waits)
    async with check as ask:
        call = ask(b"early", timeout=SOON.total_seconds())
        await asyncio.wait_for(has_begun.wait(), SOON.total_seconds())
        stopping = asyncio.ensure_future(check.server.stop(SOON.total_seconds()))
        await asyncio.sleep(0.05)
        assert not stopping.done()
        may_end.set()
        assert await call == b"early"
        await stopping


async def test_what_ends_the_loop_that_takes_calls_up_is_told() -> None:
    async def breaks() -> None:
        raise ValueError("nobody foresaw it")

    server = AioServer(interceptors=(), options=())
    serving = asyncio.ensure_future(breaks())
    await asyncio.wait([serving])
    server._server._serving_task_crash_handler(serving)
    with pytest.raises(ValueError, match="nobody foresaw it"):
        await asyncio.wait_for(server.failed(), 1)
