"""How well the models foretell the largest demand of a look-ahead, beside statsforecast's: losses, coverage, CPU.

It runs in a process of its own, in `.venv-bench` where that is: statsforecast wants an older pandas than we serve with.
"""

from __future__ import annotations

import json
import subprocess
import sys

from bench.figures import Figure


def measure() -> list[Figure]:
    """Return the summary; takes some minutes. `python -m bench.forecasts --markdown FILE` writes the whole of it."""
    command = [sys.executable, "-m", "bench.forecasts", "--json"]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return [Figure(**json.loads(line)) for line in done.stdout.splitlines()]
