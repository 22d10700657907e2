"""Whether and why the API server can be reached; free of kopf and the client, which take seconds to import."""

from __future__ import annotations

import os

KUBECONFIG = "KUBECONFIG"  # where both of them look for a kubeconfig file
_IN_A_POD = "KUBERNETES_SERVICE_HOST"


class Unreachable(Exception):
    """There is no way to the API server; the message says what to give."""


def is_in_pod() -> bool:
    """Return whether this process runs in a cluster."""
    return _IN_A_POD in os.environ


def has_cluster() -> bool:
    """Return whether there is a way to a cluster: the pod's own, or a kubeconfig."""
    return is_in_pod() or bool(os.environ.get(KUBECONFIG))
