"""Who of several agents leads: the one that holds a Lease of coordination.k8s.io, by the rules of client-go.

Clocks are not compared across machines: a lease has run out when it has not changed for its duration on the watch of
whoever looks (k8s.io/client-go/tools/leaderelection).
"""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import NoReturn, Protocol

from agent.log import logger

DURATION, DEADLINE, RETRY = 15.0, 10.0, 2.0  # seconds; client-go's


@dataclass(frozen=True, slots=True)
class Record:
    """What a Lease says."""

    holder: str  # empty where nobody holds it
    acquired: datetime
    renewed: datetime
    transitions: int
    version: str  # resourceVersion, empty for one that is not there yet
    address: str = ""  # where other agents follow the holder; empty where they cannot


class LeaseLost(Exception):
    """The Lease was not written: another was faster, or nobody answered; the message says which."""


class LeaseUnanswered(LeaseLost):
    """Nobody answered, or the API server could not: who leads is not known."""


class LeaseForbidden(LeaseUnanswered):
    """This agent may not read or write it, which no time mends."""


class Standing(StrEnum):
    """What an agent is to the others."""

    LEADING = "leading"  # it holds the Lease
    ACTING = "acting"  # it held it last, and nobody can be asked: it decides on, and writes nothing
    FOLLOWING = "following"  # another holds it
    ALONE = "alone"  # it may not take part in the election
    UNTOLD = "untold"  # who holds it is not known, for the moments that it takes to ask


class Leases(Protocol):
    """One Lease."""

    async def read(self) -> Record | None:
        """Return what it says, None where it is not there.

        Raises:
            LeaseUnanswered: nobody answered.
        """
        ...

    async def write(self, record: Record) -> Record:
        """Put a record in the place of the version that it names, and return it with its new version.

        Raises:
            LeaseLost: another version is there.
            LeaseUnanswered: nobody answered.
        """
        ...


class Elector:
    """One agent's part in the election.

    Attributes:
        address: where the others follow this agent while it leads.
        before: what the Lease said when this agent took it; None where nobody held it, or another does.
    """

    def __init__(
        self,
        leases: Leases,
        identity: str,
        *,
        monotonic: Callable[[], float],
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """Take part under a name that no other agent has.

        Args:
            leases: the Lease.
            identity: the name, such as the pod's.
            monotonic: seconds on this machine's own watch.
            now: what the Lease says to people.
        """
        self.address = ""
        self.before: Record | None = None
        self._leases, self._identity = leases, identity
        self._monotonic, self._now = monotonic, now
        self._seen: Record | None = None
        self._seen_at = 0.0
        self._renewed_at: float | None = None
        self._took_at = 0.0
        self._was_told = False  # whether this agent leads, as the log has it
        self._is_forbidden = False
        self._is_unanswered = False  # since the Lease that this agent held has run out
        self._log = logger("lease")

    @property
    def is_leading(self) -> bool:
        """Whether this agent leads; it stops before another may begin, also when nobody answers it."""
        return self._renewed_at is not None and self._monotonic() - self._renewed_at < DEADLINE

    @property
    def standing(self) -> Standing:
        """What this agent is; may be asked at any time, and changes by itself when the Lease runs out.

        A leader that was stopped for a while finds its Lease run out, and decides nothing before it has asked.
        """
        if self.is_leading:
            return Standing.LEADING
        if self._seen is None or not self._seen.holder:
            return Standing.ALONE if self._is_forbidden else Standing.UNTOLD
        if self._seen.holder != self._identity:
            return Standing.FOLLOWING
        return Standing.ACTING if self._is_unanswered else Standing.UNTOLD

    def led_for(self) -> float:
        """Return how long ago this agent took the Lease, seconds."""
        return self._monotonic() - self._took_at

    @property
    def record(self) -> Record | None:
        """What the Lease said last."""
        return self._seen

    def hear(self, holder: str, transitions: int, address: str) -> None:
        """Take another agent's word for who leads, where this one cannot ask.

        One that holds the Lease needs nobody's word, and an older leader than the last one known is none.
        """
        if self.is_leading or holder == self._identity:
            return
        if self._seen is None or transitions > self._seen.transitions:
            now = self._now()
            self._seen, self._seen_at = Record(holder, now, now, transitions, "", address), self._monotonic()
            self._renewed_at = None
            self._log.info("leader_announced", holder=holder)

    async def step(self) -> None:
        """Look at the Lease, and take or renew it where that is due; call it every `RETRY` seconds."""
        was_leading, began = self.is_leading, self._monotonic()
        try:
            self._look(await self._leases.read())
            if self._may_take():
                before = self._seen
                self._seen = await self._leases.write(self._mine())
                self._seen_at, self._renewed_at = self._monotonic(), began
                if not was_leading and (before is None or before.holder != self._identity):
                    self.before, self._took_at = before, began
            else:
                self._renewed_at = None
            self._is_unanswered = self._is_forbidden = False
        except LeaseLost as error:
            self._tell_forbidden(isinstance(error, LeaseForbidden), str(error))
            # a call that began while the Lease was held may have failed by a pause of this process
            self._is_unanswered = isinstance(error, LeaseUnanswered) and not was_leading
            self._log.debug("lease_not_written", reason=str(error))
        if self.is_leading != self._was_told:  # the Lease may also have run out between two steps
            self._was_told = self.is_leading
            self._log.info("leading" if self.is_leading else "following", identity=self._identity)

    async def run(self) -> NoReturn:
        """Take part until cancelled."""
        while True:
            await self.step()
            await asyncio.sleep(RETRY)

    async def release(self) -> None:
        """Let go of the Lease, so that the next need not wait until it runs out."""
        if not self.is_leading or self._seen is None:
            return
        self._renewed_at = None
        try:
            self._seen = await self._leases.write(replace(self._seen, holder="", address=""))
        except LeaseLost as error:
            self._log.debug("lease_not_written", reason=str(error))

    def _tell_forbidden(self, is_forbidden: bool, reason: str) -> None:
        if is_forbidden and not self._is_forbidden:
            mend = "let the service account get, create and update leases.coordination.k8s.io in the agent's namespace"
            self._log.error("lease_forbidden", reason=reason, mend=mend)
        self._is_forbidden = is_forbidden

    def _look(self, record: Record | None) -> None:
        if record is None or self._seen is None or record.version != self._seen.version:
            self._seen, self._seen_at = record, self._monotonic()

    def _may_take(self) -> bool:
        if self._seen is None or self._seen.holder in ("", self._identity):
            return True
        return self._monotonic() - self._seen_at >= DURATION

    def _mine(self) -> Record:
        now, seen = self._now(), self._seen
        if seen is not None and seen.holder == self._identity:
            return replace(seen, renewed=now, address=self.address)
        transitions = 0 if seen is None else seen.transitions + 1
        return Record(self._identity, now, now, transitions, "" if seen is None else seen.version, self.address)


def identity() -> str:
    """Return a name for this process that no other agent of the cluster has."""
    return os.environ.get("POD_NAME") or f"{socket.gethostname()}-{os.getpid()}"


def own_namespace() -> str:
    """Return the namespace of this agent's pod."""
    return os.environ.get("POD_NAMESPACE") or "default"
