"""kubectl as a person runs it."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

KUBECTL = Path(__file__).parents[2] / ".venv" / "bin" / "kubectl"
MISSING = "kubectl is not in .venv/bin, so what it prints is not looked at: make .venv/bin/helm"


def printed(kubeconfig: Path, *words: str) -> str | None:
    """Return what kubectl prints; None where there is none on a laptop. In CI there must be.

    Raises:
        subprocess.CalledProcessError: it failed.
    """
    if not KUBECTL.exists() and "CI" not in os.environ:
        return None
    command = [str(KUBECTL), f"--kubeconfig={kubeconfig}", *words]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout
