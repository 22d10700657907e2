"""The connection that KEDA would open to an agent that speaks TLS, and what is wrong with the certificates.

Mirrors kedacore/keda pkg/util/tls_config.go and Go's crypto/tls: the system's authorities and those of `caCert` are
trusted, an authority in between too; the name is the host of `scalerAddress` and has to be a subject alternative name.
"""

from __future__ import annotations

import socket
import ssl
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import grpc
from cryptography.x509 import Certificate, load_der_x509_certificate

from agent.doctor.finding import Finding, Level
from scalers.keda.certificates import names_of

CHECK = "TLS"
LATE_SHARE = 0.2  # of its life that a certificate has left; cert-manager renews at a third
_CONNECT_SECONDS = 3.0

# codes of openssl/x509_vfy.h
_EXPIRED, _NOT_YET = 10, 9
_WRONG_NAME = {62, 64}
_UNKNOWN_AUTHORITY = {2, 18, 19, 20, 21}
_WRONG_PURPOSE = 26


class CannotUseFile(Exception):
    """A file of KEDA's side cannot be used; the message names it."""


@dataclass(frozen=True, slots=True)
class KedaTls:
    """What KEDA's TriggerAuthentication holds, as files."""

    authority: Path | None = None  # caCert
    certificate: Path | None = None  # tlsClientCert
    key: Path | None = None  # tlsClientKey
    server_name: str | None = None  # host of scalerAddress, where the agent is asked at another address

    def context(self) -> ssl.SSLContext:
        """Return a client as KEDA is one.

        Raises:
            CannotUseFile: a file is not there or not what it should be.
        """
        made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        made.hostname_checks_common_name = False
        made.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
        made.set_alpn_protocols(["h2"])
        made.load_default_certs()
        try:
            if self.authority is not None:
                made.load_verify_locations(self.authority)
            if self.certificate is not None:
                made.load_cert_chain(self.certificate, self.key)
        except OSError as error:  # ssl's errors are of this kind
            files = ", ".join(str(file) for file in (self.authority, self.certificate, self.key) if file)
            raise CannotUseFile(f"{files}: {error.strerror or error}") from error
        return made

    def channel(self, address: str) -> grpc.Channel:
        """Return gRPC's channel with the same certificates."""
        credentials = grpc.ssl_channel_credentials(_roots(self.authority), _read(self.key), _read(self.certificate))
        name = [("grpc.ssl_target_name_override", self.server_name)] if self.server_name else []
        return grpc.secure_channel(address, credentials, options=name)


def check_tls(address: str, tls: KedaTls) -> list[Finding]:
    """Connect as KEDA would, and say what is wrong with the certificates; nothing where nobody listens."""
    host = tls.server_name or address.rpartition(":")[0].strip("[]")
    try:
        context = tls.context()
    except CannotUseFile as error:
        return [_fail(f"cannot be used: {error}", "give PEM files, the key of the certificate among them")]
    try:
        shown = _shown(address)
    except ssl.SSLError as error:
        return [_no_tls(address, error)]
    except OSError:
        return []
    try:
        with _connected(address) as tcp, context.wrap_socket(tcp, server_hostname=host) as connection:
            version = connection.version()
            is_let_in = _hears_from(connection)
    except ssl.SSLCertVerificationError as error:
        return [_distrusted(error, shown, host, tls)]
    except OSError:
        is_let_in, version = False, None
    if not is_let_in:
        return [_kept_out(tls)]
    return [_well(shown, host, version or "TLS")]


def speaks_tls(address: str) -> bool:
    """Return whether a server answers with a certificate at an address."""
    try:
        _shown(address)
    except OSError:
        return False
    return True


def _shown(address: str) -> Certificate:
    """Return the certificate that a server shows to anybody."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with _connected(address) as tcp, context.wrap_socket(tcp) as connection:
        return load_der_x509_certificate(connection.getpeercert(binary_form=True) or b"")


def _connected(address: str) -> socket.socket:
    host, _, port = address.rpartition(":")
    return socket.create_connection((host.strip("[]"), int(port)), timeout=_CONNECT_SECONDS)


def _hears_from(connection: ssl.SSLSocket) -> bool:
    """Return whether the server goes on: with TLS 1.3 it looks at a client's certificate after the handshake."""
    return connection.recv(1) != b""


def _no_tls(address: str, error: ssl.SSLError) -> Finding:
    if error.reason in {"WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "PACKET_LENGTH_TOO_LONG"}:
        mend = "leave out --ca-cert, --client-cert and --enable-tls, or give the agent a certificate (--grpc-cert-file)"
        return _fail(f"{address} answers in plaintext: KEDA with these certificates would get no connection", mend)
    return _fail(f"the handshake with {address} failed: {error.reason or error}", "look at the agent's log")


def _distrusted(error: ssl.SSLCertVerificationError, shown: Certificate, host: str, tls: KedaTls) -> Finding:
    what, mend = _fault(error, shown, host, tls)
    return _fail(f"the agent's certificate {what}: KEDA would get no connection", mend)


def _fault(error: ssl.SSLCertVerificationError, shown: Certificate, host: str, tls: KedaTls) -> tuple[str, str]:
    """Return what is wrong with the certificate, and the mend."""
    code = error.verify_code
    if code in _WRONG_NAME:
        named = ", ".join(names_of(shown)) or "nobody by name (the common name does not count)"
        mend = "issue it for the host of the triggers' scalerAddress; where that is another one, give --server-name"
        return f"is for {named}, and not for {host}", mend
    if code in _UNKNOWN_AUTHORITY:
        known = f"neither {tls.authority} nor the system holds" if tls.authority else "the system does not hold"
        mend = "give --ca-cert, and KEDA caCert in the TriggerAuthentication, that authority's certificate"
        return f"is of {shown.issuer.rfc4514_string()}, an authority that {known}", mend
    if code == _WRONG_PURPOSE:
        return "is not for servers", f"{_ANEW}, with the extended usage `server auth`"
    if code == _EXPIRED and shown.not_valid_after_utc < datetime.now(UTC):
        return f"has expired on {_day(shown.not_valid_after_utc)}", _ANEW
    if code == _NOT_YET and shown.not_valid_before_utc > datetime.now(UTC):
        return f"is not valid before {_day(shown.not_valid_before_utc)}", f"{_ANEW}, or set the clocks by NTP"
    return f"does not hold: {error.verify_message}", f"look at the chain in the agent's certFile; {_ANEW}"


_ANEW = "issue the certificate anew; the agent takes it up within 5 s"


def _kept_out(tls: KedaTls) -> Finding:
    if tls.certificate is None:
        mend = (
            "give --client-cert and --client-key, and KEDA tlsClientCert and tlsClientKey in the TriggerAuthentication"
        )
        return _fail("the agent hangs up on a client without a certificate: KEDA would get no connection", mend)
    mend = "give the pair of an authority in the agent's clientCaFile, valid now; the agent's log says what it missed"
    return _fail(f"the agent hangs up on the client certificate {tls.certificate}: KEDA would get no connection", mend)


def _well(shown: Certificate, host: str, version: str) -> Finding:
    left = shown.not_valid_after_utc - datetime.now(UTC)
    what = f"{version}, certificate for {host}, valid until {_day(shown.not_valid_after_utc)}"
    if left < LATE_SHARE * (shown.not_valid_after_utc - shown.not_valid_before_utc):
        mend = "look at what should renew it (cert-manager's Certificate, for one)"
        return Finding(CHECK, Level.WARN, f"{what}: its renewal is late", mend)
    return Finding(CHECK, Level.OK, what)


def _fail(what: str, mend: str) -> Finding:
    return Finding(CHECK, Level.FAIL, what, mend)


def _day(instant: datetime) -> str:
    return f"{instant:%Y-%m-%d %H:%M} UTC"


def _roots(authority: Path | None) -> bytes | None:
    system = ssl.get_default_verify_paths().cafile
    known = [file for file in (_read(authority), _read(Path(system)) if system else None) if file]
    return b"\n".join(known) or None


def _read(file: Path | None) -> bytes | None:
    return file.read_bytes() if file else None
