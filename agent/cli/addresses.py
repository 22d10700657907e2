"""Addresses as people give them to the command line."""

from __future__ import annotations

import ipaddress

import click

from agent.web.server import HttpAddress


def http_address(text: str) -> HttpAddress:
    """Return `host:port`, with brackets around an IPv6 host, as an address.

    Raises:
        click.BadParameter: it has another form.
    """
    bracketed, _, port = text.rpartition(":")
    host = bracketed.removeprefix("[").removesuffix("]")
    if not host or "/" in host or not port.isdecimal() or int(port) > 65535:
        raise click.BadParameter(f"{text!r} is not HOST:PORT, such as 127.0.0.1:8080", param_hint="--http-address")
    return HttpAddress(host, int(port))


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
    """Return why nobody should listen without TLS on a gRPC address, and the mend; None where only this machine hears.

    What is asked there is not secret to most, but who answers decides how many replicas run.
    """
    if is_loopback(address):
        return None
    return (
        f"gRPC address {address}: other machines reach it, and there is no TLS. Give --grpc-cert-file and "
        "--grpc-key-file (grpc.tls), or --grpc-insecure (grpc.insecure) where a mesh or a NetworkPolicy guards the "
        "port, or a loopback address such as 127.0.0.1:6000"
    )
