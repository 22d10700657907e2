"""etcd, an API server and the controllers: a cluster without nodes. Its pods stay Pending, which is all KEDA needs."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Self

from tests.certificates import Authority, write_key_pair
from tests.cluster.api import Api
from tests.cluster.binaries import KUBERNETES
from tests.cluster.processes import Server, eventually, free_port

_START_SECONDS = 90.0  # 7 s on an idle machine


class ControlPlane:
    """One cluster, from entering to leaving."""

    def __init__(self, folder: Path, *, controller_options: Sequence[str] = ()) -> None:
        self._controller_options = controller_options
        self.folder = folder
        self.authority = Authority(folder / "certificates")
        self.trusted = Authority(folder / "trusted", name="trusted")  # of the world outside, to whoever is told so
        self._stack = ExitStack()
        self._servers: list[Server] = []
        self._port = free_port()
        admin = self.authority.sign("admin", "admin", "system:masters")
        self.api = Api(f"https://localhost:{self._port}", authority=self.authority.file, user=admin)
        self.kubeconfig = self.api.kubeconfig(folder)
        self._tokens = write_key_pair(folder / "certificates", "service-accounts")

    def __enter__(self) -> Self:
        self._stack.callback(self.api.close)
        try:
            self._etcd_url = self._etcd()
            self.start_api_server()
            self._controllers()
        except BaseException:
            self._stack.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def start_api_server(self) -> None:
        """Start the API server, at first or after it was killed, and return when it answers."""
        self.api_server = self._api_server(self._etcd_url)
        eventually(self._is_ready, "the API server is ready", within=_START_SECONDS, told=self.logs)

    def kill_api_server(self) -> None:
        """End the API server at once; what it serves stays in etcd."""
        self.api_server.kill()
        self._servers.remove(self.api_server)

    def start(self, *command: str, environment: dict[str, str] | None = None) -> Server:
        """Start a process that ends with the cluster."""
        log = self.folder / f"{Path(command[0]).name}.log"
        server = Server(command, log=log, environment=environment)
        self._stack.callback(server.stop)
        self._servers.append(server)
        return server

    def stop(self, server: Server) -> None:
        """End a process before the cluster does: nobody misses it from now on."""
        server.stop()
        self._servers.remove(server)

    def logs(self, about: str = "") -> str:
        """Return the ends of the logs, as far as they speak of a namespace."""
        return "\n".join(f"--- {server.name}\n{server.tail(about)}" for server in self._servers)

    def _is_ready(self) -> bool:
        for server in self._servers:
            server.check()
        return self.api.is_ready()

    def _etcd(self) -> str:
        clients, peers = (f"http://127.0.0.1:{free_port()}" for _ in range(2))
        self.start(
            str(KUBERNETES.built() / "etcd"),
            f"--data-dir={self.folder / 'etcd'}",
            f"--listen-client-urls={clients}",
            f"--advertise-client-urls={clients}",
            f"--listen-peer-urls={peers}",
            f"--initial-advertise-peer-urls={peers}",
            f"--initial-cluster=default={peers}",
            "--unsafe-no-fsync",
            "--log-level=warn",
        )
        return clients

    def _api_server(self, etcd: str) -> Server:
        serving = self.authority.sign("apiserver", "kube-apiserver")
        proxy = self.authority.sign("front-proxy", "front-proxy")
        ca = self.authority.file
        return self.start(
            str(KUBERNETES.built() / "kube-apiserver"),
            f"--etcd-servers={etcd}",
            f"--secure-port={self._port}",
            "--bind-address=127.0.0.1",
            f"--tls-cert-file={serving.certificate}",
            f"--tls-private-key-file={serving.key}",
            f"--client-ca-file={ca}",
            f"--service-account-key-file={self._tokens.certificate}",
            f"--service-account-signing-key-file={self._tokens.key}",
            "--service-account-issuer=https://kubernetes.default.svc",
            "--authorization-mode=Node,RBAC",
            "--endpoint-reconciler-type=none",
            "--allow-privileged",
            "--service-cluster-ip-range=10.0.0.0/24",
            f"--requestheader-client-ca-file={ca}",
            "--requestheader-allowed-names=front-proxy",
            "--requestheader-extra-headers-prefix=X-Remote-Extra-",
            "--requestheader-group-headers=X-Remote-Group",
            "--requestheader-username-headers=X-Remote-User",
            f"--proxy-client-cert-file={proxy.certificate}",
            f"--proxy-client-key-file={proxy.key}",
            "--disable-admission-plugins=ServiceAccount",
        )

    def _controllers(self) -> None:
        self.start(
            str(KUBERNETES.built() / "kube-controller-manager"),
            f"--kubeconfig={self.kubeconfig}",
            f"--authentication-kubeconfig={self.kubeconfig}",
            f"--authorization-kubeconfig={self.kubeconfig}",
            f"--root-ca-file={self.authority.file}",
            f"--service-account-private-key-file={self._tokens.key}",
            "--leader-elect=false",
            "--horizontal-pod-autoscaler-sync-period=5s",
            "--horizontal-pod-autoscaler-downscale-stabilization=30s",
            "--bind-address=127.0.0.1",
            f"--secure-port={free_port()}",
            *self._controller_options,
        )
