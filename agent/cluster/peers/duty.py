"""Whether this agent decides or follows, by the Lease, and what is due when that changes."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import NoReturn, Protocol

from agent.clock import Clock
from agent.cluster.lease import Elector, Standing
from agent.cluster.peers.address import Place
from agent.cluster.peers.dialling import Line, NotHeard
from agent.cluster.peers.follower import Follower
from agent.cluster.peers.journal import Journal
from agent.cluster.peers.proto import peers_pb2 as proto
from agent.history.chunks import microseconds
from agent.log import logger
from agent.telemetry import PeersTelemetry

_ANNOUNCE_LOOK = 0.25  # seconds; until it hears, two decide
_ANNOUNCE_AGAIN = 2.0  # seconds
_ANNOUNCED_FOR = 600.0  # seconds; one that was cut off for longer finds its answers too old to be told


class Chair(Protocol):
    """This agent's part in the election."""

    @property
    def elector(self) -> Elector | None:
        """Who takes part; None before the API server has been reached."""
        ...

    async def stand(self, address: str) -> None:
        """Take part from now on; the others may follow at this address, if there is one."""
        ...

    async def resign(self) -> None:
        """Take part no more, and let go of the Lease."""
        ...


class LeaseDuty:
    """One agent's duty among those that hold or follow one Lease.

    Attributes:
        every: how often it looks.
        follower: who listens to the leader; None before there is what it tells.
        telemetry: who shows what is so.
        loop: the agent's own loop; None before it begins.
    """

    every = timedelta(seconds=0.5)

    def __init__(
        self,
        chair: Chair,
        journal: Journal,
        line: Line,
        *,
        clock: Clock,
        is_tls: bool,
        place: Callable[[int], Place | None],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Prepare.

        Args:
            chair: the election.
            journal: what followers are told.
            line: how others are reached.
            clock: the time.
            is_tls: how this agent speaks, and so with whom it can.
            place: where others reach this agent, by the port on which it listens; None where they cannot.
            monotonic: seconds on this machine's own watch.
        """
        self._chair = chair
        self._journal = journal
        self._line = line
        self._clock = clock
        self._is_tls = is_tls
        self._own_place = place
        self._monotonic = monotonic
        self._led_at: int | None = None  # microseconds; when this agent last was seen to lead
        self._is_alone = False
        self._log = logger("peers")
        self.follower: Follower | None = None
        self.telemetry: PeersTelemetry | None = None
        self.loop: asyncio.AbstractEventLoop | None = None

    async def begin(self, port: int) -> None:
        """Take part; the server listens on a port."""
        self.loop = asyncio.get_running_loop()
        place = self._own_place(port)
        if place is None:
            mend = "with TLS give grpc.tls.clientCaFile; without a loopback address set POD_IP"
            self._log.warning("leader_would_not_be_followed", effect="each agent decides for itself", mend=mend)
        await self._chair.stand(str(place) if place is not None else "")

    def may_decide(self) -> bool:
        """Whether this agent may decide at this moment."""
        standing = self._standing()
        if standing is Standing.FOLLOWING:
            return self.leader() is None
        return standing in {Standing.LEADING, Standing.ACTING, Standing.ALONE}

    def must_rest(self) -> bool:
        """Whether another decides, whom this agent follows."""
        return self._standing() is Standing.FOLLOWING and self.leader() is not None

    def leader(self) -> Place | None:
        """Return where the leader is followed, None where there is none to follow."""
        elector = self._chair.elector
        if elector is None or elector.record is None or elector.standing is not Standing.FOLLOWING:
            return None
        place = Place.parse(elector.record.address)
        return place if place is not None and place.is_tls == self._is_tls else None

    def look(self, *, is_deciding: bool) -> None:
        """Open or end the leadership towards followers, and show what is so."""
        standing = self._standing()
        leads = is_deciding and standing in {Standing.LEADING, Standing.ACTING}
        if leads:
            self._led_at = microseconds(self._clock.now())
        if leads and not self._journal.term:
            self._journal.begin(uuid.uuid4().hex)
        if standing is Standing.FOLLOWING and self._journal.term:
            self._journal.begin("")
        if standing is Standing.FOLLOWING and not is_deciding and self._led_at is not None and self.follower:
            self.follower.was_complete(self._led_at)
            self._led_at = None
        self._tell_alone(standing is Standing.FOLLOWING and is_deciding)
        heard_at = self.follower.heard_at if self.follower else None
        silence = None if heard_at is None or standing is not Standing.FOLLOWING else self._monotonic() - heard_at
        if self.telemetry is not None:
            self.telemetry.standing_seen(standing.value, silence_seconds=silence)

    async def run(self) -> NoReturn:
        """Follow whoever leads, and tell the one before when this agent does; until cancelled."""
        async with asyncio.TaskGroup() as group:
            if self.follower is not None:
                group.create_task(self.follower.run(), name="follow")
            group.create_task(self._announce(), name="announce")
        raise AssertionError("neither ends")

    async def hand_over(self) -> None:
        """Let go of the Lease, what was to be kept being kept; followers have a moment to hear the last of it."""
        if self._journal.term:
            await asyncio.sleep(self.every.total_seconds())
        await self._chair.resign()
        self._journal.begin("")

    def hear(self, holder: str, transitions: int, address: str) -> None:
        """Hear from another agent who leads."""
        if self._chair.elector is not None:
            self._chair.elector.hear(holder, transitions, address)

    def fault(self) -> str | None:
        """Return why the leader is not heard; None where it is, or there is none to be heard."""
        reason = self.follower.reason if self.follower else None
        if reason is None or self._standing() is not Standing.FOLLOWING:
            return None
        return f"the leader is not heard: {reason}"

    def _standing(self) -> Standing:
        elector = self._chair.elector
        return Standing.UNTOLD if elector is None else elector.standing

    async def _announce(self) -> NoReturn:
        """Tell the leader before this one; it may not be able to ask the API server, and goes on until it hears."""
        told: object = None
        while True:
            await asyncio.sleep(_ANNOUNCE_LOOK)
            elector = self._chair.elector
            before = elector.before if elector is not None and elector.is_leading else None
            if elector is None or before is None or before is told or elector.record is None:
                continue
            place = Place.parse(before.address)
            if place is None or place.is_tls != self._is_tls or elector.led_for() > _ANNOUNCED_FOR:
                told = before
                continue
            now = elector.record
            try:
                message = proto.Leader(holder=now.holder, transitions=now.transitions, address=now.address)
                await self._line.announce(place, message)
                told = before
            except NotHeard as error:
                self._log.debug("leader_before_not_reached", place=str(place), reason=str(error))
                await asyncio.sleep(_ANNOUNCE_AGAIN)

    def _tell_alone(self, is_alone: bool) -> None:
        if is_alone and not self._is_alone:
            self._log.warning(
                "leader_cannot_be_followed", effect="this agent decides for itself, from the same sources"
            )
        self._is_alone = is_alone
