"""Where an agent is reached by others, as its Lease tells it: `tls://10.0.0.7:6000`, or `plaintext://…`.

The word in front says how it speaks, so that during an upgrade from one to the other nobody dials in vain.
"""

from __future__ import annotations

import ipaddress
import os
from dataclasses import dataclass
from typing import Self

from scalers.keda.tls import ServingTls

_TLS, _PLAINTEXT = "tls", "plaintext"
_ALL = ("0.0.0.0", "::", "")  # noqa: S104 - compared with, not listened on


@dataclass(frozen=True, slots=True)
class Place:
    """Host and port, and how they speak there."""

    host: str
    port: int
    is_tls: bool

    @property
    def target(self) -> str:
        """As gRPC dials it."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    def __str__(self) -> str:
        return f"{_TLS if self.is_tls else _PLAINTEXT}://{self.target}"

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """Return what a Lease says, None where that is nothing to be understood."""
        scheme, _, target = text.partition("://")
        host, _, port = target.rpartition(":")
        if scheme not in {_TLS, _PLAINTEXT} or not port.isdecimal():
            return None
        try:
            ipaddress.ip_address(host.strip("[]"))
        except ValueError:
            return None
        return cls(host.strip("[]"), int(port), scheme == _TLS)


def own_place(grpc_address: str, port: int, tls: ServingTls | None) -> Place | None:
    """Return where other agents reach this one; None where they cannot, or could not be told from strangers.

    Args:
        grpc_address: what the server was told to listen on; for all addresses the pod's own counts (`POD_IP`).
        port: where it listens.
        tls: how it speaks.
    """
    host = grpc_address.rpartition(":")[0].strip("[]")
    host = os.environ.get("POD_IP", "") if host in _ALL else host
    if tls is not None and not tls.asks_clients:
        return None
    return Place.parse(str(Place("127.0.0.1" if host == "localhost" else host, port, tls is not None)))
