"""A real server on a loopback port that speaks TLS, its clients, and files that change under it."""

from __future__ import annotations

import socket
import ssl
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import grpc
import pytest
from cryptography.x509 import DNSName, load_der_x509_certificate

from scalers.keda.certificates import TlsFiles, UnusableCertificate
from scalers.keda.identity import AllowedClients
from scalers.keda.proto.externalscaler_pb2 import GetMetricsRequest, ScaledObjectRef
from scalers.keda.proto.externalscaler_pb2_grpc import ExternalScalerStub
from scalers.keda.server import KedaServer
from scalers.keda.tls import ServingTls
from tests.certificates import LOOPBACK, Authority, MountedSecret, Pair
from tests.fakes.board import CHAT, IDLE, HeldBoard, needing
from tests.fakes.rpcs import RecordedRpcs
from tests.unit.scalers.keda.conftest import PATIENT, SOON

OPERATOR = "keda-operator.keda.svc"


@dataclass
class Rig:
    """What is served, from which files, and by whose authority."""

    authority: Authority
    mounted: MountedSecret
    board: HeldBoard
    rpcs: RecordedRpcs
    tls: ServingTls
    port: int

    def renew(self, name: str, **validity: timedelta) -> None:
        """Put a new certificate in place, for this machine and one more name."""
        self.mounted.write(issued(self.authority, name, **validity), self.authority.file)

    def shown(self) -> str:
        """Return the name that marks the certificate of a new connection."""
        with socket.create_connection(("127.0.0.1", self.port)) as tcp, context().wrap_socket(tcp) as connection:
            certificate = load_der_x509_certificate(connection.getpeercert(binary_form=True) or b"")
        return certificate.subject.rfc4514_string()

    def channel(self, client: Pair | None = None, authority: Authority | None = None) -> grpc.Channel:
        pair = (client.key.read_bytes(), client.certificate.read_bytes()) if client else (None, None)
        credentials = grpc.ssl_channel_credentials((authority or self.authority).file.read_bytes(), *pair)
        own = [("grpc.use_local_subchannel_pool", 1)]  # else channels of one process share a connection
        return grpc.secure_channel(f"localhost:{self.port}", credentials, options=own)


def issued(authority: Authority, name: str, **validity: timedelta) -> Pair:
    return authority.sign(name, name, **validity)  # type: ignore[arg-type]  # timedeltas only


def context(version: ssl.TLSVersion = ssl.TLSVersion.TLSv1_2) -> ssl.SSLContext:
    """Return a client that trusts anybody, and speaks one version."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    made.check_hostname, made.verify_mode = False, ssl.CERT_NONE
    made.set_ciphers("ALL:@SECLEVEL=0")  # or OpenSSL itself would offer no TLS 1.1
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        made.minimum_version = made.maximum_version = version
    return made


def serve(tmp_path: Path, *, mutual: bool, allowed: AllowedClients | None = None) -> Iterator[Rig]:
    authority, mounted = Authority(tmp_path / "issued"), MountedSecret(tmp_path / "mounted")
    mounted.write(issued(authority, "first"), authority.file)
    board, rpcs = HeldBoard(), RecordedRpcs()
    board.put(CHAT, needing(10.7))
    files = TlsFiles(mounted.certificate, mounted.key, mounted.authority if mutual else None)
    tls = ServingTls(files, clients=allowed)
    server = KedaServer(board, rpcs, PATIENT, tls=tls)
    yield Rig(authority, mounted, board, rpcs, tls, server.start("127.0.0.1:0"))
    server.stop(timedelta(0))


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    """Clients need no certificate."""
    yield from serve(tmp_path, mutual=False)


@pytest.fixture
def mutual(tmp_path: Path) -> Iterator[Rig]:
    """Clients need a certificate of the same authority."""
    yield from serve(tmp_path, mutual=True)


@pytest.fixture
def listed(tmp_path: Path) -> Iterator[Rig]:
    """Of the clients with such a certificate, one may ask for answers."""
    yield from serve(tmp_path, mutual=True, allowed=AllowedClients.parse([OPERATOR]))


def ask(channel: grpc.Channel, trigger: ScaledObjectRef) -> float:
    """Return the one value, as a client of this channel gets it."""
    with channel:
        request = GetMetricsRequest(scaledObjectRef=trigger, metricName="foretide-replicas")
        reply = ExternalScalerStub(channel).GetMetrics(request, timeout=SOON.total_seconds())
        return reply.metricValues[0].metricValueFloat


def refused(channel: grpc.Channel, trigger: ScaledObjectRef) -> grpc.StatusCode:
    with pytest.raises(grpc.RpcError) as caught:
        ask(channel, trigger)
    return caught.value.code()


def handshake(port: int, version: ssl.TLSVersion) -> str | None:
    with socket.create_connection(("127.0.0.1", port)) as tcp, context(version).wrap_socket(tcp) as connection:
        return connection.version()


def test_a_client_that_trusts_the_authority_is_answered(rig: Rig, trigger: ScaledObjectRef) -> None:
    assert ask(rig.channel(), trigger) == 10.7


def test_a_client_that_trusts_another_authority_hangs_up(rig: Rig, trigger: ScaledObjectRef, tmp_path: Path) -> None:
    other = Authority(tmp_path / "other")
    assert refused(rig.channel(authority=other), trigger) is grpc.StatusCode.UNAVAILABLE


def test_plaintext_on_the_tls_port_is_refused(rig: Rig, trigger: ScaledObjectRef) -> None:
    assert refused(grpc.insecure_channel(f"localhost:{rig.port}"), trigger) is grpc.StatusCode.UNAVAILABLE


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_tls_1_2_and_1_3_are_spoken(rig: Rig, version: ssl.TLSVersion) -> None:
    assert handshake(rig.port, version) == version.name.replace("_", ".")


def test_tls_1_1_is_refused(rig: Rig) -> None:
    with pytest.raises((ssl.SSLError, ConnectionResetError)):
        handshake(rig.port, ssl.TLSVersion.TLSv1_1)


def test_a_renewed_certificate_is_shown_to_new_connections_while_open_streams_go_on(
    rig: Rig, trigger: ScaledObjectRef
) -> None:
    rig.board.put(CHAT, IDLE)
    with rig.channel() as channel:
        stream = ExternalScalerStub(channel).StreamIsActive(trigger)
        assert next(stream).result is False
        rig.renew("second")
        assert rig.tls.reload(datetime.now(UTC)) is True
        assert rig.shown() == "CN=second"
        rig.board.put(CHAT, needing(2.0))
        assert next(stream).result is True
        assert rig.rpcs.closed == []
    assert ask(rig.channel(), trigger) == 2.0


def test_files_that_stay_as_they_are_are_not_taken_up_again(rig: Rig) -> None:
    assert rig.tls.reload(datetime.now(UTC)) is False


def test_a_key_that_does_not_match_keeps_the_pair_that_was_there_until_both_do(rig: Rig) -> None:
    first, second = issued(rig.authority, "one"), issued(rig.authority, "two")
    rig.mounted.write(Pair(second.certificate, first.key), rig.authority.file)
    for _ in range(2):  # it is said each time, as long as it is so
        with pytest.raises(UnusableCertificate, match="is not the key of"):
            rig.tls.reload(datetime.now(UTC))
    assert rig.shown() == "CN=first"
    rig.mounted.write(second, rig.authority.file)
    assert rig.tls.reload(datetime.now(UTC)) is True
    assert rig.shown() == "CN=two"


@pytest.mark.parametrize(
    "validity",
    [
        {"begins": timedelta(hours=-2), "ends": timedelta(hours=-1)},
        {"begins": timedelta(hours=1), "ends": timedelta(hours=2)},
    ],
    ids=["expired", "not valid yet"],
)
def test_a_certificate_that_nobody_would_accept_does_not_replace_one_that_is_good(
    rig: Rig, validity: dict[str, timedelta]
) -> None:
    rig.renew("useless", **validity)
    with pytest.raises(UnusableCertificate, match="not now, while the one before still is: issue it anew"):
        rig.tls.reload(datetime.now(UTC))
    assert rig.shown() == "CN=first"


def test_a_certificate_is_taken_up_when_its_time_has_come(rig: Rig) -> None:
    rig.renew("early", begins=timedelta(hours=1), ends=timedelta(hours=2))
    assert rig.tls.reload(datetime.now(UTC) + timedelta(minutes=61)) is True
    assert rig.shown() == "CN=early"


def test_where_both_have_expired_the_newer_one_is_shown(rig: Rig) -> None:
    rig.renew("second", begins=timedelta(hours=-1), ends=timedelta(hours=1))
    assert rig.tls.reload(datetime.now(UTC) + timedelta(days=30)) is True
    assert rig.shown() == "CN=second"


def test_an_expired_certificate_is_served_at_start_so_that_its_renewal_can_be(tmp_path: Path) -> None:
    pair = issued(Authority(tmp_path), "old", begins=timedelta(hours=-2), ends=timedelta(hours=-1))
    assert ServingTls(TlsFiles(pair.certificate, pair.key)).material.names == ("localhost", "127.0.0.1")


def test_at_start_files_that_cannot_be_used_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UnusableCertificate, match=r"tls.crt cannot be read"):
        ServingTls(TlsFiles(tmp_path / "tls.crt", tmp_path / "tls.key"))


def test_a_client_without_a_certificate_is_let_in_only_where_none_is_asked_for(
    mutual: Rig, trigger: ScaledObjectRef
) -> None:
    assert refused(mutual.channel(), trigger) is grpc.StatusCode.UNAVAILABLE
    assert ask(mutual.channel(issued(mutual.authority, "anybody")), trigger) == 10.7


def test_a_client_of_another_authority_is_refused(mutual: Rig, trigger: ScaledObjectRef, tmp_path: Path) -> None:
    stranger = issued(Authority(tmp_path / "other"), "stranger")
    assert refused(mutual.channel(stranger), trigger) is grpc.StatusCode.UNAVAILABLE


def test_new_authorities_of_clients_are_taken_up_too(mutual: Rig, trigger: ScaledObjectRef, tmp_path: Path) -> None:
    other = Authority(tmp_path / "other")
    mutual.mounted.write(issued(mutual.authority, "second"), other.file)
    assert mutual.tls.reload(datetime.now(UTC)) is True
    assert ask(mutual.channel(issued(other, "keda")), trigger) == 10.7
    assert refused(mutual.channel(issued(mutual.authority, "keda")), trigger) is grpc.StatusCode.UNAVAILABLE


def test_a_client_that_is_listed_is_answered(listed: Rig, trigger: ScaledObjectRef) -> None:
    keda = listed.authority.sign("keda", "keda", names=[*LOOPBACK, DNSName(OPERATOR)])
    assert ask(listed.channel(keda), trigger) == 10.7
    with listed.channel(keda) as channel:
        assert next(ExternalScalerStub(channel).StreamIsActive(trigger, timeout=5)).result is True


def test_a_client_that_is_not_listed_gets_no_answer_and_still_the_spec(listed: Rig, trigger: ScaledObjectRef) -> None:
    with listed.channel(issued(listed.authority, "prometheus")) as channel:
        scaler = ExternalScalerStub(channel)
        value = GetMetricsRequest(scaledObjectRef=trigger, metricName="foretide-replicas")
        for call in (
            lambda: scaler.GetMetrics(value, timeout=5),
            lambda: scaler.IsActive(trigger, timeout=5),
            lambda: next(scaler.StreamIsActive(trigger, timeout=5)),
        ):
            with pytest.raises(grpc.RpcError) as caught:
                call()
            assert caught.value.code() is grpc.StatusCode.PERMISSION_DENIED
            assert caught.value.details().startswith("the client certificate shows localhost, and none is allowed")
        assert scaler.GetMetricSpec(trigger, timeout=5).metricSpecs[0].targetSizeFloat == 1.0
        assert next(scaler.StreamMetricSpec(trigger, timeout=5)).metricSpecs[0].targetSizeFloat == 1.0
    assert listed.rpcs.handled[:2] == [("GetMetrics", "PERMISSION_DENIED"), ("IsActive", "PERMISSION_DENIED")]
