"""Who a client is by its certificate, and whether it may ask for answers."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol, Self

import grpc

from scalers.keda.refusal import RpcRefused

# Keys of gRPC core's authentication context; a name counts only as what the authority signed it as.
_DNS = "peer_dns"
_URI = "peer_uri"
_MOST_SHOWN = 3  # of 100 characters each, so that the mend still fits into the sentence
_LABEL = r"(?!-)[a-zA-Z0-9_-]{1,63}(?<!-)"
_DNS_NAME = re.compile(rf"{_LABEL}(\.{_LABEL})*")
_URI_NAME = re.compile(r"[a-z][a-z0-9+.-]*://[\x21-\x7e]+")


class Authenticated(Protocol):
    """A call, as far as it says who calls."""

    def auth_context(self) -> Mapping[str, Iterable[bytes]]:
        """Return what the handshake found out about the client."""
        ...


@dataclass(frozen=True, slots=True)
class AllowedClients:
    """Names of which a client's certificate has to show one, as a subject alternative name."""

    dns: frozenset[str]  # lower case; a wildcard in a certificate is no match
    uris: frozenset[str]  # such as SPIFFE ids, compared letter by letter

    @classmethod
    def parse(cls, names: Iterable[str]) -> Self:
        """Return the clients with these DNS names and URIs.

        Raises:
            ValueError: a name is neither.
        """
        dns, uris = set(), set()
        for name in names:
            if _URI_NAME.fullmatch(name):
                uris.add(name)
            elif _DNS_NAME.fullmatch(name):
                dns.add(name.lower())
            else:
                raise ValueError(f"{name!r} is neither a DNS name, such as keda-operator.keda.svc, nor a URI")
        return cls(frozenset(dns), frozenset(uris))

    def admit(self, call: Authenticated) -> None:
        """Return if the client is one of them.

        Raises:
            RpcRefused: it is not; the sentence names what it showed.
        """
        context = call.auth_context()
        dns = [name.decode(errors="replace") for name in context.get(_DNS, ())]
        uris = [name.decode(errors="replace") for name in context.get(_URI, ())]
        if self.uris.isdisjoint(uris) and self.dns.isdisjoint(name.lower() for name in dns):
            raise RpcRefused(grpc.StatusCode.PERMISSION_DENIED, _sentence([*dns, *uris]))


def _sentence(shown: list[str]) -> str:
    more = f" and {len(shown) - _MOST_SHOWN} more" if len(shown) > _MOST_SHOWN else ""
    named = ", ".join(name[:100] for name in shown[:_MOST_SHOWN]) or "no DNS name and no URI"
    return (
        f"the client certificate shows {named}{more}, and none is allowed to ask: put it into the agent's "
        "grpc.tls.allowedClientSans, or give the TriggerAuthentication the certificate of an allowed client"
    )
