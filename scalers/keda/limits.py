"""How much one request, connection, client or namespace may ask of the server; beyond that it is refused, cheaply.

`GetMetricSpec` is under none of these but the size of a message and of its headers: it may never fail.
"""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

import grpc

from scalers.keda.refusal import RpcRefused

_MOST_NAMESPACES = 4096  # remembered at a time; a name is at most 63 characters
_LONGEST_NAMESPACE = 63  # characters, as Kubernetes has it


class Limit(StrEnum):
    """What has been exceeded; the names become a label of a metric."""

    METADATA = "metadata"
    CALLS = "calls_per_namespace"
    CONNECTION = "streams_per_connection"
    CLIENT = "streams_per_client"


@dataclass(frozen=True, slots=True)
class Limits:
    """The most that the server takes. Whatever KEDA itself can ask stays below the defaults."""

    # etcd stores no object above 1.5 MiB, so no ScaledObject can make a GetMetricSpec fail by its metadata.
    message_bytes: int = 2 * 1024**2
    # Of one call. KEDA sends some 200 bytes; a mesh adds the client's certificate, tracing its baggage.
    header_bytes: int = 16 * 1024
    # KEDA's own keys are a handful, and ours are eight.
    metadata_entries: int = 100
    metadata_key: int = 253  # characters, the longest name in Kubernetes
    metadata_value: int = 16 * 1024  # characters: a chain of certificates fits that somebody put into the wrong place
    # KEDA holds two for each external-push trigger, all on one connection: 20,000 triggers. Some 25 KiB each.
    streams_per_connection: int = 40_000
    # A client is an address. Triggers with other TLS settings are a connection of their own.
    streams_per_client: int = 80_000
    # GetMetricSpec apart, KEDA asks 0.2 times a second for a ScaledObject with one trigger and 0.6 times with three:
    # 10,000 ScaledObjects of one namespace, or 3,300. One core answers not much more.
    calls_per_second: int = 2_000
    # A KEDA that starts asks all at once.
    calls_at_once: int = 40_000


class LimitExceeded(RpcRefused):
    """Ends an RPC that asks for too much.

    Attributes:
        limit: which limit it was.
    """

    def __init__(self, limit: Limit, sentence: str) -> None:
        too_long = limit is Limit.METADATA
        code = grpc.StatusCode.INVALID_ARGUMENT if too_long else grpc.StatusCode.RESOURCE_EXHAUSTED
        super().__init__(code, sentence)
        self.limit = limit


class CallRates:
    """How fast each namespace asks: at a steady rate, with a reserve for the moment in which KEDA starts.

    The generic cell rate algorithm (ITU-T I.371): of a namespace only the instant is kept at which all it has asked
    would be done at the steady rate. One that lies in the past says nothing, and is forgotten once there are many.
    """

    def __init__(self, limits: Limits, clock: Callable[[], float] = time.monotonic) -> None:
        self._per_second = limits.calls_per_second
        self._seconds_each = 1 / limits.calls_per_second
        self._reserve = (limits.calls_at_once - 0.99) * self._seconds_each  # 0.01 against rounding
        self._clock = clock
        self._done_at: dict[str, float] = {}

    def take(self, namespace: str) -> None:
        """Count one call of a namespace.

        Raises:
            LimitExceeded: it asks faster than it may.
        """
        namespace = namespace[:_LONGEST_NAMESPACE]
        now = self._clock()
        done_at = max(self._done_at.get(namespace, now), now)
        if done_at - now > self._reserve:
            raise LimitExceeded(Limit.CALLS, self._sentence(namespace))
        if len(self._done_at) >= _MOST_NAMESPACES:
            self._forget(now)
        self._done_at[namespace] = done_at + self._seconds_each

    def __len__(self) -> int:
        return len(self._done_at)

    def _forget(self, now: float) -> None:
        self._done_at = {namespace: done_at for namespace, done_at in self._done_at.items() if done_at > now}
        if len(self._done_at) >= _MOST_NAMESPACES:
            self._done_at.clear()  # more namespaces than any cluster has, all in a hurry: they are made up

    def _sentence(self, namespace: str) -> str:
        return (
            f'the triggers of namespace "{namespace}" ask more than {self._per_second:,} times a second: raise the '
            "pollingInterval of its ScaledObjects, or grpc.limits.callsPerSecond of the agent's configuration"
        )


class OpenStreams:
    """How many streams each connection and each client holds open."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._of_connections: Counter[str] = Counter()
        self._of_clients: Counter[str] = Counter()

    def open(self, peer: str) -> str:
        """Take one in, and return what names its peer for as long as it is open.

        Args:
            peer: as gRPC names it: `ipv4:10.0.0.7:41234`, a new port for each connection.

        Raises:
            LimitExceeded: the connection, or all of the client's, hold as many as they may.
        """
        peer = sys.intern(peer)  # one text for all streams of a connection
        client = _client(peer)
        if self._of_connections[peer] >= self._limits.streams_per_connection:
            raise LimitExceeded(Limit.CONNECTION, _too_many(peer, self._limits.streams_per_connection, "Connection"))
        if self._of_clients[client] >= self._limits.streams_per_client:
            raise LimitExceeded(Limit.CLIENT, _too_many(client, self._limits.streams_per_client, "Client"))
        self._of_connections[peer] += 1
        self._of_clients[client] += 1
        return peer

    def close(self, peer: str) -> None:
        """Let one go, by what `open` returned."""
        for counts, holder in ((self._of_connections, peer), (self._of_clients, _client(peer))):
            counts[holder] -= 1
            if not counts[holder]:
                del counts[holder]

    def __len__(self) -> int:
        return self._of_clients.total()


def _client(peer: str) -> str:
    return peer.rpartition(":")[0]


def _too_many(holder: str, most: int, whose: str) -> str:
    return (
        f"{holder} holds {most:,} streams open, the most that one {whose.lower()} may: use type `external` where a "
        f"trigger needs no push, or raise grpc.limits.streamsPer{whose} of the agent's configuration"
    )
