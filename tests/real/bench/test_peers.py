"""statsforecast's models, in the environment that `make bench-env` makes; without it their absence is told."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import numpy as np
import pytest

from bench.forecasts.__main__ import WITH_PEERS
from bench.forecasts.peers import IS_INSTALLED, peers

ROOT = Path(__file__).parents[3]
PROGRAM = """
import json
from datetime import timedelta
from bench.forecasts.peers import Decomposed, Forwarded, WithFourierTerms
from tests.fakes.loads import daily

hourly = daily(12, step=timedelta(hours=1), noise=2.0)
found = {}
for model in (Forwarded("SeasonalNaive"), WithFourierTerms(), Decomposed()):
    model.fit(hourly.last(len(hourly)).between(hourly.start, hourly.end - timedelta(hours=30)))
    for value in hourly.values[-30:].tolist():
        model.observe(value)
    found[model.name] = model.fan(6).tolist()
print(json.dumps(found))
"""

pytestmark = pytest.mark.real


@pytest.mark.skipif(IS_INSTALLED, reason="statsforecast is installed here")
def test_without_statsforecast_there_are_no_peers() -> None:
    assert peers(2) == []


@pytest.mark.skipif(not WITH_PEERS.exists(), reason="no .venv-bench: make bench-env")
def test_seasons_are_where_they_belong_after_values_were_taken_in() -> None:
    """A day and a quarter after the fit the next hours follow the shape: 100 give or take 40."""
    command = [WITH_PEERS, "-W", "ignore", "-c", PROGRAM]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT)
    shape = 100 + 40 * np.sin(2 * np.pi * np.arange(288, 294) / 24)
    fans = {name: np.array(fan) for name, fan in json.loads(done.stdout).items()}

    assert list(fans) == ["SeasonalNaive", "AutoARIMA, Fourier terms", "MSTL"]
    for name, fan in fans.items():
        assert np.abs(fan[0] - shape).max() < 15, name
        assert (np.diff(fan, axis=0) >= 0).all(), name
