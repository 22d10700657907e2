"""The chart's alert rules, evaluated by Prometheus's own code: in trouble each rings, on a good day none does."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.real.prometheus import rig

pytestmark = pytest.mark.real
CASES = Path(__file__).with_name("rules_test.yaml")


def test_each_alert_rings_in_trouble_and_none_does_on_a_good_day() -> None:
    if reason := rig.missing_binary():
        pytest.skip(reason)
    done = subprocess.run(["promtool", "test", "rules", str(CASES)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
