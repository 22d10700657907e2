"""gRPC's asyncio server with two mends and one shorter way.

grpcio 1.85 decodes the name of each method that is asked for as UTF-8, in the loop that takes all calls up. A request
whose path is a slash and the byte 255, from anybody who reaches the port, ends that loop: nothing is answered again,
and the process lives on. Names that are registered are matched as bytes, inside of gRPC. So every method is registered,
and a call of any other is refused here, its name unread. And a loop that ends does not end without a word.

The shorter way is that of a call with one request and one reply, which is all that KEDA does most of the time. gRPC
waits for the next call of all methods at once, and asks its core in a task and a batch of their own whether the client
has left: a fifth of what such a call costs. Here each method has a task that waits, and the client's leaving is part
of the batch that ends the call. Its price: a client that leaves early is noticed when it is answered.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import Any, NoReturn

import grpc
from grpc._cython import cygrpc  # what has to be mended has no public name
from grpc.aio import _server as aio

_LOG = logging.getLogger(__name__)
_Server: Any = aio.Server  # its own types are not those that types-grpcio publishes
_Call = Any  # cygrpc.RPCState, which has no types either
_Handler = Any  # grpc.RpcMethodHandler of any messages
_UNKNOWN = "there is no such method: the service is externalscaler.ExternalScaler, beside gRPC's health and reflection"
_NO_FLAGS = 0


class AioServer(_Server):  # type: ignore[misc]
    """`grpc.aio.Server` for services whose generated code registers each method.

    A unary method ends by returning or by its context's `abort`; it sets no status, metadata or compression.
    """

    def __init__(self, *, interceptors: Sequence[Any], options: Sequence[tuple[str, int]]) -> None:
        # not the parent's: it would build, and never free, a server that is not mended
        self._loop = asyncio.get_running_loop()
        self._server = _RegisteredCalls(self._loop, None, (), tuple(interceptors), tuple(options), None)
        self._server.answers_directly = not interceptors  # they go around gRPC's own way

    async def failed(self) -> NoReturn:
        """Raise what has ended the loop that takes calls up, once something has; a stop is no failure."""
        raise await self._server.failure


class _RegisteredCalls(cygrpc.AioServer):  # type: ignore[misc]  # no types either
    answers_directly = False

    def __init__(self, loop: asyncio.AbstractEventLoop, *rest: object) -> None:
        super().__init__(loop, *rest)
        self.failure: asyncio.Future[BaseException] = loop.create_future()
        self._unary: dict[bytes, _Handler] = {}
        self._running: set[asyncio.Task[None]] = set()  # a loop alone would let them be collected

    def add_registered_method_handlers(self, handlers: Mapping[str, _Handler]) -> None:
        super().add_registered_method_handlers(handlers)
        self._unary |= {name.encode(): handler for name, handler in handlers.items() if _is_unary(handler)}

    def _make_request_call_future(self, method: bytes | None) -> asyncio.Future[Any]:
        """Return what takes the next call of a method up; None stands for all that are not registered."""
        if method is None:
            return asyncio.ensure_future(self._take_up_all(self._request_call, _refuse))
        if self.answers_directly and method in self._unary:
            request = partial(self._request_registered_call, method)
            return asyncio.ensure_future(self._take_up_all(request, partial(_answer, self._unary[method], method)))
        taken: asyncio.Future[Any] = super()._make_request_call_future(method)
        return taken

    async def _take_up_all(
        self, request: Callable[[], Awaitable[_Call]], answer: Callable[[_Call], Awaitable[None]]
    ) -> NoReturn:
        """Answer calls until gRPC gives no more, which is raised; those that run are left to end."""
        while True:
            running = asyncio.ensure_future(answer(await request()))
            self._running.add(running)
            running.add_done_callback(self._running.discard)

    def _serving_task_crash_handler(self, serving: asyncio.Task[None]) -> None:
        if not serving.cancelled() and (error := serving.exception()) is not None:
            self.failure.set_result(error)
        super()._serving_task_crash_handler(serving)


def _is_unary(handler: _Handler) -> bool:
    return not handler.request_streaming and not handler.response_streaming


async def _answer(handler: _Handler, method: bytes, call: _Call) -> None:
    loop = asyncio.get_running_loop()
    context = cygrpc._ServicerContext(call, None, None, loop)  # noqa: SLF001
    try:
        received = cygrpc.ReceiveMessageOperation(_NO_FLAGS)
        await cygrpc.execute_batch(call, (received,), loop)
        request = received.message()
        if request is not None:  # None: the client left
            reply = await handler.unary_unary(handler.request_deserializer(request), context)
            await cygrpc.execute_batch(call, _last_operations(handler.response_serializer(reply)), loop)
    except (cygrpc.AbortError, cygrpc.ExecuteBatchError):  # it is refused, or the client has left
        return
    except Exception as error:  # noqa: BLE001 - of this call alone, and told to both sides
        _LOG.exception("%s failed", method.decode())
        await _end(context, grpc.StatusCode.UNKNOWN, f"unexpected {type(error).__name__}: {error}")


def _last_operations(reply: bytes) -> tuple[object, ...]:
    return (
        cygrpc.SendInitialMetadataOperation(None, _NO_FLAGS),
        cygrpc.SendMessageOperation(reply, _NO_FLAGS),
        cygrpc.SendStatusFromServerOperation((), cygrpc.StatusCode.ok, "", _NO_FLAGS),
        cygrpc.ReceiveCloseOnServerOperation(_NO_FLAGS),
    )


async def _refuse(call: _Call) -> None:
    context = cygrpc._ServicerContext(call, None, None, asyncio.get_running_loop())  # noqa: SLF001
    await _end(context, grpc.StatusCode.UNIMPLEMENTED, _UNKNOWN)


async def _end(context: Any, code: grpc.StatusCode, sentence: str) -> None:
    try:
        await context.abort(code, sentence)
    except (cygrpc.AbortError, cygrpc.ExecuteBatchError):  # it is ended, or the client has left
        return
