"""A leader and a follower with 1,000 policies of a real API server and a real Prometheus.

What is measured is the steady state, after every policy has been fitted: CPU, writes, and how long a decision takes to
reach every agent that answers. Kubernetes and Prometheus share the machine: their CPU is in no figure, what they leave
is in every time.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path

from bench.cluster.run import Measured, Setting, run
from bench.figures import Figure
from tests.real.prometheus import rig

POLICIES = 1000
DAYS = 14.0  # of past, which is what policies have by default


def measured(setting: Setting) -> Measured | None:
    """Return one run; None where there is no Go to build Kubernetes with, or no Prometheus."""
    missing = "no Go on this machine to build Kubernetes with" if shutil.which("go") is None else rig.missing_binary()
    if missing:
        print(f"bench    cluster left out: {missing}", file=sys.stderr)
        return None
    with tempfile.TemporaryDirectory() as folder:
        return run(Path(folder), setting)


def measure() -> list[Figure]:
    """Return the figures; none where there is no Go or no Prometheus."""
    found = measured(Setting(POLICIES, DAYS, is_mutual=True))
    return [] if found is None else found.figures()
