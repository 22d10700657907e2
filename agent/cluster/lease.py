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


class LeaseLost(Exception):
    """The Lease was not written: another was faster, or nobody answered; the message says which."""


class Leases(Protocol):
    """One Lease."""

    async def read(self) -> Record | None:
        """Return what it says, None where it is not there.

        Raises:
            LeaseLost: nobody answered.
        """
        ...

    async def write(self, record: Record) -> Record:
        """Put a record in the place of the version that it names, and return it with its new version.

        Raises:
            LeaseLost: another version is there, or nobody answered.
        """
        ...


class Elector:
    """One agent's part in the election."""

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
        self._leases, self._identity = leases, identity
        self._monotonic, self._now = monotonic, now
        self._seen: Record | None = None
        self._seen_at = 0.0
        self._renewed_at: float | None = None
        self._log = logger("lease")

    @property
    def is_leading(self) -> bool:
        """Whether this agent leads; it stops before another may begin, also when nobody answers it."""
        return self._renewed_at is not None and self._monotonic() - self._renewed_at < DEADLINE

    async def step(self) -> None:
        """Look at the Lease, and take or renew it where that is due; call it every `RETRY` seconds."""
        was_leading, began = self.is_leading, self._monotonic()
        try:
            self._look(await self._leases.read())
            if self._may_take():
                self._seen = await self._leases.write(self._mine())
                self._seen_at, self._renewed_at = self._monotonic(), began
            else:
                self._renewed_at = None
        except LeaseLost as error:
            self._log.debug("lease_not_written", reason=str(error))
        if self.is_leading != was_leading:
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
            await self._leases.write(replace(self._seen, holder=""))
        except LeaseLost as error:
            self._log.debug("lease_not_written", reason=str(error))

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
            return replace(seen, renewed=now)
        transitions = 0 if seen is None else seen.transitions + 1
        return Record(self._identity, now, now, transitions, "" if seen is None else seen.version)


def identity() -> str:
    """Return a name for this process that no other agent of the cluster has."""
    return os.environ.get("POD_NAME") or f"{socket.gethostname()}-{os.getpid()}"


def own_namespace() -> str:
    """Return the namespace of this agent's pod."""
    return os.environ.get("POD_NAMESPACE") or "default"
