"""An agent that speaks TLS, and KEDA's side of it as the example in `examples/` has it."""

from __future__ import annotations

import socket
import ssl
from pathlib import Path

import yaml
from cryptography.x509 import DNSName, load_der_x509_certificate

from tests.certificates import Authority, MountedSecret, Pair
from tests.cluster.agent import DemandedAgent
from tests.cluster.api import Api, Object
from tests.cluster.scaled import push

OPERATOR = "keda-operator.keda.svc"
_EXAMPLE = Path(__file__).parents[2] / "examples" / "scaledobject-tls.yaml"
_CONFIG = """
grpc:
  tls:
    certFile: {folder}/tls.crt
    keyFile: {folder}/tls.key
    clientCaFile: {folder}/ca.crt
    allowedClientSans: [{operator}]
"""


class Guarded:
    """The certificates of one agent, and of KEDA towards it, in one namespace."""

    def __init__(self, api: Api, namespace: str, folder: Path) -> None:
        self._api = api
        self._namespace = namespace
        self.authority = Authority(folder / "issued", name=f"{namespace}-authority")
        self.mounted = MountedSecret(folder / "mounted")
        self.renew("first")

    @property
    def config(self) -> str:
        """The agent's configuration file."""
        return _CONFIG.format(folder=self.mounted.folder, operator=OPERATOR)

    def renew(self, name: str) -> None:
        """Put another certificate of the same authority in the agent's place, which `name` marks."""
        self.mounted.write(self.authority.sign(name, name), self.authority.file)

    def client(self, *names: str, authority: Authority | None = None) -> Pair:
        """Return a client's pair that shows these names."""
        return (authority or self.authority).sign("client", "client", names=[DNSName(name) for name in names])

    def authenticate(self, client: Pair) -> None:
        """Create the example's Secret, with real certificates, and its TriggerAuthentication."""
        secret, authentication = (self._in_namespace(kind) for kind in ("Secret", "TriggerAuthentication"))
        self._api.create({**secret, "stringData": self._pems(client)})
        self._api.create(authentication)

    def authenticate_anew(self, client: Pair, *, authority: Authority | None = None) -> None:
        """Change the Secret."""
        pems = self._pems(client, authority)
        self._api.patch(f"/api/v1/namespaces/{self._namespace}/secrets/foretide-client", {"stringData": pems})

    def trigger(self, agent: DemandedAgent) -> Object:
        """Return the example's trigger on this agent."""
        spec = self._in_namespace("ScaledObject")["spec"]["triggers"][0]
        asked = {**spec["metadata"], "scalerAddress": over_tls(agent)}
        return {**push(asked.pop("scalerAddress"), **asked), "authenticationRef": spec["authenticationRef"]}

    def _in_namespace(self, kind: str) -> Object:
        documents = {each["kind"]: each for each in yaml.safe_load_all(_EXAMPLE.read_text())}
        document = documents[kind]
        return {**document, "metadata": {**document["metadata"], "namespace": self._namespace}}

    def _pems(self, client: Pair, authority: Authority | None = None) -> dict[str, str]:
        files = {"ca.crt": (authority or self.authority).file, "tls.crt": client.certificate, "tls.key": client.key}
        return {name: file.read_text() for name, file in files.items()}


def over_tls(agent: DemandedAgent) -> str:
    """Return an agent's address by a name that is in its certificate."""
    return agent.address.replace("127.0.0.1", "localhost")


def shown(agent: DemandedAgent) -> str:
    """Return the name that marks the certificate of a new connection."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    host, _, port = agent.address.rpartition(":")
    with socket.create_connection((host, int(port))) as tcp, context.wrap_socket(tcp) as connection:
        certificate = load_der_x509_certificate(connection.getpeercert(binary_form=True) or b"")
    return certificate.subject.rfc4514_string()
