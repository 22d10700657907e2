"""Where an agent is reached by others, and by whom it is not."""

from __future__ import annotations

from ipaddress import IPv4Address
from pathlib import Path

import pytest
from cryptography.x509 import DNSName, IPAddress

from agent.cluster.peers.address import Place, own_place
from agent.cluster.peers.sharing import agents_of
from scalers.keda.certificates import TlsFiles
from scalers.keda.tls import ServingTls
from tests.certificates import Authority, MountedSecret


def served(folder: Path, *, mutual: bool) -> ServingTls:
    authority, mounted = Authority(folder / "issued"), MountedSecret(folder / "mounted")
    names = [DNSName("foretide.foretide"), IPAddress(IPv4Address("10.0.0.1"))]
    mounted.write(authority.sign("agent", "agent", names=names), authority.file)
    return ServingTls(TlsFiles(mounted.certificate, mounted.key, mounted.authority if mutual else None))


@pytest.mark.parametrize("text", ["plaintext://10.0.0.1:6000", "tls://10.0.0.1:6000", "tls://[fd00::7]:6000"])
def test_what_a_lease_says_is_read_as_it_was_written(text: str) -> None:
    assert str(Place.parse(text)) == text


@pytest.mark.parametrize(
    "text", ["", "10.0.0.1:6000", "http://10.0.0.1:6000", "tls://leader.example.com:6000", "tls://"]
)
def test_what_is_no_address_of_a_pod_is_none(text: str) -> None:
    assert Place.parse(text) is None


def test_for_all_addresses_the_pods_own_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POD_IP", "10.0.0.7")
    assert str(own_place("0.0.0.0:6000", 6000, None)) == "plaintext://10.0.0.7:6000"
    assert str(own_place("127.0.0.1:0", 40001, None)) == "plaintext://127.0.0.1:40001"
    monkeypatch.delenv("POD_IP")
    assert own_place("0.0.0.0:6000", 6000, None) is None


def test_over_tls_without_authorities_of_clients_nobody_is_known_to_be_an_agent(tmp_path: Path) -> None:
    assert own_place("10.0.0.1:6000", 6000, served(tmp_path, mutual=False)) is None


def test_over_tls_an_agent_shows_a_name_of_the_certificate_that_all_share(tmp_path: Path) -> None:
    tls = served(tmp_path, mutual=True)
    assert str(own_place("10.0.0.1:6000", 6000, tls)) == "tls://10.0.0.1:6000"
    agents = agents_of(tls)
    assert agents is not None
    assert (agents.dns, agents.uris) == ({"foretide.foretide"}, set())
    assert agents_of(None) is None
