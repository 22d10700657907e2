"""What the agent would show on its gRPC port, before anybody asks."""

from __future__ import annotations

from datetime import datetime

from agent.configuration import Grpc
from agent.doctor.finding import Finding, Level
from agent.listening import PLAINTEXT_MEND, is_loopback, plaintext_fault
from scalers.keda.certificates import TlsFiles, UnusableCertificate, read_material

_CHECK = "gRPC security"
_GUARD = "let a mesh encrypt it, or give the agent a certificate (grpc.tls)"


def check_serving(grpc: Grpc, address: str, *, now: datetime) -> list[Finding]:
    """Look whether the port is guarded, and the certificate good; a loopback address without one is nothing to tell."""
    if grpc.tls is not None:
        return [_certificate(TlsFiles(grpc.tls.cert_file, grpc.tls.key_file, grpc.tls.client_ca_file), now)]
    if grpc.insecure and not is_loopback(address):
        what = f"plaintext at {address}, as asked for: who stands in between reads and changes answers"
        return [Finding(_CHECK, Level.WARN, what, _GUARD)]
    fault = None if grpc.insecure else plaintext_fault(address)
    return [Finding(_CHECK, Level.FAIL, fault, PLAINTEXT_MEND)] if fault else []


def _certificate(files: TlsFiles, now: datetime) -> Finding:
    try:
        material, _ = read_material(files)
    except UnusableCertificate as error:
        return Finding(_CHECK, Level.FAIL, error.what, error.mend)
    named = ", ".join(material.names)
    what = f"certificate for {named}, valid until {material.expires_at:%Y-%m-%d %H:%M} UTC"
    if not material.is_valid(now):
        return Finding(_CHECK, Level.FAIL, f"{what}: not valid now", "issue it anew; a running agent takes it up")
    if not named:
        mend = "issue it for the host of the triggers' scalerAddress: KEDA does not look at the common name"
        return Finding(_CHECK, Level.FAIL, "the certificate has no subject alternative name", mend)
    return Finding(_CHECK, Level.OK, what)
