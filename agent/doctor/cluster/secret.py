"""The TLS Secret of an agent, as cert-manager or a person has written it."""

from __future__ import annotations

import base64
import json
from datetime import datetime

from cryptography.x509 import load_pem_x509_certificate

from agent.cluster.documents import Name
from agent.cluster.reading import NotRead, Reader
from agent.doctor.finding import Finding, Level
from agent.doctor.tls import LATE_SHARE
from scalers.keda.certificates import names_of


async def check_secret(reader: Reader, name: Name, *, now: datetime) -> Finding:
    """Look at the certificate in a Secret's `tls.crt`; its key is not looked at, and nothing of it is shown."""
    namespace, secret = name
    check, shown = "TLS", f"Secret {namespace}/{secret}"
    try:
        document = json.loads(await reader.get(f"/api/v1/namespaces/{namespace}/secrets/{secret}"))
        certificate = load_pem_x509_certificate(base64.b64decode(document["data"]["tls.crt"]))
    except NotRead as error:
        mend = "name another with --tls-secret, or ask as somebody who may get it"
        return Finding(check, Level.FAIL, f"{shown} cannot be read: {error}", mend)
    except (KeyError, ValueError):
        return Finding(check, Level.FAIL, f"{shown} has no certificate in tls.crt", "write PEM there")
    begins, ends = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    what = f"{shown}: certificate for {', '.join(names_of(certificate)) or 'nobody'}, until {ends:%Y-%m-%d %H:%M} UTC"
    if not begins <= now <= ends:
        mend = "issue it anew; the agent takes it up within 5 s of its mount"
        return Finding(check, Level.FAIL, f"{what}: not valid now, KEDA gets no connection", mend)
    if ends - now < LATE_SHARE * (ends - begins):
        mend = "look at what should renew it (cert-manager's Certificate, for one)"
        return Finding(check, Level.WARN, f"{what}: its renewal is late", mend)
    return Finding(check, Level.OK, what)
