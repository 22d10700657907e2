from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest

from forecasters.past import Outcomes, Past
from forecasters.usual import Usual, usual_at

MINUTE, DAY = timedelta(minutes=1), 1440


def told(values: np.ndarray, *, ahead: int, rows: np.ndarray) -> Usual:
    past = Past.of_rows(0, MINUTE, values, values, np.isfinite(values))
    return usual_at(Outcomes.of(past, ahead), rows)


@pytest.mark.parametrize("ahead", [3, 200, DAY + 3])  # what followed this time yesterday is not known of the last
@pytest.mark.parametrize("row", [5, DAY // 2, DAY + 7, 9 * DAY])
def test_nothing_is_told_by_what_comes_later(row: int, ahead: int) -> None:
    random = np.random.default_rng(row)
    values = 100.0 + random.normal(0, 10, 10 * DAY)
    values[100:200:9] = np.nan  # gaps
    later = values.copy()
    later[row + 1 :] = 1000.0
    at = np.array([row])
    for part in ("lately", "slow", "habits"):
        expected = getattr(told(values, ahead=ahead, rows=at), part)
        np.testing.assert_array_equal(getattr(told(later, ahead=ahead, rows=at), part), expected)


@pytest.mark.parametrize("ahead", [3, DAY + 3])
def test_many_rows_are_told_as_each_alone(ahead: int) -> None:
    values = 100.0 + np.random.default_rng(1).normal(0, 10, 3 * DAY)
    rows = np.arange(0, len(values), 97)
    together = told(values, ahead=ahead, rows=rows)
    for place, row in enumerate(rows.tolist()):
        alone = told(values, ahead=ahead, rows=np.array([row]))
        np.testing.assert_allclose(alone.habits[0], together.habits[place], rtol=1e-12)
        np.testing.assert_allclose(alone.slow[0], together.slow[place], rtol=1e-12)
        np.testing.assert_allclose(alone.lately[0], together.lately[place], rtol=1e-12)
