from __future__ import annotations

import click
import pytest

from agent.cli.addresses import http_address, is_loopback, plaintext_fault
from agent.web.server import HttpAddress


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("127.0.0.1:8080", HttpAddress("127.0.0.1", 8080)),
        ("agent.ml.svc:80", HttpAddress("agent.ml.svc", 80)),
        ("[::1]:8080", HttpAddress("::1", 8080)),
        ("0.0.0.0:0", HttpAddress("0.0.0.0", 0)),
    ],
)
def test_host_and_port_are_an_address(text: str, address: HttpAddress) -> None:
    assert http_address(text) == address


@pytest.mark.parametrize("text", ["", ":8080", "8080", "host:", "host:-1", "host:65536", "http://host:80", "[]:80"])
def test_anything_else_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(click.BadParameter, match=r"is not HOST:PORT, such as 127\.0\.0\.1:8080"):
        http_address(text)


@pytest.mark.parametrize("address", ["127.0.0.1:6000", "127.9.9.9:1", "[::1]:6000", "localhost:6000"])
def test_a_loopback_address_may_be_plaintext(address: str) -> None:
    assert is_loopback(address)
    assert plaintext_fault(address) is None


@pytest.mark.parametrize(
    "address", ["0.0.0.0:6000", "[::]:6000", "10.0.0.7:6000", "foretide:6000", "localhost.example.com:6000", ":6000"]
)
def test_an_address_that_others_reach_is_not_plaintext_unasked(address: str) -> None:
    assert plaintext_fault(address) == (
        f"gRPC address {address}: other machines reach it, and there is no TLS. Give --grpc-cert-file and "
        "--grpc-key-file (grpc.tls), or --grpc-insecure (grpc.insecure) where a mesh or a NetworkPolicy guards the "
        "port, or a loopback address such as 127.0.0.1:6000"
    )
