from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest

from forecasters.past import Past
from forecasters.peak_paths import FAMILIES
from scalers.contest import Contest, Setting
from scalers.hpa_rules import HpaRules
from scalers.walk import Fine, walk

MINUTE, STEP = timedelta(minutes=1), timedelta(seconds=15)


@pytest.mark.parametrize("minutes", [2, 90, 5 * 60 + 59])
def test_a_past_that_is_younger_than_the_first_fit_is_lived_through_all_the_same(minutes: int) -> None:
    values = 100.0 + 10.0 * np.sin(np.arange(4 * minutes) / 40)
    rows = values.reshape(minutes, 4)
    past = Past.of_rows(1000, MINUTE, rows[:, -1], rows.max(axis=1), np.ones(minutes, np.bool_))
    setting = Setting(10.0, STEP, timedelta(minutes=2), late=3, rules=HpaRules())
    contest = Contest(tuple(FAMILIES), setting)
    assert walk(past, Fine(values, 4), 4, contest, step=STEP) is None
    lived = contest.records().weight * STEP
    assert lived >= 0.9 * minutes * MINUTE - timedelta(minutes=16)  # whole blocks alone count, and records fade
