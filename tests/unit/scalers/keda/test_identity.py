from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import grpc
import pytest

from scalers.keda.identity import AllowedClients
from scalers.keda.refusal import LONGEST_SENTENCE, RpcRefused

SPIFFE = "spiffe://cluster.local/ns/keda/sa/keda-operator"
OPERATOR = "keda-operator.keda.svc"


@dataclass
class Call:
    """A call of a client whose certificate shows some names."""

    dns: list[str] = field(default_factory=list)
    uris: list[str] = field(default_factory=list)

    def auth_context(self) -> Mapping[str, Iterable[bytes]]:
        shown = {"peer_dns": self.dns, "peer_uri": self.uris}
        context = {key: [name.encode() for name in names] for key, names in shown.items() if names}
        return context | {"x509_common_name": [b"keda-operator.keda.svc"]}


def refused(allowed: list[str], call: Call) -> RpcRefused:
    with pytest.raises(RpcRefused) as caught:
        AllowedClients.parse(allowed).admit(call)
    return caught.value


@pytest.mark.parametrize(
    ("allowed", "call"),
    [
        ([OPERATOR], Call(dns=["keda-operator", OPERATOR])),
        ([OPERATOR.upper()], Call(dns=[OPERATOR])),
        ([OPERATOR], Call(dns=[OPERATOR.upper()])),
        (["somebody", SPIFFE], Call(dns=["keda"], uris=[SPIFFE])),
    ],
    ids=["one of several", "listed in capitals", "shown in capitals", "a SPIFFE id"],
)
def test_a_client_that_shows_a_listed_name_is_admitted(allowed: list[str], call: Call) -> None:
    AllowedClients.parse(allowed).admit(call)


@pytest.mark.parametrize(
    "call",
    [
        Call(),
        Call(dns=["keda-operator.other.svc"]),
        Call(dns=["*.keda.svc"]),
        Call(uris=[f"https://{OPERATOR}"]),
        Call(dns=[SPIFFE]),
        Call(uris=[SPIFFE + "/"]),
        Call(uris=[SPIFFE.upper()]),
    ],
    ids=["common name alone", "another name", "wildcard", "name in a URI", "URI as a DNS name", "longer", "capitals"],
)
def test_a_client_that_shows_none_of_them_is_refused(call: Call) -> None:
    assert refused([OPERATOR, SPIFFE], call).code is grpc.StatusCode.PERMISSION_DENIED


def test_the_refusal_names_what_was_shown_and_the_mend_and_not_who_is_allowed() -> None:
    assert refused([OPERATOR], Call(dns=["prometheus.monitoring.svc"], uris=[SPIFFE])).sentence == (
        f"the client certificate shows prometheus.monitoring.svc, {SPIFFE}, and none is allowed to ask: put it into "
        "the agent's grpc.tls.allowedClientSans, or give the TriggerAuthentication the certificate of an allowed client"
    )


def test_a_certificate_without_names_is_told_so() -> None:
    assert refused([OPERATOR], Call()).sentence.startswith("the client certificate shows no DNS name and no URI, and")


def test_a_certificate_full_of_names_does_not_fill_the_sentence() -> None:
    sentence = refused([OPERATOR], Call(dns=[f"{number}.{'x' * 200}" for number in range(1000)])).sentence
    assert " and 997 more, and none is allowed to ask: put it into the agent's" in sentence
    assert len(sentence) <= LONGEST_SENTENCE


@pytest.mark.parametrize("name", ["", "*.keda.svc", "keda operator", "-keda", "CN=keda", "spiffe://", "10.0.0.1/8"])
def test_a_listed_name_that_is_neither_dns_name_nor_uri_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match=r"is neither a DNS name, such as keda-operator\.keda\.svc, nor a URI"):
        AllowedClients.parse([name])
