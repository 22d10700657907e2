"""Certificate files as the server needs them: read as one, and checked before anybody is shown them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from cryptography.x509 import (
    Certificate,
    DNSName,
    ExtensionNotFound,
    IPAddress,
    SubjectAlternativeName,
    UniformResourceIdentifier,
    load_pem_x509_certificates,
)

Stamp = tuple[tuple[int, int, int] | None, ...]  # modification time, size and inode of every file, symlinks followed

_TRIES = 3  # a folder that is swapped while it is read is swapped once
_CURVES = (ec.SECP256R1, ec.SECP384R1, ec.SECP521R1)  # gRPC's BoringSSL knows no other for certificates


class UnusableCertificate(Exception):
    """Files that no server can use; the message names the file, what is wrong with it and the mend.

    Attributes:
        what: is wrong with which file.
        mend: what to do.
    """

    def __init__(self, what: str, mend: str) -> None:
        self.what = what
        self.mend = mend
        super().__init__(f"{what}: {mend}")


@dataclass(frozen=True, slots=True)
class TlsFiles:
    """Where the PEM files are."""

    certificate: Path  # the server's own first, then what leads to its authority
    key: Path
    client_authorities: Path | None = None  # where given, each client has to show a certificate of one of them

    def stamp(self) -> Stamp:
        """Return what changes when any of the files is replaced, or a symlink on the way to it."""
        return tuple(_stamp(file) for file in self._all())

    def _all(self) -> tuple[Path, ...]:
        authorities = (self.client_authorities,) if self.client_authorities is not None else ()
        return (self.certificate, self.key, *authorities)


@dataclass(frozen=True, slots=True)
class TlsMaterial:
    """The files' content, of one moment."""

    chain: bytes
    key: bytes = field(repr=False)
    client_authorities: bytes | None
    names: tuple[str, ...]  # whom the certificate is for: DNS names, addresses and URIs
    begins_at: datetime  # the chain is valid from here
    expires_at: datetime  # to here
    authorities_expire_at: datetime | None  # when the last of the clients' authorities ends

    def is_valid(self, now: datetime) -> bool:
        """Return whether clients accept the certificate as far as its dates go."""
        return self.begins_at <= now <= self.expires_at


def read_material(files: TlsFiles, read: Callable[[Path], bytes] = Path.read_bytes) -> tuple[TlsMaterial, Stamp]:
    """Return all files' content as of one moment, and the stamp they had then.

    Kubernetes swaps a mounted Secret by one symlink under all of its files: of two files read one after the other, the
    first may be of the old Secret and the second of the new one. So what changed meanwhile is read again.

    Args:
        files: where they are.
        read: how one file is read.

    Raises:
        UnusableCertificate: a file cannot be read or is not what it should be, or key and certificate do not match.
    """
    for _ in range(_TRIES):
        stamp = files.stamp()
        contents = (
            _content(files.certificate, read),
            _content(files.key, read),
            _content(files.client_authorities, read) if files.client_authorities is not None else None,
        )
        if files.stamp() == stamp:
            return _checked(files, *contents), stamp
    raise UnusableCertificate(f"{files.certificate} and its key change while they are read", "write them once")


def names_of(certificate: Certificate) -> tuple[str, ...]:
    """Return whom a certificate is for: its DNS names, addresses and URIs. The common name is none: Go ignores it."""
    try:
        names = certificate.extensions.get_extension_for_class(SubjectAlternativeName).value
    except ExtensionNotFound:
        return ()
    return tuple(str(name.value) for name in names if isinstance(name, DNSName | IPAddress | UniformResourceIdentifier))


def _checked(files: TlsFiles, chain: bytes, key: bytes, authorities: bytes | None) -> TlsMaterial:
    certificates = _certificates(files.certificate, chain)
    _check_key(files, key, certificates[0])
    known = []
    if files.client_authorities is not None and authorities is not None:
        known = _certificates(files.client_authorities, authorities)
    return TlsMaterial(
        chain=chain,
        key=key,
        client_authorities=authorities,
        names=names_of(certificates[0]),
        begins_at=max(each.not_valid_before_utc for each in certificates),
        expires_at=min(each.not_valid_after_utc for each in certificates),
        authorities_expire_at=max((each.not_valid_after_utc for each in known), default=None),
    )


def _certificates(file: Path, content: bytes) -> list[Certificate]:
    try:
        return load_pem_x509_certificates(content)
    except ValueError as error:
        raise UnusableCertificate(f"{file} holds no certificate", f"write it in PEM form ({_reason(error)})") from error


def _check_key(files: TlsFiles, content: bytes, certificate: Certificate) -> None:
    try:
        key = load_pem_private_key(content, password=None)
    except TypeError as error:
        raise UnusableCertificate(f"{files.key} is encrypted", "write the key without a password") from error
    except (ValueError, UnsupportedAlgorithm) as error:
        raise UnusableCertificate(f"{files.key} holds no private key", "write it in PEM form") from error
    if isinstance(key, ec.EllipticCurvePrivateKey) and not isinstance(key.curve, _CURVES):
        raise UnusableCertificate(f"{files.key} is on the curve {key.curve.name}", "use P-256, P-384, RSA or Ed25519")
    if key.public_key() != certificate.public_key():
        raise UnusableCertificate(
            f"{files.key} is not the key of {files.certificate}", "write both anew, from one issuing of the certificate"
        )


def _content(file: Path, read: Callable[[Path], bytes]) -> bytes:
    try:
        return read(file)
    except OSError as error:
        raise UnusableCertificate(
            f"{file} cannot be read ({error.strerror})", "put the file there, readable by the agent's user"
        ) from error


def _stamp(file: Path) -> tuple[int, int, int] | None:
    try:
        found = file.stat()
    except OSError:
        return None  # told when it is read
    return found.st_mtime_ns, found.st_size, found.st_ino


def _reason(error: ValueError) -> str:
    return str(error).splitlines()[0][:120] if str(error) else type(error).__name__
