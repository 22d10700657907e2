"""Certificates for one run: an authority, what it signs, and the folder where Kubernetes would put it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

LOOPBACK = (x509.DNSName("localhost"), x509.IPAddress(IPv4Address("127.0.0.1")))


@dataclass(frozen=True, slots=True)
class Pair:
    """A certificate and its key, as PEM files."""

    certificate: Path
    key: Path


class Authority:
    """Signs certificates for servers on this machine and for clients; written into a folder."""

    def __init__(self, folder: Path, name: str = "authority") -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = _named(name, ())
        usage = x509.KeyUsage(
            digital_signature=True, key_cert_sign=True, crl_sign=True, content_commitment=False, key_encipherment=False,
            data_encipherment=False, key_agreement=False, encipher_only=False, decipher_only=False,
        )  # fmt: skip
        builder = _valid(self._name, self._name, self._key.public_key())
        builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        certificate = builder.add_extension(usage, critical=True).sign(self._key, hashes.SHA256())
        self.file = folder / f"{name}.crt"
        self.file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))

    def sign(
        self,
        file: str,
        common_name: str,
        *groups: str,
        names: Sequence[x509.GeneralName] = LOOPBACK,
        begins: timedelta = timedelta(hours=-1),
        ends: timedelta = timedelta(days=1),
        key: ec.EllipticCurvePrivateKey | None = None,
    ) -> Pair:
        """Return a pair for server and client use.

        Args:
            file: name of the two files, without suffix; they are replaced where they exist.
            common_name: who it is to Kubernetes.
            groups: to which Kubernetes takes it to belong.
            names: whom it is for; this machine unless something else is said.
            begins: from when on it is valid, from now.
            ends: until when.
            key: on P-256 unless one is given.
        """
        key = key or ec.generate_private_key(ec.SECP256R1())
        usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH])
        certificate = (
            _valid(_named(common_name, groups), self._name, key.public_key(), begins=begins, ends=ends)
            .add_extension(x509.SubjectAlternativeName(names), critical=False)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(usage, critical=False)
            .sign(self._key, hashes.SHA256())
        )
        pair = Pair(self._folder / f"{file}.crt", self._folder / f"{file}.key")
        _replace(pair.key, _private(key))
        _replace(pair.certificate, certificate.public_bytes(serialization.Encoding.PEM))
        return pair


class MountedSecret:
    """A folder as the kubelet mounts a Secret: every file leads through one symlink, which is swapped."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._number = 0
        folder.mkdir(parents=True)

    def write(self, pair: Pair, authority: Path | None = None) -> None:
        """Put tls.crt, tls.key and ca.crt there, or others in their place, at once."""
        self._number += 1
        content = self.folder / f"..{self._number}"
        content.mkdir()
        files = {"tls.crt": pair.certificate, "tls.key": pair.key} | ({"ca.crt": authority} if authority else {})
        for name, source in files.items():
            (content / name).write_bytes(source.read_bytes())
            if not (link := self.folder / name).is_symlink():
                link.symlink_to(Path("..data") / name)
        swapped = self.folder / "..data_tmp"
        swapped.symlink_to(content.name)
        swapped.replace(self.folder / "..data")

    @property
    def certificate(self) -> Path:
        return self.folder / "tls.crt"

    @property
    def key(self) -> Path:
        return self.folder / "tls.key"

    @property
    def authority(self) -> Path:
        return self.folder / "ca.crt"


def write_key_pair(folder: Path, name: str) -> Pair:
    """Write a key pair for service account tokens: the public key where a certificate would be."""
    key = ec.generate_private_key(ec.SECP256R1())
    pair = Pair(folder / f"{name}.pub", folder / f"{name}.key")
    pair.key.write_bytes(_private(key))
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    pair.certificate.write_bytes(key.public_key().public_bytes(serialization.Encoding.PEM, form))
    return pair


def _named(common_name: str, groups: tuple[str, ...]) -> x509.Name:
    organizations = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, group) for group in groups]
    return x509.Name([*organizations, x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _valid(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePublicKey,
    *,
    begins: timedelta = timedelta(hours=-1),
    ends: timedelta = timedelta(days=1),
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(key)
    builder = builder.serial_number(x509.random_serial_number())
    return builder.not_valid_before(now + begins).not_valid_after(now + ends)


def _private(key: ec.EllipticCurvePrivateKey) -> bytes:
    form = serialization.PrivateFormat.PKCS8
    return key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption())


def _replace(file: Path, content: bytes) -> None:
    """Put new content in place in one step, as Kubernetes does with a mounted Secret."""
    written = file.with_name(f".{file.name}")
    written.write_bytes(content)
    written.replace(file)
