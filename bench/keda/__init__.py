"""KEDA's server beside a Go server of the same proto, asked by the same client in the same run: about four minutes.

Only ratios have limits: what a call costs in microseconds is the machine's, what it costs beside Go is ours.
"""

from __future__ import annotations

import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from bench.figures import Figure
from bench.keda import calls, control, leaving, streams


@dataclass(frozen=True, slots=True)
class Measured:
    """All of one run."""

    rounds: list[calls.Round]
    left: list[Figure]
    held: dict[int, streams.Both]

    def figures(self) -> list[Figure]:
        """Return the rows of `make bench`."""
        return [*calls.figures(self.rounds), *self.left, *streams.figures(self.held)]


def measured() -> Measured | None:
    """Return one run; None where there is no Go to build the control with."""
    if control.go() is None:
        print("bench    keda left out: there is no Go on this machine to build its control with", file=sys.stderr)
        return None
    program = control.built()
    with tempfile.TemporaryDirectory() as folder:
        rounds = calls.measure(program, Path(folder) / "calls")
        left = leaving.measure(program, Path(folder) / "leaving")
        return Measured(rounds, left, streams.measure(program))


def measure() -> list[Figure]:
    """Return the figures; none where there is no Go."""
    run = measured()
    return [] if run is None else run.figures()
