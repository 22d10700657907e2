"""The demo's load: a function of seed and instant, in the shape of a chat service."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.demo.load import STEPS_PER_DAY, LoadShape, SimulatedLoad
from forecasters.series import EPOCH

MONDAY = datetime(2026, 3, 2, tzinfo=UTC)
FIRST = (MONDAY - EPOCH) // timedelta(seconds=15)
LOAD = SimulatedLoad(LoadShape(seed=7, live_since=MONDAY))


def mean_between(day: datetime, since: float, until: float) -> float:
    """Mean load between two hours of a day."""
    first = (day + timedelta(hours=since) - EPOCH) // timedelta(seconds=15)
    return float(LOAD.demand(first, round((until - since) * 240)).mean())


@given(start=st.integers(-30_000, 30_000), count=st.integers(0, 12_000), cut=st.floats(0, 1))
def test_a_load_asked_in_pieces_is_the_load_asked_whole(start: int, count: int, cut: float) -> None:
    head = round(count * cut)

    pieces = [LOAD.demand(FIRST + start, head), LOAD.demand(FIRST + start + head, count - head)]

    assert np.array_equal(np.concatenate(pieces), LOAD.demand(FIRST + start, count))


def test_the_same_seed_gives_the_same_load_and_another_seed_another() -> None:
    again = SimulatedLoad(LoadShape(seed=7, live_since=MONDAY))
    other = SimulatedLoad(LoadShape(seed=8, live_since=MONDAY))

    assert np.array_equal(LOAD.demand(FIRST, 100), again.demand(FIRST, 100))
    assert not np.allclose(LOAD.demand(FIRST, 100), other.demand(FIRST, 100))


def test_one_instant_gives_the_value_of_its_step() -> None:
    assert LOAD.demand_at(MONDAY + timedelta(seconds=44)) == LOAD.demand(FIRST + 2, 1)[0]


def test_two_weeks_lie_within_what_forty_replicas_of_twelve_serve() -> None:
    values = LOAD.demand(FIRST - 14 * STEPS_PER_DAY, 16 * STEPS_PER_DAY)

    assert 8 < values.min() < 25
    assert 170 < values.max() < 300


def test_a_weekday_is_busy_by_day_and_a_weekend_less_so() -> None:
    saturday = MONDAY - timedelta(days=2)

    assert mean_between(MONDAY, 10, 11.5) > 4 * mean_between(MONDAY, 3, 6)
    assert mean_between(saturday, 10, 11.5) < 0.6 * mean_between(MONDAY, 10, 11.5)


def test_a_scheduled_job_triples_the_load_of_the_night_within_two_minutes() -> None:
    before, within = mean_between(MONDAY, 1.9, 2.0), mean_between(MONDAY, 2 + 2 / 60, 2.6)

    assert within > 3 * before


def test_the_slow_noise_forgets_within_tens_of_minutes() -> None:
    drifting = SimulatedLoad(LoadShape(seed=7, live_since=MONDAY, jobs=(), dispersion=0.0))
    steady = SimulatedLoad(LoadShape(seed=7, live_since=MONDAY, jobs=(), dispersion=0.0, drift=0.0))
    first = FIRST - 5 * STEPS_PER_DAY

    noise = np.log(drifting.demand(first, 5 * STEPS_PER_DAY) / steady.demand(first, 5 * STEPS_PER_DAY))

    assert noise.std() == pytest.approx(0.03, rel=0.15)
    assert np.corrcoef(noise[:-4], noise[4:])[0, 1] == pytest.approx(0.90, abs=0.03)  # a minute later
    assert np.corrcoef(noise[:-240], noise[240:])[0, 1] == pytest.approx(0.0, abs=0.15)  # an hour later


@pytest.mark.parametrize("days", [0, 1, 5])
def test_each_live_day_has_a_flash_crowd_by_day(days: int) -> None:
    calm = SimulatedLoad(LoadShape(seed=7, live_since=MONDAY, flash_rate=0.0))
    first = FIRST + days * STEPS_PER_DAY

    extra = LOAD.demand(first, STEPS_PER_DAY) - calm.demand(first, STEPS_PER_DAY)

    assert 35 < extra.max() < 60
    assert 13 * 240 < int(np.flatnonzero(extra > 1)[0]) < 17 * 240


def test_no_flash_crowd_comes_before_the_live_days() -> None:
    calm = SimulatedLoad(LoadShape(seed=7, live_since=MONDAY, flash_rate=0.0))

    assert np.array_equal(LOAD.demand(FIRST - 50_000, 50_000), calm.demand(FIRST - 50_000, 50_000))


def test_a_gap_lasts_twenty_minutes_and_the_load_goes_on() -> None:
    start, end = LOAD.gap_of((MONDAY - EPOCH).days)

    assert end - start == timedelta(minutes=20)
    assert timedelta(hours=18) <= start - MONDAY <= timedelta(hours=22)
    assert LOAD.gap_around(start) == (start, end)
    assert LOAD.gap_around(end) is None
    assert LOAD.demand_at(start + timedelta(minutes=10)) > 20
