"""gRPC's asyncio server with two mends: no method's name can end it, and it does not end without a word.

grpcio 1.85 decodes the name of each method that is asked for as UTF-8, in the loop that takes all calls up. A request
whose path is a slash and the byte 255, from anybody who reaches the port, ends that loop: nothing is answered again,
and the process lives on. Names that are registered are matched as bytes, inside of gRPC. So every method is registered,
and a call of any other is refused here, its name unread.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, NoReturn

import grpc
from grpc._cython import cygrpc  # what has to be mended has no public name
from grpc.aio import _server as aio

_Server: Any = aio.Server  # its own types are not those that types-grpcio publishes
_UNKNOWN = "there is no such method: the service is externalscaler.ExternalScaler, beside gRPC's health and reflection"


class AioServer(_Server):  # type: ignore[misc]
    """`grpc.aio.Server` for services whose generated code registers each method."""

    def __init__(self, *, interceptors: Sequence[Any], options: Sequence[tuple[str, int]]) -> None:
        # not the parent's: it would build, and never free, a server that is not mended
        self._loop = asyncio.get_running_loop()
        self._server = _RegisteredCalls(self._loop, None, (), tuple(interceptors), tuple(options), None)

    async def failed(self) -> NoReturn:
        """Raise what has ended the loop that takes calls up, once something has; a stop is no failure."""
        raise await self._server.failure


class _RegisteredCalls(cygrpc.AioServer):  # type: ignore[misc]  # no types either
    def __init__(self, loop: asyncio.AbstractEventLoop, *rest: object) -> None:
        super().__init__(loop, *rest)
        self.failure: asyncio.Future[BaseException] = loop.create_future()

    def _make_request_call_future(self, method: bytes | None) -> asyncio.Future[Any]:
        """Return what takes the next call of a method up; None stands for all that are not registered."""
        if method is None:
            return asyncio.ensure_future(self._refuse_the_unknown())
        taken: asyncio.Future[Any] = super()._make_request_call_future(method)
        return taken

    async def _refuse_the_unknown(self) -> NoReturn:
        try:
            async with asyncio.TaskGroup() as refusals:
                while True:
                    call = await self._request_call()
                    refusals.create_task(_refuse(call), name="unknown method")
        except* cygrpc._RequestCallError:  # noqa: SLF001 - what the loop expects when gRPC gives no more calls
            pass
        raise cygrpc._RequestCallError  # noqa: SLF001

    def _serving_task_crash_handler(self, serving: asyncio.Task[None]) -> None:
        if not serving.cancelled() and (error := serving.exception()) is not None:
            self.failure.set_result(error)
        super()._serving_task_crash_handler(serving)


async def _refuse(call: object) -> None:
    context = cygrpc._ServicerContext(call, None, None, asyncio.get_running_loop())  # noqa: SLF001
    try:
        await context.abort(grpc.StatusCode.UNIMPLEMENTED, _UNKNOWN)
    except (cygrpc.AbortError, cygrpc.ExecuteBatchError):  # it is refused, or the client has left
        return
