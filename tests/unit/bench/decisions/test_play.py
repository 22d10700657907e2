"""The benchmark's short way of playing decisions stands for the live code: both are let loose on the same load."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from agent.backtest.contest import play
from agent.backtest.decisions import LiveDecisions
from agent.backtest.load import SYNC, Load
from bench.decisions.play import played, policy_of, trial_of_load
from bench.decisions.ways import EVERYTHING, WAYS
from forecasters.series import Series

START_UP = timedelta(minutes=2)
RISK = 0.01


@pytest.fixture(scope="module")
def load() -> Load:
    """Six days of a daily shape with noise, and a rush each hour.

    In the first three days forecasts begin to keep the risk: an hour sooner or later is a twentieth of the cost.
    """
    random = np.random.default_rng(7)
    steps = np.arange(6 * 5760)
    day = 100 + 40 * np.sin(2 * np.pi * steps / 5760)
    rush = np.where(steps % 240 < 40, 60.0, 0.0)
    values = np.maximum((day + rush) * np.exp(random.normal(0, 0.03, len(steps))), 0.0)
    return Load(Series(datetime(2026, 1, 5, tzinfo=UTC), SYNC, values), SYNC)


def test_what_is_played_is_what_live_decisions_do(load: Load) -> None:
    short_way = played(load, START_UP, WAYS[:1], (RISK,)).ways[EVERYTHING, RISK]
    trial = trial_of_load(load, START_UP)
    live = LiveDecisions(replace(policy_of(trial), risk=RISK))
    _, foretide = play(trial, targets=(), decisions=live, told=lambda _: None)
    assert foretide is not None
    assert short_way.cost == pytest.approx(foretide.score.cost, rel=0.02)
    assert short_way.short_pct == pytest.approx(foretide.score.short_pct, abs=0.3)
