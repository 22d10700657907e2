from __future__ import annotations

import click
import pytest

from agent.cli.addresses import http_address
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
