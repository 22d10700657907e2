"""Addresses as people give them to the command line."""

from __future__ import annotations

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


def reachable(address: str) -> str:
    """Return an address to connect to for one to listen on."""
    return address.replace("0.0.0.0", "127.0.0.1").replace("[::]", "[::1]")  # noqa: S104 - nothing is bound
