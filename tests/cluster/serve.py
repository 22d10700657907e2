"""The rig's control plane with KEDA, until Ctrl-C, to look around with kubectl: python -m tests.cluster.serve"""

from __future__ import annotations

import signal
import tempfile
from contextlib import suppress
from pathlib import Path

from tests.cluster import keda
from tests.cluster.control_plane import ControlPlane


def main() -> None:
    """Start both, print where the kubeconfig is, and wait."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with tempfile.TemporaryDirectory(prefix="foretide-rig-") as folder, ControlPlane(Path(folder)) as cluster:
        keda.install(cluster)
        print(cluster.kubeconfig, flush=True)
        with suppress(KeyboardInterrupt):
            signal.pause()


if __name__ == "__main__":
    main()
