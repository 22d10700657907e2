"""Builds what one agent needs to lead others, and to follow one."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable

from agent.clock import Clock
from agent.cluster.peers.address import own_place
from agent.cluster.peers.copying import Copying, Kept
from agent.cluster.peers.dialling import GrpcLine
from agent.cluster.peers.duty import Chair, LeaseDuty
from agent.cluster.peers.follower import Follower
from agent.cluster.peers.journal import Journal
from agent.cluster.peers.service import PeersService
from agent.cluster.peers.shared_store import SharedStore
from agent.engine import Engine
from agent.history.store import Store
from agent.parts import Parts
from scalers.keda.identity import AllowedClients
from scalers.keda.tls import ServingTls


class Sharing:
    """What is there before the parts are that are shared, and what is built on them.

    Attributes:
        journal: what followers are told.
        duty: whether this agent decides.
    """

    def __init__(self, chair: Chair, clock: Clock, *, grpc_address: str, tls: ServingTls | None) -> None:
        """Prepare for an election, and for a server that listens on an address."""
        self.journal = Journal()
        self._line = GrpcLine(tls)
        self.duty = LeaseDuty(
            chair,
            self.journal,
            self._line,
            clock=clock,
            is_tls=tls is not None,
            place=lambda port: own_place(grpc_address, port, tls),
        )
        self._clock = clock
        self._tls = tls
        self._own_store: Store | None = None

    def shared(self, store: Store) -> Store:
        """Return a store of which followers hear; what this agent hears goes past it."""
        self._own_store = store
        return SharedStore(store, self.journal)

    def join(self, parts: Parts) -> PeersService:
        """Let the parts follow, and return what followers of theirs ask."""
        own_store = self._own_store or parts.store
        self.duty.follower = Follower(self._line, own_store, parts.storing, parts.engine, leader=self.duty.leader)
        self.duty.telemetry = parts.telemetry.peers
        copying = Copying(parts.store, parts.storing, self._clock, lambda: kept_of(parts.engine))
        return PeersService(
            self.journal,
            copying,
            self.duty,
            parts.telemetry.peers,
            clock=self._clock,
            agents=lambda: agents_of(self._tls),
            own_loop=lambda: self.duty.loop,
        )


def kept_of(engine: Engine) -> Iterable[Kept]:
    """Return what the store has of the policies at work."""
    for watched in engine.watched:
        signals = [(signal.stored_as, signal.policy.step) for signal in watched.decider.signals.values()]
        yield Kept(watched.key, watched.assignment.policy.history, signals)


def agents_of(tls: ServingTls | None) -> AllowedClients | None:
    """Return who counts as an agent: whose certificate shows a name of our own. All do where there is no TLS.

    All agents share one certificate. Addresses are no names of agents: a client of KEDA's may have the same.
    """
    if tls is None:
        return None
    return AllowedClients.parse([name for name in tls.material.names if not _is_address(name)])


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
