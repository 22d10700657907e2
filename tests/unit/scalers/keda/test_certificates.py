from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, PrivateFormat
from cryptography.x509 import DNSName, UniformResourceIdentifier

from scalers.keda.certificates import TlsFiles, TlsMaterial, UnusableCertificate, read_material
from tests.certificates import Authority, MountedSecret, Pair

KEDA = "spiffe://cluster.local/ns/keda/sa/keda-operator"


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path / "issued")


@pytest.fixture
def pair(authority: Authority) -> Pair:
    return authority.sign("server", "server")


def files(pair: Pair, authority: Authority | None = None) -> TlsFiles:
    return TlsFiles(pair.certificate, pair.key, authority.file if authority else None)


def read(pair: Pair, authority: Authority | None = None) -> TlsMaterial:
    return read_material(files(pair, authority))[0]


def encrypted(pair: Pair) -> bytes:
    key, secret = ec.generate_private_key(ec.SECP256R1()), BestAvailableEncryption(b"secret")
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, secret)


def test_material_says_whom_it_is_for_and_until_when(authority: Authority) -> None:
    names = (DNSName("foretide.foretide"), UniformResourceIdentifier(KEDA))
    material = read(authority.sign("server", "server", names=names, ends=timedelta(days=90)), authority)
    now = datetime.now(UTC)
    assert material.names == ("foretide.foretide", KEDA)
    assert timedelta(days=89) < material.expires_at - now < timedelta(days=90)
    assert material.is_valid(now)
    assert not material.is_valid(now + timedelta(days=91))
    assert not material.is_valid(now - timedelta(days=1))
    assert material.authorities_expire_at is not None
    assert material.authorities_expire_at < now + timedelta(days=1)


def test_a_chain_is_valid_only_as_long_as_the_whole_of_it(authority: Authority) -> None:
    pair = authority.sign("server", "server", ends=timedelta(days=90))
    pair.certificate.write_bytes(pair.certificate.read_bytes() + authority.file.read_bytes())  # which lives for a day
    assert read(pair).expires_at < datetime.now(UTC) + timedelta(days=1)


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (lambda pair: pair.certificate.unlink(), r"server.crt cannot be read \(No such file or directory\): put the"),
        (lambda pair: pair.certificate.write_bytes(b""), "server.crt holds no certificate: write it in PEM form"),
        (
            lambda pair: pair.certificate.write_text("half a certifi"),
            "server.crt holds no certificate: write it in PEM",
        ),
        (lambda pair: pair.key.write_bytes(b""), "server.key holds no private key: write it in PEM form"),
        (
            lambda pair: pair.key.write_bytes(encrypted(pair)),
            "server.key is encrypted: write the key without a",
        ),
    ],
    ids=["no file", "empty", "no PEM", "no key", "encrypted key"],
)
def test_files_that_cannot_be_used_are_named_with_the_mend(
    pair: Pair, spoil: Callable[[Pair], object], sentence: str
) -> None:
    spoil(pair)
    with pytest.raises(UnusableCertificate, match=sentence):
        read(pair)


def test_half_a_file_is_no_certificate(pair: Pair) -> None:
    whole = pair.certificate.read_bytes()
    pair.certificate.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(UnusableCertificate, match="holds no certificate"):
        read(pair)


def test_a_key_of_another_certificate_is_refused(authority: Authority, pair: Pair) -> None:
    other = authority.sign("other", "server")
    with pytest.raises(UnusableCertificate, match=r"other.key is not the key of .*server.crt: write both anew"):
        read(Pair(pair.certificate, other.key))


def test_authorities_that_are_none_are_refused(pair: Pair, authority: Authority) -> None:
    authority.file.write_text("")
    with pytest.raises(UnusableCertificate, match=r"authority.crt holds no certificate"):
        read(pair, authority)


def test_a_curve_that_grpc_does_not_know_is_refused(authority: Authority) -> None:
    with pytest.raises(UnusableCertificate, match=r"server.key is on the curve secp256k1: use P-256, P-384, RSA"):
        read(authority.sign("server", "server", key=ec.generate_private_key(ec.SECP256K1())))


def test_the_key_shows_in_no_representation(pair: Pair) -> None:
    assert "PRIVATE" not in repr(read(pair))


def test_a_secret_that_is_swapped_while_it_is_read_is_read_whole(authority: Authority, tmp_path: Path) -> None:
    mounted = MountedSecret(tmp_path / "mounted")
    first, second = authority.sign("first", "server"), authority.sign("second", "server")
    mounted.write(first)
    swaps = iter([lambda: mounted.write(second)])

    def read_and_swap(file: Path) -> bytes:
        content = file.read_bytes()
        next(swaps, lambda: None)()
        return content

    material, stamp = read_material(TlsFiles(mounted.certificate, mounted.key), read_and_swap)
    assert (material.chain, material.key) == (second.certificate.read_bytes(), second.key.read_bytes())
    assert stamp == TlsFiles(mounted.certificate, mounted.key).stamp()


def test_files_that_do_not_stop_changing_are_left_for_later(authority: Authority, tmp_path: Path) -> None:
    mounted = MountedSecret(tmp_path / "mounted")
    mounted.write(authority.sign("server", "server"))

    def read_and_swap(file: Path) -> bytes:
        mounted.write(authority.sign("server", "server"))
        return file.read_bytes()

    with pytest.raises(UnusableCertificate, match=r"tls.crt and its key change while they are read"):
        read_material(TlsFiles(mounted.certificate, mounted.key), read_and_swap)
