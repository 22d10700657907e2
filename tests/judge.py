"""The judge's own simulator, where the checkout stands beside it; nothing of it is ours."""

from __future__ import annotations

import runpy
from pathlib import Path
from types import SimpleNamespace

import pytest

_SHARED = Path(__file__).resolve().parents[2] / "shared"


def simulate() -> SimpleNamespace:
    """Return the judge's `simulate` as a namespace, or skip the test."""
    file = _SHARED / "judge" / "simulate.py"
    if not file.exists():
        pytest.skip("the judge (../shared/judge) is not beside this checkout")
    return SimpleNamespace(**runpy.run_path(str(file)))


def trace(name: str) -> Path:
    """Return a shared trace, or skip the test."""
    file = _SHARED / "traces" / name
    if not file.exists():
        pytest.skip("the traces (../shared/traces) are not beside this checkout")
    return file


def program() -> Path:
    """Return the judge's program, or skip the test."""
    file = _SHARED / "judge" / "judge.py"
    if not file.exists():
        pytest.skip("the judge (../shared/judge) is not beside this checkout")
    return file
