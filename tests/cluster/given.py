"""A cluster that was given to `make e2e`, in the place of the rig's: with KEDA, and what the tests need of a client."""

from __future__ import annotations

import os
from contextlib import ExitStack
from pathlib import Path
from typing import Self

import requests

from tests.cluster.api import Api, Object
from tests.cluster.keda import EXTERNAL_METRICS
from tests.cluster.kubectl import KUBECTL
from tests.cluster.processes import Server, eventually, free_port

# `make` sets both; one that a shell has for its user is no invitation to test on that cluster.
KUBECONFIG = os.environ.get("FORETIDE_E2E_KUBECONFIG", "")
HOST = os.environ.get("FORETIDE_E2E_HOST") or "127.0.0.1"  # where agents listen, and KEDA asks them

_START_SECONDS = 30.0
_CRD = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/forecastpolicies.foretide.dev"


class ProxiedApi(Api):
    """An API server behind `kubectl proxy`, which knows every way to sign in; what was made goes at the end."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._session = requests.Session()
        self._session.trust_env = False
        self._made: list[str] = []

    def begin(self) -> None:
        """Note what is there already, once the proxy answers."""
        if self.get(_CRD) is None:
            self._made.append(_CRD)

    def create(self, document: Object) -> Object:
        made = super().create(document)
        if document["kind"] == "Namespace":
            self._made.append(f"/api/v1/namespaces/{document['metadata']['name']}")
        return made

    def close(self) -> None:
        for path in reversed(self._made):
            self.delete(path)
        super().close()


class GivenCluster:
    """As much of a `ControlPlane` as tests without the mark `rig` look at."""

    def __init__(self, kubeconfig: Path, folder: Path) -> None:
        self.kubeconfig = kubeconfig
        self._port = free_port()
        self._folder = folder
        self._stack = ExitStack()
        self.api = ProxiedApi(f"http://127.0.0.1:{self._port}")

    def __enter__(self) -> Self:
        command = (str(KUBECTL), f"--kubeconfig={self.kubeconfig}", "proxy", f"--port={self._port}")
        # whatever signs in for kubectl may look for its own files
        proxy = Server(command, log=self._folder / "kubectl-proxy.log", environment=dict(os.environ))
        self._stack.callback(proxy.stop)

        def answers() -> bool:
            proxy.check()
            return self.api.is_ready()

        try:
            eventually(answers, f"{self.kubeconfig} leads to a cluster", within=_START_SECONDS, told=proxy.tail)
            self.api.begin()
        except BaseException:
            self._stack.close()
            raise
        self._stack.callback(self.api.close)
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def need_keda(self) -> None:
        """Fail where KEDA is not there."""
        if self.api.get(EXTERNAL_METRICS) is None:
            raise AssertionError(f"{self.kubeconfig}: no KEDA answers {EXTERNAL_METRICS} there: install KEDA first")

    def logs(self, about: str = "") -> str:
        """Return where a person finds them."""
        return f"(logs of a given cluster are read with kubectl{f', about {about}' if about else ''})"
