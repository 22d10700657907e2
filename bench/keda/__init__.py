"""KEDA's server beside a Go server of the same proto, asked by the same client in the same run: about four minutes.

Only ratios have limits: what a call costs in microseconds is the machine's, what it costs beside Go is ours.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from bench.figures import Figure
from bench.keda import calls, control, leaving, streams


def measure() -> list[Figure]:
    """Return the figures; none where there is no Go to build the control with."""
    if control.go() is None:
        print("bench    keda left out: there is no Go on this machine to build its control with", file=sys.stderr)
        return []
    program = control.built()
    with tempfile.TemporaryDirectory() as folder:
        return [
            *calls.measure(program, Path(folder) / "calls"),
            *leaving.measure(program, Path(folder) / "leaving"),
            *streams.measure(program),
        ]
