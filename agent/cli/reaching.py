"""Which cluster a command looks at."""

from __future__ import annotations

import os
from pathlib import Path

from agent.cluster.reaching import KUBECONFIG, has_cluster

_USUAL_KUBECONFIG = Path("~/.kube/config")


def choose_cluster(kubeconfig: Path | None) -> None:
    """Let the client of Kubernetes look where the user says, or where kubectl would."""
    usual = _USUAL_KUBECONFIG.expanduser()
    if kubeconfig is not None:
        os.environ[KUBECONFIG] = str(kubeconfig)
    elif not has_cluster() and usual.is_file():
        os.environ[KUBECONFIG] = str(usual)
