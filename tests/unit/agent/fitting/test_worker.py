"""What a worker is started with."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[4]


def loaded_by(module: str) -> set[str]:
    program = f"import sys, {module}; print(*sys.modules)"
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT)
    return set(done.stdout.split())


def test_the_limits_can_be_set_before_numpy_is_there() -> None:
    assert "numpy" not in loaded_by("agent.fitting.worker")


def test_what_a_worker_runs_needs_no_command_line_and_no_web() -> None:
    loaded = loaded_by("agent.fitting.fit")
    assert not {
        name for name in loaded if name.startswith(("agent.cli", "agent.web", "grpc", "fastapi", "statsmodels"))
    }
