"""How the agents' port is kept safe: as with the chart's `tls.clientAuth`, or in plaintext as with `tls.source: none`.

All agents share one certificate, for the names of their Service; KEDA has one of its own, of the same authority.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Self

import grpc
from cryptography import x509

from tests.certificates import Authority, Pair

_HOST = "foretide.foretide.svc"
_NAMES = [x509.DNSName(name) for name in ("foretide", "foretide.foretide", _HOST, f"{_HOST}.cluster.local")]
_KEDA = "keda-operator.keda.svc"


@dataclass(frozen=True, slots=True)
class Mutual:
    """The files of a run, as a Secret of cert-manager's has them."""

    authority: Path
    agents: Pair
    keda: Pair

    @classmethod
    def made(cls, folder: Path) -> Self:
        """Write new ones into a folder."""
        authority = Authority(folder)
        keda = authority.sign("keda", _KEDA, names=[x509.DNSName(_KEDA)])
        return cls(authority.file, authority.sign("tls", "foretide", names=_NAMES), keda)

    @property
    def options(self) -> tuple[str, ...]:
        """The command line of an agent."""
        files = ("--grpc-cert-file", str(self.agents.certificate), "--grpc-key-file", str(self.agents.key))
        names = f"{_KEDA},foretide.foretide"  # as the chart adds it, for the agents themselves
        return (*files, "--grpc-client-ca-file", str(self.authority), "--grpc-allowed-client-sans", names)


def channel(endpoint: str, security: Mutual | None) -> grpc.aio.Channel:
    """Return a connection as KEDA makes it; in plaintext where there is no security."""
    if security is None:
        return grpc.aio.insecure_channel(endpoint)
    credentials = grpc.ssl_channel_credentials(
        security.authority.read_bytes(), security.keda.key.read_bytes(), security.keda.certificate.read_bytes()
    )
    return grpc.aio.secure_channel(endpoint, credentials, options=(("grpc.ssl_target_name_override", _HOST),))
