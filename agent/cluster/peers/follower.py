"""A follower's side: takes up what the leader says, in order; a page is in the store before its answers count."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import NoReturn, Protocol

from agent.cluster.peers.address import Place
from agent.cluster.peers.dialling import Line, NotHeard, Stream
from agent.cluster.peers.proto import peers_pb2 as proto
from agent.cluster.peers.wire import rows_of, samples_of, told_of
from agent.history.store import Store, StoreFailed
from agent.history.thread import StoreThread
from agent.log import logger
from agent.told import Told

SILENCE = 6.0  # seconds; three heartbeats
_LOOK = 0.5  # seconds between two looks at who leads
_PAUSE = 1.0  # seconds before a leader is called again


class Listener(Protocol):
    """Who takes an answer up as if it were its own."""

    def heard(self, told: Told) -> None:
        """Take up an answer."""
        ...


class Follower:
    """Listens to whoever leads.

    Attributes:
        heard_at: when the leader was heard last, seconds on this machine's own watch; None where none is followed.
        reason: why the leader is not heard; None where it is, or none is followed.
    """

    def __init__(
        self,
        line: Line,
        store: Store,
        storing: StoreThread,
        listener: Listener,
        *,
        leader: Callable[[], Place | None],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Follow.

        Args:
            line: how the leader is reached.
            store: the one of this agent, past whatever would tell others of it.
            storing: its thread.
            listener: who takes answers up.
            leader: where the leader is, None where none is to be followed.
            monotonic: seconds on this machine's own watch.
        """
        self.heard_at: float | None = None
        self.reason: str | None = None
        self._line = line
        self._store = store
        self._storing = storing
        self._listener = listener
        self._leader = leader
        self._monotonic = monotonic
        self._position = proto.Position()
        self._is_whole = True  # whether all that was said since the position is in the store
        self._log = logger("peers")

    def was_complete(self, until_us: int) -> None:
        """Take note that this agent led until an instant, in microseconds: up to then it has what there is."""
        self._position = proto.Position(complete_until_us=until_us)

    async def run(self) -> NoReturn:
        """Follow until cancelled."""
        while True:
            place = self._leader()
            if place is None:
                self.heard_at, self.reason = None, None
                await asyncio.sleep(_LOOK)
                continue
            try:
                await self._follow(place)
                await asyncio.sleep(_LOOK)
            except NotHeard as error:
                if self.reason is None:
                    self._log.warning("leader_not_heard", leader=str(place), reason=str(error))
                self.reason = str(error)
                await asyncio.sleep(_PAUSE)

    async def _follow(self, place: Place) -> None:
        stream, self._is_whole = self._line.follow(place, self._position), True
        try:
            while (page := await self._next(stream, place)) is not None:
                if self.heard_at is None or self.reason is not None:
                    self._log.info("leader_heard", leader=str(place))
                self.heard_at, self.reason = self._monotonic(), None
                await self._take(page)
        finally:
            stream.close()

    async def _next(self, stream: Stream, place: Place) -> proto.Page | None:
        """Return the next page; None where the stream has ended well, or another is to be followed."""
        waiting = asyncio.ensure_future(stream.next())
        began = self._monotonic()
        try:
            while self._leader() == place:
                done, _ = await asyncio.wait({waiting}, timeout=_LOOK)
                if done:
                    return waiting.result() if self._leader() == place else None
                if self._monotonic() - began > SILENCE:
                    raise NotHeard(f"nothing was said for {SILENCE:g} s")
            return None
        finally:
            _abandon(waiting)

    async def _take(self, page: proto.Page) -> None:
        """Store first, then answer: what this agent would begin with is never below what it has answered."""
        try:
            await self._storing.soon(self._keep, page)
        except StoreFailed as error:  # it costs the copy, never an answer; what is missing is asked for again
            self._is_whole = False
            self._log.warning("copy_not_stored", error=str(error))
        for message in page.answers:
            self._hear(message)
        if page.sequence and self._is_whole:
            until = max(page.complete_until_us, self._position.complete_until_us)
            self._position = proto.Position(term=page.term, sequence=page.sequence, complete_until_us=until)

    def _hear(self, message: proto.Answer) -> None:
        try:
            self._listener.heard(told_of(message))
        except ValueError as error:
            raise NotHeard(f"{message.namespace}/{message.name}: {error}") from error

    def _keep(self, page: proto.Page) -> None:
        if page.samples:
            self._store.append_samples(samples_of(page))
        for state in page.states:
            self._store.put_state(state.owner, state.name, state.body)
        if page.decisions:
            self._store.put_decision(*rows_of(page))


def _abandon(waiting: asyncio.Future[proto.Page | None]) -> None:
    """Wait for a page no more; what becomes of it nobody asks."""
    waiting.add_done_callback(lambda each: each.cancelled() or each.exception())
    waiting.cancel()
