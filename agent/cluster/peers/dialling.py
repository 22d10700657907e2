"""A follower's connection to its leader.

Not by `grpc.aio`: all loops of a process share its one queue, so each answer to KEDA would wake this loop too. What
waits here is one thread.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Protocol, cast

import grpc

from agent.cluster.peers.address import Place
from agent.cluster.peers.proto import peers_pb2 as proto
from agent.cluster.peers.proto.peers_pb2_grpc import PeersStub
from scalers.keda.tls import ServingTls

_MOST_BYTES = 64 * 1024 * 1024  # of one page; a state of a large policy has some MiB
_ANNOUNCING = 2.0  # seconds
_OPTIONS = (
    ("grpc.max_receive_message_length", _MOST_BYTES),
    ("grpc.enable_retries", 0),
    # a leader that comes back is found at once, and not after two minutes of back-off
    ("grpc.initial_reconnect_backoff_ms", 500),
    ("grpc.max_reconnect_backoff_ms", 2000),
)


class NotHeard(Exception):
    """A leader cannot be heard; the message says why."""


class Stream(Protocol):
    """What one leader says."""

    async def next(self) -> proto.Page | None:
        """Return the next page, None at a good end.

        Raises:
            NotHeard: the leader cannot be heard.
        """
        ...

    def close(self) -> None:
        """Hang up; whoever waits for a page gets NotHeard."""
        ...


class Line(Protocol):
    """How other agents are reached."""

    def follow(self, place: Place, position: proto.Position) -> Stream:
        """Begin to listen."""
        ...

    async def announce(self, place: Place, leader: proto.Leader) -> None:
        """Tell another agent who leads.

        Raises:
            NotHeard: it does not answer.
        """
        ...


class GrpcLine:
    """Other agents over gRPC, with the certificate that this one serves with where there is one."""

    def __init__(self, tls: ServingTls | None) -> None:
        self._tls = tls
        self._threads = ThreadPoolExecutor(max_workers=4, thread_name_prefix="peers")

    def follow(self, place: Place, position: proto.Position) -> Stream:
        """Begin to listen."""
        channel = self._channel(place)
        return _GrpcStream(channel, PeersStub(channel).Follow(position), self._threads)

    async def announce(self, place: Place, leader: proto.Leader) -> None:
        """Tell another agent who leads."""

        def told() -> None:
            with self._channel(place) as channel:
                PeersStub(channel).Announce(leader, timeout=_ANNOUNCING)

        await _in(self._threads, told)

    def close(self) -> None:
        """Let go of the threads."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _channel(self, place: Place) -> grpc.Channel:
        if self._tls is None:
            return grpc.insecure_channel(place.target, options=_OPTIONS)
        material = self._tls.material
        credentials = grpc.ssl_channel_credentials(material.client_authorities, material.key, material.chain)
        # the address is a pod's, and the certificate that all agents share is for their Service
        name = ("grpc.ssl_target_name_override", material.names[0] if material.names else place.host)
        return grpc.secure_channel(place.target, credentials, options=(*_OPTIONS, name))


class _GrpcStream:
    def __init__(self, channel: grpc.Channel, call: Any, threads: ThreadPoolExecutor) -> None:
        self._channel = channel
        self._call = call
        self._pages: Iterator[proto.Page] = iter(call)
        self._threads = threads

    async def next(self) -> proto.Page | None:
        """Return the next page."""
        page: proto.Page | None = await _in(self._threads, lambda: next(self._pages, None))
        return page

    def close(self) -> None:
        """Hang up."""
        self._call.cancel()
        self._channel.close()


async def _in(threads: ThreadPoolExecutor, work: Callable[[], Any]) -> Any:
    try:
        return await asyncio.get_running_loop().run_in_executor(threads, work)
    except grpc.RpcError as error:
        call = cast("grpc.Call", error)  # what gRPC raises is both, which its stubs do not know
        raise NotHeard(f"{call.code().name}: {call.details()}") from error
