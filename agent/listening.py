"""Who can reach an address, and whether plaintext may be spoken there."""

from __future__ import annotations

import ipaddress

PLAINTEXT_MEND = (
    "give --grpc-cert-file and --grpc-key-file (grpc.tls), or --grpc-insecure (grpc.insecure) where a mesh or a "
    "NetworkPolicy guards the port, or a loopback address such as 127.0.0.1:6000"
)


def is_loopback(address: str) -> bool:
    """Return whether a `host:port` can be reached from this machine alone."""
    host = address.rpartition(":")[0].removeprefix("[").removesuffix("]")
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:  # a name may lead anywhere
        return False


def plaintext_fault(address: str) -> str | None:
    """Return why nobody should listen without TLS on a gRPC address; None where only this machine hears.

    What is asked there is not secret to most, but who answers decides how many replicas run.
    """
    return None if is_loopback(address) else f"gRPC address {address}: other machines reach it, and there is no TLS"
