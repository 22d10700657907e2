"""`foretide run` with TLS, a client that plays KEDA in another process, and certificates that change as Secrets do."""

from __future__ import annotations

import re
import shutil
import socket
import ssl
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests
from cryptography.x509 import DNSName, load_der_x509_certificate

from tests.certificates import LOOPBACK, Authority, MountedSecret, Pair
from tests.cluster.agent import DemandedAgent
from tests.real.agent.process import LONGEST
from tests.real.keda.conftest import Keda

pytestmark = pytest.mark.real

OPERATOR = "keda-operator.keda.svc"
METRIC = "s0-foretide-replicas"
CONFIG = """
grpc:
  tls:
    certFile: {folder}/tls.crt
    keyFile: {folder}/tls.key
    clientCaFile: {folder}/ca.crt
    allowedClientSans: [{operator}]
"""


@dataclass
class Rig:
    """An agent that asks clients for a certificate, and what its authority signs."""

    agent: DemandedAgent
    authority: Authority
    mounted: MountedSecret

    @property
    def endpoint(self) -> str:
        return self.agent.address

    def client(self, name: str, *, names: tuple[str, ...] = (), authority: Authority | None = None) -> list[str]:
        """Return the command line of a client with a certificate for some names."""
        pair = (authority or self.authority).sign(name, name, names=[*LOOPBACK, *map(DNSName, names)])
        return [
            *("--ca-cert", str(self.authority.file)),
            *("--client-cert", str(pair.certificate)),
            *("--client-key", str(pair.key)),
        ]

    def operator(self) -> list[str]:
        return self.client("operator", names=(OPERATOR,))

    def metric(self, series: str) -> float:
        text = requests.get(f"{self.agent.http}/metrics", timeout=LONGEST).text
        return next(float(line.split()[-1]) for line in text.splitlines() if line.startswith(f"{series} "))

    def shown(self) -> str:
        """Return the name of the certificate that a new connection gets."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        with socket.create_connection(self.address()) as tcp, context.wrap_socket(tcp) as connection:
            certificate = load_der_x509_certificate(connection.getpeercert(binary_form=True) or b"")
        return certificate.subject.rfc4514_string()

    def address(self) -> tuple[str, int]:
        host, port = self.endpoint.split(":")
        return host, int(port)


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    authority, mounted = Authority(tmp_path / "issued"), MountedSecret(tmp_path / "mounted")
    mounted.write(authority.sign("first", "first"), authority.file)
    config = CONFIG.format(folder=mounted.folder, operator=OPERATOR)
    agent = DemandedAgent(tmp_path, "ml", config=config)
    agent.demand(3)
    with agent:
        yield Rig(agent, authority, mounted)


def settled(polled: dict[str, object]) -> object:
    return polled.get("metrics", polled.get("error"))


def test_keda_is_answered_over_mutual_tls(rig: Rig) -> None:
    assert settled(rig.agent.poll(*rig.operator())) == {METRIC: 3.0}


def test_streams_outlive_a_renewed_certificate_that_new_connections_see(rig: Rig, keda: Keda) -> None:
    rig.agent.demand(0)
    listening = keda(rig, push=True, interval=60, tls=rig.operator())
    listening.hear(event="spec")
    while listening.hear(event="pushed")["active"]:  # what was said before the demand was gone
        pass
    until = rig.metric('foretide_grpc_certificate_not_after_timestamp_seconds{certificate="server"}')

    rig.mounted.write(rig.authority.sign("second", "second"), rig.authority.file)
    rig.agent.until(lambda _: rig.shown() == "CN=second", "a new connection gets the renewed certificate")
    assert rig.metric('foretide_grpc_certificate_not_after_timestamp_seconds{certificate="server"}') > until
    rig.agent.demand(5)
    assert listening.hear(event="pushed")["active"] is True
    assert settled(rig.agent.poll(*rig.operator())) == {METRIC: 5.0}
    listening.popen.kill()
    assert [line for line in listening.rest() if line["event"] == "stream ended"] == []


def test_a_pair_that_does_not_match_is_kept_out_counted_and_logged(rig: Rig) -> None:
    other = rig.authority.sign("other", "other")
    rig.mounted.write(Pair(other.certificate, rig.authority.sign("second", "second").key), rig.authority.file)
    failures = "foretide_grpc_certificate_reload_failures_total"
    rig.agent.until(lambda _: rig.metric(failures) >= 2, "the pair is looked at twice")
    assert rig.shown() == "CN=first"
    assert settled(rig.agent.poll(*rig.operator())) == {METRIC: 3.0}
    assert len(re.findall(r'"event": "grpc_certificate_refused".*is not the key of', rig.agent.log.read_text())) == 1


def test_a_client_that_is_not_listed_is_told_what_it_showed_and_keeps_the_spec(rig: Rig, keda: Keda) -> None:
    other = keda(rig, push=True, interval=60, tls=rig.client("prometheus", names=("prometheus.monitoring.svc",)))
    assert other.hear(event="spec")["targets"] == {"foretide-replicas": 1.0}
    assert str(other.hear(event="poll")["error"]) == (
        "PERMISSION_DENIED: the client certificate shows localhost, prometheus.monitoring.svc, and none is allowed to "
        "ask: put it into the agent's grpc.tls.allowedClientSans, or give the TriggerAuthentication the certificate of "
        "an allowed client"
    )
    assert other.hear(event="stream ended", rpc="StreamIsActive")["code"] == "PERMISSION_DENIED"


@pytest.mark.parametrize(
    "client",
    [
        lambda rig, tmp_path: [],
        lambda rig, tmp_path: ["--ca-cert", str(rig.authority.file)],
        lambda rig, tmp_path: rig.client("stranger", names=(OPERATOR,), authority=Authority(tmp_path / "other")),
        lambda rig, tmp_path: ["--ca-cert", str(Authority(tmp_path / "other").file)],
    ],
    ids=["plaintext", "no client certificate", "of another authority", "trusts another authority"],
)
def test_whom_the_handshake_keeps_out_gets_unavailable(
    rig: Rig, tmp_path: Path, client: Callable[[Rig, Path], list[str]]
) -> None:
    assert str(rig.agent.poll(*client(rig, tmp_path))["error"]).startswith("UNAVAILABLE: ")


def test_a_client_that_speaks_tls_to_a_plaintext_port_gets_unavailable(rig: Rig, tmp_path: Path) -> None:
    folder = tmp_path / "plaintext"
    folder.mkdir()
    with DemandedAgent(folder, "ml") as plaintext:
        assert str(plaintext.poll(*rig.operator())["error"]).startswith("UNAVAILABLE: ")
        assert settled(plaintext.poll()) == {METRIC: 0.0}


@pytest.mark.skipif(shutil.which("openssl") is None, reason="the openssl command is not there")
@pytest.mark.parametrize(("version", "is_spoken"), [("-tls1_1", False), ("-tls1_2", True), ("-tls1_3", True)])
def test_openssl_connects_from_tls_1_2_on(rig: Rig, version: str, is_spoken: bool) -> None:
    command = ["openssl", "s_client", "-connect", rig.endpoint, version, "-cipher", "ALL:@SECLEVEL=0"]
    done = subprocess.run(command, capture_output=True, text=True, input="", check=False, timeout=LONGEST)
    assert ("subject=CN = first" in done.stdout.replace("CN=", "CN = ")) is is_spoken
