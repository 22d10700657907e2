"""The gRPC server: a thread and an event loop that nothing else runs on, so that nothing can keep KEDA waiting."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence
from concurrent.futures import Future, InvalidStateError
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Protocol, cast

import grpc
import uvloop
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from scalers.keda.aio_server import AioServer
from scalers.keda.board import AnswerBoard
from scalers.keda.call_log import CallLog, NoCallLog
from scalers.keda.limits import Limits, OpenStreams
from scalers.keda.observing import ObservedMethods, RpcObserver
from scalers.keda.patience import PatientBoard
from scalers.keda.proto.externalscaler_pb2 import DESCRIPTOR
from scalers.keda.proto.externalscaler_pb2_grpc import add_ExternalScalerServicer_to_server
from scalers.keda.pulses import Feeds
from scalers.keda.servicer import BoardServicer
from scalers.keda.streams import Streams, StreamSettings
from scalers.keda.tls import ServingTls

_MOST_WAITING = 100_000
_ROOM_FOR_CALLS = 10_000  # at a time, on one connection beside its streams
SERVICE = DESCRIPTOR.services_by_name["ExternalScaler"].full_name


class CannotListen(OSError):
    """The address cannot be listened on; the message names it and the mend."""


@dataclass(frozen=True, slots=True)
class ServerSettings:
    """Times and limits of the server."""

    # How long unary calls are still served after health says NOT_SERVING: what Kubernetes takes to tell all clients
    # that an endpoint has gone. Nothing where there is no such client.
    drain_delay: timedelta = timedelta(seconds=5)
    # KEDA sends no keepalive itself, so the server's pings are what makes a dead node noticed on either side.
    keepalive: timedelta = timedelta(seconds=30)
    # KEDA looks a name up again only when a connection ends, and only then finds replicas that are new. Streams are
    # younger than this, so none is cut.
    connection_age: timedelta = timedelta(minutes=15)
    # How long a call waits for a policy's first answer, which takes one reading. KEDA asks twice before it gives up.
    patience: timedelta = timedelta(seconds=2)
    streams: StreamSettings = field(default_factory=StreamSettings)
    limits: Limits = field(default_factory=Limits)


class Guest(Protocol):
    """A service of others on the same port. Both methods are called in the server's loop."""

    def join(self, server: grpc.aio.Server) -> None:
        """Add its methods; each must be registered, as generated code does it."""
        ...

    def leave(self) -> None:
        """End its streams."""
        ...


class KedaServer:
    """Serves one board to KEDA, with gRPC health and reflection beside it. Started and stopped once, from any thread.

    Attributes:
        ended: done when the server has stopped; carries the error if it did so by itself.
    """

    def __init__(
        self,
        board: AnswerBoard,
        observer: RpcObserver,
        settings: ServerSettings | None = None,
        *,
        tls: ServingTls | None = None,
        interceptors: Sequence[grpc.aio.ServerInterceptor] = (),
        log: CallLog | None = None,
        guests: Sequence[Guest] = (),
    ) -> None:
        """Prepare a server that speaks TLS where `tls` is given, and plaintext only where it is not.

        Interceptors, such as OpenTelemetry's, go around every known method, those of health and reflection included,
        and run in the server's loop. They cost each call what they cost, and a coroutine more.
        """
        self.ended: Future[None] = Future()
        self._board = board
        self._observer = observer
        self._settings = settings or ServerSettings()
        self._tls = tls
        self._interceptors = tuple(interceptors)
        self._log = log or NoCallLog()
        self._guests = tuple(guests)
        self._bound: Future[int] = Future()
        self._grace: Future[timedelta] = Future()  # set by the first who stops the server
        self._thread: threading.Thread | None = None

    def start(self, address: str) -> int:
        """Listen on `host:port` and return the port, chosen by the system where it was 0.

        Raises:
            CannotListen: the address is taken or not one of this machine's.
        """
        self._thread = threading.Thread(target=self._run, args=(address,), name="keda-grpc", daemon=True)
        self._thread.start()
        return self._bound.result()

    def stop(self, grace: timedelta) -> None:
        """Leave without a failed call: say so, serve on for the drain delay, end streams with OK, finish, return.

        Calls that still run after `grace` are cut. Stopping a server that has stopped, or never began, does nothing.
        """
        if self._thread is None:
            return
        with suppress(InvalidStateError):  # somebody stops it already: wait with them
            self._grace.set_result(grace)
        self._thread.join()

    def _run(self, address: str) -> None:
        try:
            with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                runner.run(self._serve(address))
        except Exception as error:  # noqa: BLE001 - carried to the threads that wait for it
            if not self._bound.done():
                self._bound.set_exception(error)
            self.ended.set_exception(error)
        else:
            self.ended.set_result(None)

    async def _serve(self, address: str) -> None:
        loop = asyncio.get_running_loop()
        streams = Streams(self._settings.streams, loop, OpenStreams(self._settings.limits))
        feeds = Feeds(self._board, streams, loop, self._observer.pushed)
        server = AioServer(interceptors=self._interceptors, options=_options(self._settings))
        clients = self._tls.clients if self._tls else None
        servicer = BoardServicer(
            PatientBoard(self._board, self._settings.patience),
            feeds,
            self._observer,
            clients=clients,
            limits=self._settings.limits,
        )
        methods = ObservedMethods(server, self._observer, self._log)
        add_ExternalScalerServicer_to_server(servicer, cast("grpc.aio.Server", methods))
        health_servicer = await _add_health_and_reflection(server)
        for guest in self._guests:
            guest.join(cast("grpc.aio.Server", server))
        port = _listen(server, address, self._tls)
        await server.start()
        self._bound.set_result(port)
        try:
            grace = await self._until_stopped(server)
            await health_servicer.enter_graceful_shutdown()
            await asyncio.sleep(self._settings.drain_delay.total_seconds())
            streams.end_all()
            for guest in self._guests:
                guest.leave()
            await server.stop(grace.total_seconds())
        finally:
            feeds.close()

    async def _until_stopped(self, server: AioServer) -> timedelta:
        """Return the grace with which somebody stops the server; raise if it ends before that."""
        try:
            async with asyncio.TaskGroup() as group:
                failing = group.create_task(server.failed(), name="failing")
                grace = await asyncio.wrap_future(self._grace)
                failing.cancel()
                return grace
        except* Exception:
            await server.stop(0)
            raise


async def _add_health_and_reflection(server: grpc.aio.Server) -> health.aio.HealthServicer:
    servicer = health.aio.HealthServicer()
    await servicer.set(SERVICE, health_pb2.HealthCheckResponse.SERVING)
    health_pb2_grpc.add_HealthServicer_to_server(servicer, server)
    reflection.enable_server_reflection((SERVICE, health.SERVICE_NAME, reflection.SERVICE_NAME), server)
    return servicer


def _listen(server: grpc.aio.Server, address: str, tls: ServingTls | None) -> int:
    try:
        if tls is not None:
            return server.add_secure_port(address, tls.credentials())
        return server.add_insecure_port(address)
    except RuntimeError as error:
        raise CannotListen(
            f"gRPC cannot listen on {address}: free the port or choose another address (--grpc-address)"
        ) from error


def _options(settings: ServerSettings) -> list[tuple[str, int]]:
    """Return gRPC core's channel arguments; see grpc/include/grpc/impl/channel_arg_names.h."""
    return [
        ("grpc.so_reuseport", 0),  # else a second agent on the same port takes half of the calls, and nobody is told
        ("grpc.keepalive_time_ms", _milliseconds(settings.keepalive)),
        ("grpc.keepalive_timeout_ms", _milliseconds(settings.keepalive / 3)),
        ("grpc.http2.ping_timeout_ms", _milliseconds(settings.keepalive / 3)),  # the one that counts, a minute if unset
        ("grpc.keepalive_permit_without_calls", 1),
        ("grpc.http2.max_pings_without_data", 0),  # streams are silent for minutes
        ("grpc.max_connection_age_ms", _milliseconds(settings.connection_age)),
        ("grpc.max_connection_age_grace_ms", _milliseconds(2 * settings.streams.age)),
        ("grpc.max_receive_message_length", settings.limits.message_bytes),
        # both alike, or gRPC core refuses at random in between
        ("grpc.max_metadata_size", settings.limits.header_bytes),
        ("grpc.absolute_max_metadata_size", settings.limits.header_bytes),
        # Beyond this a client keeps its calls to itself until a stream ends, with no word of it. So it lies above the
        # limit that refuses streams, and leaves room for the calls; it holds those who open and send nothing.
        ("grpc.max_concurrent_streams", settings.limits.streams_per_connection + _ROOM_FOR_CALLS),
        # gRPC core drops calls at random once 1,000 wait to be taken up. A KEDA that restarts opens everything it has
        # at once: two streams and a few calls for each of 10,000 triggers.
        ("grpc.server.max_pending_requests", _MOST_WAITING),
        ("grpc.server.max_pending_requests_hard_limit", _MOST_WAITING),
    ]


def _milliseconds(duration: timedelta) -> int:
    return duration // timedelta(milliseconds=1)
