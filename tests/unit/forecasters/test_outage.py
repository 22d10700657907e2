"""Falls to near zero: those that are told, and those that are this load's habit."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from forecasters.outage import Outage, OutageWatch, find_outages
from tests.fakes.loads import daily, series

STEP = timedelta(seconds=15)
MINUTE = 4  # steps
HOUR = 60 * MINUTE
DAY = 24 * HOUR


def weekday_load(days: float = 3) -> NDArray[np.float64]:
    return daily(days, step=STEP).values


def with_outage(load: NDArray[np.float64], at: int, *, minutes: int, left: float = 0.5) -> NDArray[np.float64]:
    load = load.copy()
    load[at : at + minutes * MINUTE] = left
    return load


def states(load: NDArray[np.float64]) -> list[Outage]:
    watch = OutageWatch(STEP)
    return [watch.observe(float(value)) for value in load]


def test_a_fall_to_nothing_at_noon_is_an_outage_with_its_span_and_levels() -> None:
    load = with_outage(weekday_load(), 2 * DAY + 12 * HOUR, minutes=24)
    (found,) = find_outages(series(load, step=STEP))

    assert found.since == series(load, step=STEP).start + timedelta(days=2, hours=12)
    assert found.until - found.since == timedelta(minutes=24)
    assert 80 < found.before < 120
    assert found.during == 0.5


def test_replicas_are_held_until_ten_minutes_after_the_return() -> None:
    at = 2 * DAY + 12 * HOUR
    seen = states(with_outage(weekday_load(), at, minutes=24))

    assert seen[at - 1] is Outage.NONE
    assert set(seen[at : at + 24 * MINUTE]) == {Outage.OUT}
    assert set(seen[at + 24 * MINUTE : at + 34 * MINUTE]) == {Outage.RETURNING}
    assert seen[at + 34 * MINUTE] is Outage.NONE


def test_a_return_that_falls_again_is_held_on() -> None:
    at = 2 * DAY + 12 * HOUR
    load = with_outage(with_outage(weekday_load(), at, minutes=10), at + 15 * MINUTE, minutes=10)

    assert Outage.NONE not in states(load)[at : at + 34 * MINUTE]


def test_a_fall_that_stays_for_two_hours_is_the_new_load() -> None:
    at = 2 * DAY + 12 * HOUR
    seen = states(with_outage(weekday_load(4), at, minutes=6 * 60))

    assert seen[at + 119 * MINUTE] is Outage.OUT
    assert set(seen[at + 2 * HOUR + 1 :]) == {Outage.NONE}


@pytest.mark.parametrize("minutes", [1, 2, 24])
def test_a_minute_s_mean_hides_no_fall(minutes: int) -> None:
    load = with_outage(weekday_load(), 2 * DAY + 12 * HOUR, minutes=minutes + 1, left=0.0)
    smooth = np.convolve(load, np.ones(MINUTE) / MINUTE, "full")[: len(load)]

    assert len(find_outages(series(smooth, step=STEP))) == 1


def test_a_load_without_a_fall_has_no_outage() -> None:
    assert find_outages(daily(14, step=STEP, weekend=0.3)) == ()


def test_a_slow_evening_is_no_outage() -> None:
    rows = np.arange(3 * DAY)
    load = 100 * np.maximum(np.sin(2 * np.pi * rows / DAY), 0.0)

    assert find_outages(series(load, step=STEP)) == ()


def test_a_service_that_is_switched_off_every_night_is_not_out() -> None:
    load = weekday_load(6)
    for day in range(6):
        load[day * DAY + 18 * HOUR : (day + 1) * DAY] = 0.0

    assert find_outages(series(load, step=STEP)) == ()


def test_bursts_with_nothing_between_them_are_not_out() -> None:
    load = np.where(np.arange(3 * DAY) % HOUR < 10 * MINUTE, 100.0, 0.0)

    assert len(find_outages(series(load, step=STEP))) <= 2  # until the habit is known


def test_a_fall_at_a_time_that_is_usually_low_is_explained() -> None:
    watch = OutageWatch(STEP)
    for value in weekday_load(1):
        watch.observe(float(value), usual=100.0)

    assert watch.observe(0.0, usual=2.0) is Outage.NONE
    other = OutageWatch(STEP)
    for value in weekday_load(1):
        other.observe(float(value), usual=100.0)
    assert other.observe(0.0, usual=100.0) is Outage.OUT


def test_a_gap_is_not_a_fall_and_ends_none() -> None:
    load = weekday_load()
    load[2 * DAY : 2 * DAY + HOUR] = np.nan
    assert set(states(load)) == {Outage.NONE}

    out = with_outage(weekday_load(), 2 * DAY, minutes=20)
    out[2 * DAY + 5 * MINUTE : 2 * DAY + 10 * MINUTE] = np.nan
    assert set(states(out)[2 * DAY : 2 * DAY + 20 * MINUTE]) == {Outage.OUT}


def test_nothing_is_called_an_outage_in_the_first_hours() -> None:
    assert set(states(with_outage(weekday_load(), 3 * HOUR, minutes=20))) == {Outage.NONE}


@given(st.lists(st.one_of(st.floats(0, 1e9), st.just(float("nan"))), max_size=300), st.integers(0, 300))
def test_a_restored_watch_goes_on_as_if_nothing_had_happened(values: list[float], cut: int) -> None:
    one, other = OutageWatch(timedelta(minutes=5)), OutageWatch(timedelta(minutes=5))
    for value in values[:cut]:
        one.observe(value)
    other.restore(one.encode())

    assert [one.observe(value) for value in values[cut:]] == [other.observe(value) for value in values[cut:]]


@pytest.mark.parametrize("body", [b"", b"{}", b'{"state": "Gone", "numbers": [], "recent": []}', b"\xff"])
def test_what_cannot_be_restored_is_learned_anew(body: bytes) -> None:
    watch = OutageWatch(STEP)
    watch.restore(body)

    assert watch.observe(1.0) is Outage.NONE


def test_the_unit_of_the_demand_does_not_matter() -> None:
    load = with_outage(weekday_load(), 2 * DAY + 12 * HOUR, minutes=24)

    assert states(load) == states(load * 1e-6)
