"""Outages in a past are told from what was known then."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest

from forecasters.falls import believed, usual_demand
from forecasters.past import Past
from forecasters.same_time import SameTimes
from tests.fakes.loads import daily

MINUTE, STEP = timedelta(minutes=1), timedelta(seconds=15)
HOUR, DAY = 60, 1440  # rows
DAYS = 10
NOON = 9 * DAY + 12 * HOUR  # of the last day


def load() -> np.ndarray:
    """Ten days by the minute, which nobody switches off."""
    return daily(DAYS, step=MINUTE).values.copy()


def outage(values: np.ndarray, *, samples: int, per_row: int = 1, after: int = 0) -> list[int]:
    """Return which of the newest samples are told to lie in an outage, as rows of the past."""
    past = Past.of_rows(0, MINUTE, values, values, np.isfinite(values))
    fine = np.repeat(values, per_row)
    fine = np.concatenate([fine, np.full(after, fine[-1])])[-samples:]
    found = believed(past, fine, per_row=per_row, after=after, step=MINUTE / per_row)
    first = len(values) * per_row + after - samples
    return ((first + np.flatnonzero(~found)) // per_row).tolist()


@pytest.mark.parametrize("per_row", [1, 4])
def test_an_outage_lasts_from_the_fall_to_ten_minutes_after_the_return(per_row: int) -> None:
    values = load()
    values[NOON : NOON + HOUR] = 0.0

    found = outage(values, samples=2 * DAY * per_row, per_row=per_row)
    assert found == np.repeat(np.arange(NOON, NOON + HOUR + 10), per_row).tolist()


def test_after_two_hours_what_is_there_is_the_load() -> None:
    values = load()
    values[NOON : NOON + 5 * HOUR] = 0.0

    assert outage(values, samples=2 * DAY) == list(range(NOON, NOON + 2 * HOUR))


def test_what_is_usual_is_no_outage() -> None:
    """Off at noon of each day, and told from the days before alone: the first day that it is seen on lies far back."""
    values = load()
    for day in range(DAYS):
        values[day * DAY + 12 * HOUR : day * DAY + 13 * HOUR] = 0.0

    assert outage(values, samples=DAY) == []


def test_what_comes_later_explains_no_fall() -> None:
    values = load()
    values[NOON - DAY : NOON - DAY + HOUR] = 0.0
    told_then = outage(values[: NOON - DAY + 2 * HOUR], samples=DAY)
    values[NOON : NOON + HOUR] = 0.0  # the day after it is usual

    assert told_then == list(range(NOON - DAY, NOON - DAY + HOUR + 10))
    assert outage(values, samples=3 * DAY) == told_then


def test_a_fall_within_the_first_week_explains_itself() -> None:
    values = load()[: 6 * DAY]
    values[5 * DAY : 5 * DAY + HOUR] = 0.0

    assert outage(values, samples=6 * DAY) == []


def test_an_outage_in_the_rows_before_the_samples_is_still_on_in_them() -> None:
    """Where in its row demand fell is not known then, so two hours are two hours and a row."""
    values = load()
    values[NOON:] = 0.0

    found = outage(values, samples=11 * HOUR * 4, per_row=4, after=3)
    assert sorted(set(found)) == list(range(NOON + HOUR, NOON + 2 * HOUR + 1))


def test_a_gap_neither_begins_nor_ends_an_outage() -> None:
    values = load()
    values[NOON : NOON + HOUR] = 0.0
    values[NOON + 10 : NOON + 20] = np.nan
    assert outage(values, samples=DAY) == list(range(NOON, NOON + HOUR + 10))
    values[NOON : NOON + HOUR] = np.nan
    assert outage(values, samples=DAY) == []


def test_without_rows_every_sample_is_believed() -> None:
    past = Past.of_rows(0, MINUTE, *(np.empty(0) for _ in range(2)), np.empty(0, np.bool_))

    assert believed(past, np.array([5.0, 0.0]), per_row=4, after=2, step=STEP).tolist() == [True, True]


def test_what_is_usual_is_the_least_of_this_time_of_the_last_days() -> None:
    rows, now = np.full(8 * 24, 100.0), 8 * 24
    then = SameTimes(now - 24 * np.arange(1, 8), now - 168 * np.arange(1, 3))
    assert usual_demand(rows, then, near=1) == 100.0
    rows[5 * 24 + 1] = 30.0  # an hour later, three days ago
    assert usual_demand(rows, then, near=1) == 30.0
    rows[5 * 24 + 1] = np.nan
    assert usual_demand(rows, then, near=1) == 100.0
    rows[23:26] = np.nan
    assert usual_demand(rows, then, near=1) == 0.0  # last week is not known: any fall may be usual
