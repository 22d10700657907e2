"""The edge of every RPC: ends refused ones with their status, and tells an observer how each went.

Interceptors of others (tracing) go around what is built here: for them a stream is an asynchronous generator, and a
refusal is the context's `abort`.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from types import TracebackType
from typing import Protocol, Self, TypeAlias, cast

import grpc
from google.protobuf.message import Message

from scalers.keda.call_log import CallLog, ended_call
from scalers.keda.limits import Limit, LimitExceeded
from scalers.keda.reading import tolerant
from scalers.keda.refusal import RpcRefused

Context: TypeAlias = "grpc.aio.ServicerContext[Message, Message]"
Handler: TypeAlias = "grpc.RpcMethodHandler[Message, Message]"
Parse = Callable[[bytes], Message]
Unary = Callable[[Message, Context], Awaitable[Message]]
Stream = Callable[[Message, Context], "Speech"]
ObservedStream = Callable[[bytes, Context], AsyncGenerator[Message, None]]

_OK = grpc.StatusCode.OK.name
_LEFT = (asyncio.CancelledError, GeneratorExit)  # the client, while a stream waited; while its message was being sent


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

    def answered(self, age_seconds: float) -> None:
        """Take note of the age of the decision that a GetMetrics told."""
        ...

    def pushed(self, delay_seconds: float) -> None:
        """Take note of a change that has been written to a stream, and how long after the board knew it."""
        ...

    def limit_exceeded(self, limit: Limit) -> None:
        """Take note of an RPC of either kind that was refused because it asked for too much."""
        ...


class Speech(Protocol):
    """What a stream says, inside a `with`."""

    def __enter__(self) -> Self:
        """Return itself."""
        ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Let go of what the stream held."""
        ...

    def words(self) -> Message | None:
        """Return what is to be said now, None where nothing is; what was returned before has been written."""
        ...

    def silence(self) -> Awaitable[None] | None:
        """Return what ends when there may be more to say, None where the stream has to end."""
        ...


class ObservedMethods:
    """Stands in for the server where a service adds its methods, and hands them on observed.

    An interceptor would do the same at every call: it costs a coroutine of its own and a look-up.
    """

    def __init__(self, server: grpc.aio.Server, observer: RpcObserver, log: CallLog) -> None:
        self._server = server
        self._observer = observer
        self._log = log

    def add_generic_rpc_handlers(self, handlers: Sequence[grpc.GenericRpcHandler]) -> None:
        """Leave out what finds the methods by name: they are all registered, which is the shorter way."""

    def add_registered_method_handlers(self, service: str, handlers: Mapping[str, Handler]) -> None:
        """Register the methods of a service with the server."""
        observed = {rpc: self._observed(rpc, handler) for rpc, handler in handlers.items()}
        self._server.add_registered_method_handlers(service, observed)

    def _observed(self, rpc: str, handler: Handler) -> Handler:
        read, serializer = tolerant(cast("Parse", handler.request_deserializer)), handler.response_serializer
        if handler.response_streaming:
            # gRPC holds what it is given for as long as the stream lives: bytes, not a message five times their size
            stream = self._observed_stream(rpc, read, cast("Stream", handler.unary_stream))
            return cast("Handler", grpc.unary_stream_rpc_method_handler(stream, None, serializer))
        unary = self._observed_unary(rpc, cast("Unary", handler.unary_unary))
        return grpc.unary_unary_rpc_method_handler(unary, read, serializer)

    def _observed_unary(self, rpc: str, answer: Unary) -> Unary:
        async def observed(request: Message, context: Context) -> Message:
            began = time.perf_counter()
            try:
                reply = await answer(request, context)
            except BaseException as error:
                seconds = time.perf_counter() - began
                self._observer.rpc_handled(rpc, _code(error), seconds)
                await self._end(rpc, request, context, error, seconds)
                raise
            seconds = time.perf_counter() - began
            self._observer.rpc_handled(rpc, _OK, seconds)
            if self._log.takes_answered():
                self._write(rpc, request, context.peer(), None, seconds)
            return reply

        return observed

    def _observed_stream(self, rpc: str, read: Parse, answer: Stream) -> ObservedStream:
        async def observed(raw: bytes, context: Context) -> AsyncGenerator[Message, None]:
            began = time.perf_counter()
            # Now: a stream whose client leaves while it writes ends when it is collected. Its call is gone by then, and
            # gRPC core, asked for the peer of one, ends the process.
            peer = sys.intern(context.peer())
            self._observer.stream_opened(rpc)
            try:
                with answer(read(raw), context) as speech:
                    while True:
                        if (words := speech.words()) is not None:
                            yield words
                        elif (silence := speech.silence()) is not None:
                            await silence
                        else:
                            break
            except BaseException as error:
                self._observer.stream_closed(rpc, _code(error))
                await self._end(rpc, read(raw), context, error, time.perf_counter() - began, peer=peer)
                raise
            self._observer.stream_closed(rpc, _OK)
            if self._log.takes_answered():
                self._write(rpc, read(raw), peer, None, time.perf_counter() - began)

        return observed

    async def _end(
        self,
        rpc: str,
        request: Message,
        context: Context,
        error: BaseException,
        seconds: float,
        *,
        peer: str | None = None,
    ) -> None:
        """Tell of a call that has no answer, and end it with its status if it was refused."""
        has_left = isinstance(error, _LEFT)
        if self._log.takes_answered() if has_left else self._log.takes_refused():
            self._write(rpc, request, peer or context.peer(), error, seconds)
        if isinstance(error, LimitExceeded):
            self._observer.limit_exceeded(error.limit)
        if isinstance(error, RpcRefused):
            await context.abort(error.code, error.sentence)

    def _write(self, rpc: str, request: Message, peer: str, error: BaseException | None, seconds: float) -> None:
        code = _code(error) if error is not None else _OK
        reason = error.sentence if isinstance(error, RpcRefused) else None
        self._log.write(ended_call(rpc, request, code=code, seconds=seconds, peer=peer, reason=reason))


def _code(error: BaseException) -> str:
    if isinstance(error, RpcRefused):
        return error.code.name
    return (grpc.StatusCode.CANCELLED if isinstance(error, _LEFT) else grpc.StatusCode.UNKNOWN).name
