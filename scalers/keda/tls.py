"""TLS of the server: what new connections are shown, renewed from files while the open ones go on."""

from __future__ import annotations

from datetime import datetime

import grpc

from scalers.keda.certificates import TlsFiles, TlsMaterial, UnusableCertificate, read_material
from scalers.keda.identity import AllowedClients


class ServingTls:
    """One certificate and its successors. TLS 1.2 is the least, as everywhere in gRPC core.

    Attributes:
        material: what new connections are shown.
        clients: who may ask for answers; None lets in whoever the handshake lets in.
    """

    def __init__(self, files: TlsFiles, *, clients: AllowedClients | None = None) -> None:
        """Read the files.

        Raises:
            UnusableCertificate: they cannot be used. Dates that have passed are no reason: a renewal is taken up.
        """
        self.material, self._taken = read_material(files)
        self.clients = clients
        self._files = files
        self._offered: TlsMaterial | None = None  # what gRPC core has

    @property
    def asks_clients(self) -> bool:
        """Whether each client has to show a certificate."""
        return self._files.client_authorities is not None

    def reload(self, now: datetime) -> bool:
        """Take the files up if they have changed, and return whether they were; blocks for the reading.

        Raises:
            UnusableCertificate: they cannot be used, or are of no use now while the old ones are. Those stay.
        """
        if self._files.stamp() == self._taken:
            return False
        material, stamp = read_material(self._files)
        if self.material.is_valid(now) and not material.is_valid(now):
            raise UnusableCertificate(
                f"{self._files.certificate} is valid from {material.begins_at:%Y-%m-%d %H:%M} to "
                f"{material.expires_at:%Y-%m-%d %H:%M} UTC, not now, while the one before still is",
                "issue it anew",
            )
        self.material, self._taken = material, stamp
        return True

    def credentials(self) -> grpc.ServerCredentials:
        """Return what a port is opened with; each new connection gets what `reload` took up last."""
        self._offered = self.material
        return grpc.dynamic_ssl_server_credentials(
            _configuration(self.material),
            self._renewed,  # type: ignore[arg-type]  # the stubs miss that None keeps what is there
            require_client_authentication=self.asks_clients,
        )

    def _renewed(self) -> grpc.ServerCertificateConfiguration | None:
        """Return what is new since the last connection; called by gRPC core, in a thread of its own, at each one."""
        material = self.material
        if material is self._offered:
            return None
        self._offered = material
        return _configuration(material)


def _configuration(material: TlsMaterial) -> grpc.ServerCertificateConfiguration:
    return grpc.ssl_server_certificate_configuration([(material.key, material.chain)], material.client_authorities)
