"""A change of capacity is told, and while there is none, seldom."""

from __future__ import annotations

import numpy as np
import pytest

from scalers.capacity.drift import SAMPLES_BETWEEN_FALSE_ALARMS, Direction, Drift
from scalers.capacity.evidence import Curve, Evidence

TRUE = Curve(spread=0.08, lapse=0.03)  # none of the shapes that the evidence tries
CAPACITY = 12.0


def learned() -> Evidence:
    random = np.random.default_rng(7)
    found = Evidence(10.0)
    for load in random.uniform(4.0, 15.0, 2000).tolist():
        found.add(load, is_kept=random.random() > TRUE.missed(load, CAPACITY))
    return found


def run_length(
    known: Evidence, *, capacity: float, seed: int, between: float, most: int = 2000
) -> tuple[int, Direction | None]:
    """Return after how many samples an alarm came, and which."""
    random, drift, interval = np.random.default_rng(seed), Drift(), known.interval(0.9)
    for number, load in enumerate(random.uniform(4.0, 15.0, most).tolist(), start=1):
        is_kept = bool(random.random() > TRUE.missed(load, capacity))
        drift = drift.after(load, is_kept=is_kept, interval=interval, learned=known)
        if (went := drift.alarm(between)) is not None:
            return number, went
    return most, None


def test_false_alarms_are_no_more_frequent_than_stated() -> None:
    """Stated is a mean of 50 samples at the least; 20 runs are cut at 200, which only lowers their mean."""
    known = learned()
    lengths = [run_length(known, capacity=CAPACITY, seed=seed, between=50.0, most=200)[0] for seed in range(20)]

    assert np.mean(lengths) >= 50.0


@pytest.mark.parametrize(("capacity", "direction"), [(8.5, Direction.DOWN), (17.0, Direction.UP)])
def test_a_change_by_a_third_is_told_within_hours(capacity: float, direction: Direction) -> None:
    number, went = run_length(learned(), capacity=capacity, seed=1, between=SAMPLES_BETWEEN_FALSE_ALARMS)

    assert went is direction
    assert 30 <= number < 360


def test_misses_at_a_load_far_below_the_capacity_are_an_incident_and_no_drift() -> None:
    known = learned()
    drift, interval = Drift(), known.interval(0.9)
    for _ in range(100):
        drift = drift.after(4.0, is_kept=False, interval=interval, learned=known)

    assert drift.alarm() is None


def test_an_incident_of_less_than_half_an_hour_at_any_load_is_no_drift() -> None:
    known = learned()
    interval = known.interval(0.9)
    for load in (6.0, 8.0, 10.0, 11.0, 12.0):
        drift = Drift()
        for _ in range(29):
            drift = drift.after(load, is_kept=False, interval=interval, learned=known)
        assert drift.alarm() is None, load


def test_the_sums_never_fall_below_nothing() -> None:
    known = learned()
    drift = Drift().after(5.0, is_kept=True, interval=known.interval(0.9), learned=known)

    assert (drift.down, drift.up) == (0.0, 0.0)
