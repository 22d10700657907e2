from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest
from numpy.typing import NDArray

from forecasters.level_change import level_changes
from forecasters.past import Past
from tests.fakes.loads import daily

MINUTE = timedelta(minutes=1)
HOUR, DAY = 60, 1440  # rows
DAYS, CHANGE = 14, 10 * DAY + 7 * HOUR


def load(weekend: float = 1.0) -> NDArray[np.float64]:
    return daily(DAYS, step=MINUTE, weekend=weekend).values.copy()


def past_of(values: NDArray[np.float64], step: timedelta = MINUTE) -> Past:
    return Past.of_rows(0, step, values, values, np.isfinite(values))


@pytest.mark.parametrize("ratio", [0.4, 0.6, 1.7, 5.0])
def test_a_change_for_good_is_certain_after_a_day_and_told_once(ratio: float) -> None:
    values = load()
    values[CHANGE:] *= ratio

    (row,) = level_changes(past_of(values))
    assert CHANGE + 20 * HOUR <= row <= CHANGE + 25 * HOUR


@pytest.mark.parametrize("ratio", [0.75, 1.0, 1.3])
def test_a_small_change_is_none(ratio: float) -> None:
    values = load()
    values[CHANGE:] *= ratio
    assert not len(level_changes(past_of(values)))


def test_a_quiet_weekend_and_the_busy_monday_after_it_are_none() -> None:
    assert not len(level_changes(past_of(load(weekend=0.4))))


def test_in_the_first_week_nothing_is() -> None:
    values = load()
    values[3 * DAY : 7 * DAY] *= 3.0
    assert not len(level_changes(past_of(values[: 7 * DAY])))


@pytest.mark.parametrize("hours", [3, 12, 20])
def test_a_crowd_that_is_gone_within_the_day_is_none(hours: int) -> None:
    values = load()
    values[CHANGE : CHANGE + hours * HOUR] *= 3.0
    assert not len(level_changes(past_of(values)))


def test_a_gap_is_no_change_and_hides_none_when_it_is_short() -> None:
    values = load()
    values[CHANGE:] *= 2.0
    values[CHANGE + 5 * HOUR : CHANGE + 6 * HOUR] = np.nan
    assert len(level_changes(past_of(values))) == 1

    values = load()
    values[CHANGE:] = np.nan
    assert not len(level_changes(past_of(values)))


def test_nothing_later_is_used() -> None:
    values = load()
    values[CHANGE:] *= 2.0
    (row,) = level_changes(past_of(values))

    assert level_changes(past_of(values[: row + 1])).tolist() == [row]
    assert not len(level_changes(past_of(values[:row])))


def test_rows_of_other_lengths_and_units_tell_the_same_day() -> None:
    values = load()
    values[CHANGE:] *= 2.0
    coarse = 1000.0 * values.reshape(-1, 5)[:, -1]

    (row,) = level_changes(past_of(coarse, 5 * MINUTE))
    assert CHANGE + 20 * HOUR <= 5 * row <= CHANGE + 25 * HOUR
