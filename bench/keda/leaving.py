"""An agent that is told to stop while it is asked 500 times a second, by a client that has a second endpoint."""

from __future__ import annotations

import signal
import time
from pathlib import Path

from bench.figures import Figure
from bench.keda.agents import POLICIES, BenchAgent
from bench.lines import LineProcess

RATE = 500
BEFORE = 2  # seconds under load before the signal
SECONDS = 10  # longer than the agent takes to leave


def measure(program: Path, folder: Path) -> list[Figure]:
    """Return how many calls failed, and that the process had ended while calls still came."""
    with BenchAgent(folder / "leaves") as leaves, BenchAgent(folder / "stays") as stays:
        options = ["-endpoints", f"{leaves.endpoint},{stays.endpoint}", "-rate", str(RATE), "-mixed"]
        options += ["-duration", f"{SECONDS}s", "-policies", str(POLICIES)]
        with LineProcess(program, "load", *options) as client:
            client.hear()
            time.sleep(BEFORE)
            leaves.popen.send_signal(signal.SIGTERM)
            began = time.monotonic()
            leaves.popen.wait()
            took = time.monotonic() - began
            heard = client.hear()
    return [
        Figure(f"SIGTERM at {RATE}/s: calls that failed", heard["failed"], "calls", 0.0),
        Figure(f"SIGTERM at {RATE}/s: until the process had ended", took, "s", float(SECONDS - BEFORE)),
        Figure(f"SIGTERM at {RATE}/s: longest call", heard["max_ms"], "ms"),
    ]
