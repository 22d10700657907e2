"""What doctor says of certificates, against a real server on a loopback port."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner
from cryptography.x509 import DNSName

from agent.cli import main
from agent.doctor.finding import Finding, Level
from agent.doctor.keda import play_keda_at
from agent.doctor.tls import KedaTls, check_tls
from scalers.keda.certificates import TlsFiles
from scalers.keda.identity import AllowedClients
from scalers.keda.server import KedaServer, ServerSettings
from scalers.keda.tls import ServingTls
from tests.certificates import Authority, Pair
from tests.fakes.board import CHAT, HeldBoard, needing
from tests.fakes.rpcs import RecordedRpcs
from tests.unit.agent.doctor.test_keda import POLICY

Serve = Callable[..., str]


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path / "issued")


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Starts a server that shows a pair, and returns its address."""
    started: list[KedaServer] = []

    def start(pair: Pair | None, clients: Authority | None = None, *, allowed: tuple[str, ...] = ()) -> str:
        tls = None
        if pair is not None:
            files = TlsFiles(pair.certificate, pair.key, clients.file if clients else None)
            tls = ServingTls(files, clients=AllowedClients.parse(allowed) if allowed else None)
        board = HeldBoard()
        board.put(CHAT, needing(10.7))
        started.append(KedaServer(board, RecordedRpcs(), ServerSettings(drain_delay=timedelta(0)), tls=tls))
        return f"localhost:{started[-1].start('127.0.0.1:0')}"

    yield start
    for server in started:
        server.stop(timedelta(0))


def trusting(authority: Authority, client: Pair | None = None, server_name: str | None = None) -> KedaTls:
    pair = (client.certificate, client.key) if client else (None, None)
    return KedaTls(authority.file, *pair, server_name)


def failed(findings: list[Finding]) -> tuple[str, str]:
    (finding,) = findings
    assert (finding.check, finding.level) == ("TLS", Level.FAIL)
    return finding.what, finding.mend


def test_a_good_certificate_is_told_with_its_end(authority: Authority, serve: Serve) -> None:
    address = serve(authority.sign("server", "server"))
    (finding,) = check_tls(address, trusting(authority))
    assert finding.level is Level.OK
    assert finding.what.startswith("TLSv1.3, certificate for localhost, valid until 2")


def test_one_that_should_have_been_renewed_is_a_warning(authority: Authority, serve: Serve) -> None:
    address = serve(authority.sign("server", "server", begins=timedelta(days=-9), ends=timedelta(days=1)))
    (finding,) = check_tls(address, trusting(authority))
    assert finding.level is Level.WARN
    assert finding.what.endswith(": its renewal is late")


def test_an_expired_certificate_is_told_with_the_day(authority: Authority, serve: Serve) -> None:
    pair = authority.sign("server", "server", begins=timedelta(days=-2), ends=timedelta(days=-1))
    what, mend = failed(check_tls(serve(pair), trusting(authority)))
    assert what.startswith("the agent's certificate has expired on 2")
    assert what.endswith("UTC: KEDA would get no connection")
    assert mend == "issue the certificate anew; the agent takes it up within 5 s"


def test_one_that_is_not_valid_yet_is_told(authority: Authority, serve: Serve) -> None:
    pair = authority.sign("server", "server", begins=timedelta(days=1), ends=timedelta(days=2))
    what, _ = failed(check_tls(serve(pair), trusting(authority)))
    assert what.startswith("the agent's certificate is not valid before 2")


def test_a_name_that_is_missing_is_told_with_those_that_are_there(authority: Authority, serve: Serve) -> None:
    pair = authority.sign("server", "localhost", names=[DNSName("foretide.ml"), DNSName("foretide.ml.svc")])
    address = serve(pair)
    assert failed(check_tls(address, trusting(authority))) == (
        "the agent's certificate is for foretide.ml, foretide.ml.svc, and not for localhost: "
        "KEDA would get no connection",
        "issue it for the host of the triggers' scalerAddress; where that is another one, give --server-name",
    )
    (finding,) = check_tls(address, trusting(authority, server_name="foretide.ml"))
    assert finding.level is Level.OK


def test_an_unknown_authority_is_told_by_name(authority: Authority, serve: Serve, tmp_path: Path) -> None:
    other = Authority(tmp_path / "other", name="other")
    address = serve(authority.sign("server", "server"))
    assert failed(check_tls(address, trusting(other))) == (
        f"the agent's certificate is of CN=authority, an authority that neither {other.file} nor the system holds: "
        "KEDA would get no connection",
        "give --ca-cert, and KEDA caCert in the TriggerAuthentication, that authority's certificate",
    )
    assert "an authority that the system does not hold" in failed(check_tls(address, KedaTls()))[0]


def test_a_client_certificate_that_is_missing_is_told(authority: Authority, serve: Serve) -> None:
    address = serve(authority.sign("server", "server"), authority)
    what, mend = failed(check_tls(address, trusting(authority)))
    assert what == "the agent hangs up on a client without a certificate: KEDA would get no connection"
    assert mend.startswith("give --client-cert and --client-key")


@pytest.mark.parametrize("flaw", ["of another authority", "expired"])
def test_a_client_certificate_that_the_agent_does_not_take_is_told(
    authority: Authority, serve: Serve, tmp_path: Path, flaw: str
) -> None:
    address = serve(authority.sign("server", "server"), authority)
    client = (
        authority.sign("client", "client", begins=timedelta(days=-2), ends=timedelta(days=-1))
        if flaw == "expired"
        else Authority(tmp_path / "other").sign("client", "client")
    )
    what, mend = failed(check_tls(address, trusting(authority, client)))
    assert what == f"the agent hangs up on the client certificate {client.certificate}: KEDA would get no connection"
    assert mend.startswith("give the pair of an authority in the agent's clientCaFile, valid now")


def test_files_that_are_no_pair_are_told(authority: Authority, serve: Serve) -> None:
    address = serve(authority.sign("server", "server"))
    client, other = authority.sign("client", "client"), authority.sign("other", "other")
    what, mend = failed(check_tls(address, trusting(authority, Pair(client.certificate, other.key))))
    assert what.startswith("cannot be used: ")
    assert "mismatch" in what.lower()
    assert mend == "give PEM files, the key of the certificate among them"


def test_an_agent_in_plaintext_is_told_from_one_in_tls(authority: Authority, serve: Serve) -> None:
    plaintext = serve(None)
    assert failed(play_keda_at(plaintext, [CHAT], tls=trusting(authority)))[0] == (
        f"{plaintext} answers in plaintext: KEDA with these certificates would get no connection"
    )
    guarded = serve(authority.sign("server", "server"))
    assert failed(play_keda_at(guarded, [CHAT], tls=None))[0] == (
        "the agent speaks TLS, and was asked in plaintext: KEDA would get no connection"
    )


def test_where_nothing_listens_tls_is_not_spoken_of(authority: Authority) -> None:
    with closing(socket.socket()) as taken:
        taken.bind(("127.0.0.1", 0))  # bound, so nobody else gets it, and not listening
        (finding,) = play_keda_at(f"127.0.0.1:{taken.getsockname()[1]}", [CHAT], tls=trusting(authority))
    assert (finding.check, finding.level) == ("agent", Level.FAIL)


def test_all_that_keda_asks_is_asked_over_mutual_tls(authority: Authority, serve: Serve) -> None:
    address = serve(authority.sign("server", "server"), authority, allowed=("localhost",))
    findings = play_keda_at(address, [CHAT], tls=trusting(authority, authority.sign("client", "client")))
    assert [finding.level for finding in findings] == [Level.OK] * 7  # the certificates, five calls, their times


def test_a_client_that_is_not_listed_is_told_so(authority: Authority, serve: Serve) -> None:
    address = serve(authority.sign("server", "server"), authority, allowed=("keda-operator.keda.svc",))
    findings = play_keda_at(address, [CHAT], tls=trusting(authority, authority.sign("client", "client")))
    value = next(finding for finding in findings if finding.check.endswith("GetMetrics"))
    assert "PERMISSION_DENIED: the client certificate shows localhost, and none is allowed to ask" in value.what
    assert value.mend.startswith("give --client-cert and --client-key of a client in the agent's")


def asked(tmp_path: Path, address: str, *words: str) -> list[dict[str, str]]:
    (tmp_path / "chat.yaml").write_text(POLICY)
    policies = ["--policies", str(tmp_path / "chat.yaml"), "--grpc-address", address]
    return list(json.loads(CliRunner().invoke(main, ["doctor", "--keda", "--json", *policies, *words]).stdout))


def test_the_command_takes_kedas_side_as_files(authority: Authority, serve: Serve, tmp_path: Path) -> None:
    pair = authority.sign("client", "client")
    words = ["--ca-cert", str(authority.file), "--client-cert", str(pair.certificate), "--client-key", str(pair.key)]
    findings = asked(tmp_path, serve(authority.sign("server", "server"), authority), *words)
    assert [finding["level"] for finding in findings] == ["OK"] * 7


def test_the_command_speaks_tls_where_the_agents_configuration_does(
    authority: Authority, serve: Serve, tmp_path: Path
) -> None:
    pair = authority.sign("server", "server")
    words = ["--grpc-cert-file", str(pair.certificate), "--grpc-key-file", str(pair.key)]
    (finding,) = asked(tmp_path, serve(pair), *words)
    assert "an authority that the system does not hold" in finding["what"]


def test_half_a_client_pair_is_refused(authority: Authority) -> None:
    result = CliRunner().invoke(main, ["doctor", "--keda", "--client-cert", str(authority.file)])
    assert result.exit_code == 2
    assert "a client certificate is a pair: give both --client-cert and --client-key" in result.output
