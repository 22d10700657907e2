from __future__ import annotations

import pytest

from agent.listening import is_loopback, plaintext_fault


@pytest.mark.parametrize("address", ["127.0.0.1:6000", "127.9.9.9:1", "[::1]:6000", "localhost:6000"])
def test_a_loopback_address_may_be_plaintext(address: str) -> None:
    assert is_loopback(address)
    assert plaintext_fault(address) is None


@pytest.mark.parametrize(
    "address", ["0.0.0.0:6000", "[::]:6000", "10.0.0.7:6000", "foretide:6000", "localhost.example.com:6000", ":6000"]
)
def test_an_address_that_others_reach_is_not_plaintext_unasked(address: str) -> None:
    assert plaintext_fault(address) == f"gRPC address {address}: other machines reach it, and there is no TLS"
