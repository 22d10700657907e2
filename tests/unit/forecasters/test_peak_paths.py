"""What each path plans for: the same whether samples come one by one or a past is walked through."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest
from numpy.typing import NDArray

from forecasters.peak_model import LEVELS
from forecasters.peak_paths import PATHS, Paths, planned_table
from forecasters.usual import Usual, UsualNow

STEP = timedelta(minutes=1)
ROWS = 200


def usual(rows: int) -> Usual:
    lately, habits = np.full((rows, 2), 4.0), np.full((rows, 16), -1.0)
    return Usual(lately, np.full((rows, 5), np.nan), habits)


def demand_and_peaks() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    random = np.random.default_rng(5)
    demand = random.uniform(0.0, 100.0, ROWS)
    peaks = demand[:, None] + np.sort(random.uniform(0.0, 50.0, (ROWS, len(LEVELS))), axis=1)
    peaks[:50] = np.nan  # the model is fitted later
    return demand, peaks


def one_by_one(demand: NDArray[np.float64], peaks: NDArray[np.float64]) -> NDArray[np.float64]:
    paths, one = Paths(STEP), UsualNow.of([4.0] * 2, [np.nan] * 5, [-1.0] * 16)
    rows = zip(demand.tolist(), peaks, strict=True)
    return np.array([paths.planned(value, one, None if np.isnan(row[0]) else row.tolist()) for value, row in rows])


def test_one_by_one_is_as_a_table_of_all() -> None:
    demand, peaks = demand_and_peaks()

    table = planned_table(demand, usual(ROWS), peaks, STEP)

    np.testing.assert_array_equal(one_by_one(demand, peaks), table)


@pytest.mark.parametrize(("path", "minutes"), [("hold-15m", 15), ("hold-30m", 30)])
def test_a_hold_plans_for_the_largest_demand_of_its_minutes(path: str, minutes: int) -> None:
    demand, peaks = demand_and_peaks()

    held = one_by_one(demand, peaks)[:, PATHS.index(path)]

    assert held.tolist() == [demand[max(0, row + 1 - minutes) : row + 1].max() for row in range(ROWS)]


def test_a_rise_that_is_usual_is_added_to_the_demand_of_now() -> None:
    demand, peaks = demand_and_peaks()

    planned = one_by_one(demand, peaks)

    np.testing.assert_array_equal(planned[:, PATHS.index("volatility")], demand + 4.0)
    np.testing.assert_array_equal(planned[:, PATHS.index("analog")], demand)  # it usually falls: none is taken off
