"""The gRPC server's certificate over time: taken up when its files change, told when it cannot be or has run out."""

from __future__ import annotations

import asyncio

from agent.clock import Clock
from agent.log import logger
from agent.telemetry import ServerTelemetry
from scalers.keda.certificates import TlsMaterial, UnusableCertificate
from scalers.keda.tls import ServingTls


class CertificateWatch:
    """Looks at the files when it is told to; what is wrong is logged once and counted at each look."""

    def __init__(self, tls: ServingTls, *, telemetry: ServerTelemetry, clock: Clock) -> None:
        self._tls = tls
        self._telemetry = telemetry
        self._clock = clock
        self._log = logger("certificates")
        self._told: str | None = None  # the fault of the files that is logged already
        self._expired: TlsMaterial | None = None  # of which it is logged that it has run out

    def begin(self) -> None:
        """Tell what is served from the start."""
        self._tell_served()
        self._tell_expiry()

    async def look(self) -> None:
        """Take up files that have changed."""
        now = self._clock.now()
        try:
            is_renewed = await asyncio.to_thread(self._tls.reload, now)
        except UnusableCertificate as error:
            self._telemetry.certificate_refused()
            if str(error) != self._told:
                self._log.error("grpc_certificate_refused", reason=str(error), kept_until=self._until())
            self._told = str(error)
        else:
            self._told = None
            if is_renewed:
                self._tell_served()
        self._tell_expiry()

    def _tell_served(self) -> None:
        material = self._tls.material
        self._telemetry.certificate_served(
            expires_at=material.expires_at, authorities_expire_at=material.authorities_expire_at
        )
        self._log.info("grpc_certificate_served", names=list(material.names), until=self._until())

    def _tell_expiry(self) -> None:
        material = self._tls.material
        if self._expired is not material and not material.is_valid(self._clock.now()):
            self._expired = material
            mend = "issue the certificate anew: KEDA opens no connection to this one"
            self._log.error("grpc_certificate_not_valid_now", since=self._until(), mend=mend)

    def _until(self) -> str:
        return self._tls.material.expires_at.isoformat()
