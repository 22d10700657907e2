"""The leader's side: a guest of KEDA's gRPC server that tells followers what it keeps and answers.

It runs in the server's loop, and asks the agent's own loop for what only the store has.
"""

# ruff: noqa: N802 - the proto names the methods

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import suppress
from typing import Any, Protocol, TypeVar, cast

import grpc

from agent.clock import Clock
from agent.cluster.peers.copying import Copying, share_of
from agent.cluster.peers.journal import CopyNeeded, Cursor, Journal
from agent.cluster.peers.proto import peers_pb2 as proto
from agent.cluster.peers.proto.peers_pb2_grpc import PeersServicer, add_PeersServicer_to_server
from agent.cluster.peers.wire import complete_until
from agent.history.chunks import microseconds
from agent.log import logger
from scalers.keda.identity import AllowedClients, Authenticated
from scalers.keda.refusal import RpcRefused

HEARTBEAT = 2.0  # seconds
# Entries come in bursts, a row and an answer for each policy; one page for many of them.
_GATHER = 0.05  # seconds
# Younger than a connection may become, so that none is cut; whoever comes again shows its certificate of now.
_AGE = 600.0  # seconds
_MOST_FOLLOWERS = 16

Context = Any  # grpc.aio.ServicerContext of these messages
T = TypeVar("T")


class Hearing(Protocol):
    """Who is told of another leader."""

    def hear(self, holder: str, transitions: int, address: str) -> None:
        """Take note of who says to lead; in the agent's own loop."""
        ...


class FollowerCount(Protocol):
    """Who counts followers; from any thread."""

    def followers(self, count: int) -> None:
        """Take note of how many there are."""
        ...


class PeersService(PeersServicer):
    """`foretide.peers.v1.Peers`, a guest of the server."""

    def __init__(
        self,
        journal: Journal,
        copying: Copying,
        hearing: Hearing,
        count: FollowerCount,
        *,
        clock: Clock,
        agents: Callable[[], AllowedClients | None],
        own_loop: Callable[[], asyncio.AbstractEventLoop | None] = lambda: None,
    ) -> None:
        """Serve followers.

        Args:
            journal: what they are told.
            copying: what they are told first.
            hearing: who is told of another leader.
            count: who counts them.
            clock: the time.
            agents: who may follow; None lets in whoever the port lets in.
            own_loop: the agent's own loop; None where it is the server's.
        """
        self._journal = journal
        self._copying = copying
        self._hearing = hearing
        self._count = count
        self._clock = clock
        self._agents = agents
        self._own_loop = own_loop
        self._ending = asyncio.Event()
        self._followers = 0
        self._log = logger("peers")

    def join(self, server: grpc.aio.Server) -> None:
        """Add the methods to the server, in its loop."""
        add_PeersServicer_to_server(self, server)

    def leave(self) -> None:
        """End the streams, in the server's loop; followers see it as an end and no failure."""
        self._ending.set()

    async def Follow(self, request: proto.Position, context: Context) -> AsyncGenerator[proto.Page, None]:
        """Tell a follower what it lacks, and then what is new."""
        await self._admit(context)
        if not self._journal.term or self._ending.is_set():
            await context.abort(grpc.StatusCode.UNAVAILABLE, "this agent does not lead: look at the Lease again")
        if self._followers >= _MOST_FOLLOWERS:
            await context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, f"{_MOST_FOLLOWERS} agents follow already")
        peer = context.peer()  # now: of a call whose client has left, gRPC core has none, and ends the process
        self._seat(1)
        self._log.info("follower_came", peer=peer)
        try:
            with suppress(CopyNeeded):  # too slow, or the leadership has ended: it comes again, or looks elsewhere
                async for page in self._told(request):
                    yield page
        finally:
            self._seat(-1)
            self._log.info("follower_left", peer=peer)

    async def Announce(self, request: proto.Leader, context: Context) -> proto.Heard:
        """Hear who leads."""
        await self._admit(context)
        loop = self._own_loop() or asyncio.get_running_loop()
        loop.call_soon_threadsafe(self._hearing.hear, request.holder, request.transitions, request.address)
        return proto.Heard()

    async def _admit(self, context: Context) -> None:
        agents = self._agents()
        if agents is None:
            return
        try:
            agents.admit(cast("Authenticated", context))
        except RpcRefused as refused:
            sentence = "the client certificate shows no name of the agent's own: this service is among agents"
            await context.abort(refused.code, sentence)

    async def _told(self, position: proto.Position) -> AsyncGenerator[proto.Page, None]:
        loop = asyncio.get_running_loop()
        bell = asyncio.Event()
        unsubscribe = self._journal.subscribe(lambda: _ring(loop, bell))
        try:
            try:
                cursor = self._journal.cursor(position)
            except CopyNeeded:
                cursor = self._journal.head()
                async for page in self._copy(cursor, position):
                    yield page
            async for page in self._live(cursor, bell):
                yield page
        finally:
            unsubscribe()

    async def _copy(self, cursor: Cursor, position: proto.Position) -> AsyncGenerator[proto.Page, None]:
        """Tell what the store has; in pages without a number, as none of them alone makes a copy."""
        policies = await self._in_own_loop(self._copying.policies())
        share, until = share_of(policies), complete_until(position)
        for kept in policies:
            copied = self._copying.pages(kept, most_samples=share, complete_until=until)
            for page in await self._in_own_loop(copied):
                page.term = cursor.term
                yield page

    async def _live(self, cursor: Cursor, bell: asyncio.Event) -> AsyncGenerator[proto.Page, None]:
        loop = asyncio.get_running_loop()
        end = loop.time() + _AGE
        while not self._ending.is_set() and loop.time() < end:
            bell.clear()
            if (found := self._journal.after(cursor)) is None:
                sequence = min(cursor.stored, cursor.answered)
                now = microseconds(self._clock.now())
                yield proto.Page(term=cursor.term, sequence=sequence, complete_until_us=now)
                await self._quiet(bell)
            else:
                page, cursor = found
                yield page

    async def _quiet(self, bell: asyncio.Event) -> None:
        """Wait until there may be more, a heartbeat at most, or until streams end."""
        waiting = [asyncio.ensure_future(each.wait()) for each in (bell, self._ending)]
        try:
            await asyncio.wait(waiting, timeout=HEARTBEAT, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for each in waiting:
                each.cancel()
        if bell.is_set():
            await asyncio.sleep(_GATHER)

    async def _in_own_loop(self, work: Coroutine[Any, Any, T]) -> T:
        own, running = self._own_loop(), asyncio.get_running_loop()
        if own is None or own is running:
            return await work
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(work, own))

    def _seat(self, more: int) -> None:
        self._followers += more
        self._count.followers(self._followers)


def _ring(loop: asyncio.AbstractEventLoop, bell: asyncio.Event) -> None:
    with suppress(RuntimeError):  # the loop has ended: nobody waits any more
        loop.call_soon_threadsafe(bell.set)
