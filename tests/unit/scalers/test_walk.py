from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest

from forecasters.past import Past
from forecasters.peak_paths import FAMILIES, REACTIVE
from scalers.contest import Contest, Setting
from scalers.hpa_rules import HpaRules
from scalers.walk import Fine, refit_after, walk
from tests.fakes.loads import daily

MINUTE, STEP = timedelta(minutes=1), timedelta(seconds=15)


@pytest.mark.parametrize(("minutes", "is_fitted"), [(2, False), (90, False), (183, False), (184, True)])
def test_a_past_is_lived_through_however_young_and_fitted_on_from_three_hours_of_outcomes(
    minutes: int, is_fitted: bool
) -> None:
    values = 100.0 + 10.0 * np.sin(np.arange(4 * minutes) / 40)
    rows = values.reshape(minutes, 4)
    past = Past.of_rows(1000, MINUTE, rows[:, -1], rows.max(axis=1), np.ones(minutes, np.bool_))
    setting = Setting(10.0, STEP, timedelta(minutes=2), late=3, rules=HpaRules())
    contest = Contest(tuple(FAMILIES), setting)
    assert (walk(past, Fine(values, 4), 4, contest, step=STEP) is not None) == is_fitted
    lived = contest.records().age
    assert lived >= 0.9 * minutes * MINUTE - timedelta(minutes=16)  # whole blocks alone count, and records fade


@pytest.mark.parametrize(("age", "hours"), [(0, 3), (23, 3), (24, 6), (95, 6), (96, 24), (336, 24)])
def test_a_young_model_is_fitted_anew_more_often(age: int, hours: int) -> None:
    assert refit_after(timedelta(hours=age)) == timedelta(hours=hours)


@pytest.mark.parametrize(("ratio", "days"), [(1.0, 5.0), (2.0, 1.8)])
def test_a_walk_lets_what_lies_before_a_change_of_level_count_for_a_day(ratio: float, days: float) -> None:
    values = daily(12, step=MINUTE).values.copy()
    values[-42 * 60 :] *= ratio
    past = Past.of_rows(0, MINUTE, values, values, np.ones(len(values), np.bool_))
    setting = Setting(10.0, MINUTE, timedelta(minutes=2), late=1, rules=HpaRules())
    contest = Contest((REACTIVE,), setting)
    walk(past, Fine(values, 1), 3, contest, step=MINUTE, is_fitting=False)
    lived = contest.records().age / timedelta(days=1)
    assert lived == pytest.approx(days, rel=0.25)
