"""One interceptor at the edge: ends refused RPCs with their status, and tells an observer how each RPC went."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from typing import Protocol, TypeAlias, TypeVar, cast

import grpc
from google.protobuf.message import Message

from scalers.keda.refusal import RpcRefused

Request = TypeVar("Request")
Reply = TypeVar("Reply")

Context: TypeAlias = "grpc.aio.ServicerContext[Message, Message]"
Handler: TypeAlias = "grpc.RpcMethodHandler[Message, Message]"
Unary = Callable[[Message, Context], Awaitable[Message]]
Stream = Callable[[Message, Context], AsyncGenerator[Message, None]]


class RpcObserver(Protocol):
    """Hears of the external scaler's RPCs, in the server's thread: it must not block."""

    def rpc_handled(self, rpc: str, code: str, seconds: float) -> None:
        """Take note of a unary RPC that ended; `code` is the name of its gRPC status, such as "UNAVAILABLE"."""
        ...

    def stream_opened(self, rpc: str) -> None:
        """Take note of a stream that began."""
        ...

    def stream_closed(self, rpc: str, code: str) -> None:
        """Take note of a stream that ended, with "CANCELLED" where the client left."""
        ...


class ObservingInterceptor(grpc.aio.ServerInterceptor):
    """Wraps the methods of one service; those of others, health and reflection, pass as they are."""

    def __init__(self, observer: RpcObserver, service: str) -> None:
        self._observer = observer
        self._prefix = f"/{service}/"
        self._wrapped: dict[str, Handler] = {}  # by method; a service's handlers never change

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[grpc.RpcMethodHandler[Request, Reply] | None]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> grpc.RpcMethodHandler[Request, Reply] | None:
        """Return the handler of an RPC, observed if it is one of the service's."""
        handler = await continuation(handler_call_details)
        method = handler_call_details.method
        if handler is None or not method.startswith(self._prefix):
            return handler
        if method not in self._wrapped:
            self._wrapped[method] = self._observed(method.removeprefix(self._prefix), cast("Handler", handler))
        return cast("grpc.RpcMethodHandler[Request, Reply]", self._wrapped[method])

    def _observed(self, rpc: str, handler: Handler) -> Handler:
        codec = (handler.request_deserializer, handler.response_serializer)
        if handler.response_streaming:
            stream = cast("Stream", handler.unary_stream)
            return grpc.unary_stream_rpc_method_handler(self._observed_stream(rpc, stream), *codec)
        unary = cast("Unary", handler.unary_unary)
        return grpc.unary_unary_rpc_method_handler(self._observed_unary(rpc, unary), *codec)

    def _observed_unary(self, rpc: str, answer: Unary) -> Unary:
        async def observed(request: Message, context: Context) -> Message:
            began = time.perf_counter()
            try:
                reply = await answer(request, context)
            except BaseException as error:
                self._observer.rpc_handled(rpc, _code(error), time.perf_counter() - began)
                await _abort_if_refused(error, context)
                raise
            self._observer.rpc_handled(rpc, grpc.StatusCode.OK.name, time.perf_counter() - began)
            return reply

        return observed

    def _observed_stream(self, rpc: str, answer: Stream) -> Callable[[Message, Context], Awaitable[None]]:
        async def observed(request: Message, context: Context) -> None:
            self._observer.stream_opened(rpc)
            try:
                async with aclosing(answer(request, context)) as replies:
                    async for reply in replies:
                        await context.write(reply)
            except BaseException as error:
                self._observer.stream_closed(rpc, _code(error))
                await _abort_if_refused(error, context)
                raise
            self._observer.stream_closed(rpc, grpc.StatusCode.OK.name)

        return observed


def _code(error: BaseException) -> str:
    if isinstance(error, RpcRefused):
        return error.code.name
    if isinstance(error, asyncio.CancelledError):
        return grpc.StatusCode.CANCELLED.name
    return grpc.StatusCode.UNKNOWN.name


async def _abort_if_refused(error: BaseException, context: Context) -> None:
    if isinstance(error, RpcRefused):
        await context.abort(error.code, error.sentence)
