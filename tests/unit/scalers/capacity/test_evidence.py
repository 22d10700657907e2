"""Counts by load become an interval for the capacity."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scalers.capacity.evidence import BINS, MOST_PER_BIN, Curve, Evidence

TRUE = Curve(spread=0.05, lapse=0.02)


def evidence(*, capacity: float, loads: tuple[float, float], samples: int, seed: int = 1) -> Evidence:
    """Return what samples at loads drawn evenly from a range tell of a service with a known capacity."""
    random = np.random.default_rng(seed)
    found = Evidence(10.0)
    for load in random.uniform(*loads, samples).tolist():
        found.add(load, is_kept=random.random() > TRUE.missed(load, capacity))
    return found


def test_the_capacity_is_where_the_load_makes_one_sample_in_ten_miss() -> None:
    curve = Curve(spread=0.05, lapse=0.0)

    assert curve.missed(12.0, 12.0) == pytest.approx(0.1)
    assert curve.missed(6.0, 12.0) == pytest.approx(0.0, abs=1e-6)
    assert curve.missed(24.0, 12.0) == pytest.approx(1.0, abs=1e-5)


def test_the_interval_holds_the_capacity_about_as_often_as_it_says() -> None:
    """Of 60 services, 90 % of the intervals hold it; fewer than 48 would have a chance of 1 in 1,000."""
    held = 0
    for seed in range(60):
        capacity = float(np.random.default_rng(1000 + seed).uniform(5.0, 20.0))
        found = evidence(capacity=capacity, loads=(0.4 * capacity, 1.3 * capacity), samples=300, seed=seed).interval(
            0.9
        )
        held += found.low <= capacity <= found.high

    assert held >= 48


def test_more_samples_narrow_the_interval() -> None:
    few, many = (evidence(capacity=12.0, loads=(5.0, 16.0), samples=n).interval(0.9) for n in (60, 1000))

    assert 1.0 < many.ratio < 1.1 < few.ratio


def test_loads_that_never_came_near_the_limit_prove_nothing_above_them() -> None:
    found = evidence(capacity=100.0, loads=(4.0, 8.0), samples=1000).interval(0.9)

    assert 7.0 < found.low < 12.0
    assert found.high > 100.0


def test_misses_that_no_load_explains_are_no_limit() -> None:
    """One in fifty is missed at every load alike."""
    found = evidence(capacity=1000.0, loads=(4.0, 20.0), samples=2000).interval(0.9)

    assert found.low > 18.0


def test_what_was_seen_at_a_load_is_forgotten_as_that_load_is_seen_again() -> None:
    found = Evidence(10.0)
    for _ in range(2000):
        found.add(10.0, is_kept=True)
    for _ in range(2000):
        found.add(5.0, is_kept=False)

    assert found.kept.sum() == pytest.approx(MOST_PER_BIN, rel=0.01)
    assert found.missed.sum() == pytest.approx(MOST_PER_BIN, rel=0.01)


def test_the_highest_load_kept_needs_samples_and_ignores_a_lucky_one() -> None:
    found = Evidence(10.0)
    assert found.highest_kept(5.0) is None
    for _ in range(20):
        found.add(8.0, is_kept=True)
    found.add(16.0, is_kept=True)

    assert found.highest_kept(5.0) == pytest.approx(8.0, rel=0.03)


def test_the_share_of_misses_at_a_load_is_what_was_counted() -> None:
    found = Evidence(10.0)
    for number in range(200):
        found.add(10.0, is_kept=number % 10 > 0)
    share = found.missed_share(10.0)

    assert 0.04 < share.low < 0.1 < share.high < 0.18


def test_a_table_is_taken_up_again_and_a_wrong_one_refused() -> None:
    found = evidence(capacity=12.0, loads=(5.0, 16.0), samples=200)

    again = Evidence.of_table(10.0, found.table())
    assert again.interval(0.9).low == pytest.approx(found.interval(0.9).low)
    with pytest.raises(ValueError, match="counts must be finite"):
        Evidence.of_table(10.0, np.zeros((2, BINS - 1), dtype=np.float32))
    with pytest.raises(ValueError, match="counts must be finite"):
        Evidence.of_table(10.0, np.full((2, BINS), -1.0, dtype=np.float32))


@settings(max_examples=30, deadline=None)
@given(
    samples=st.lists(st.tuples(st.floats(1e-9, 1e12), st.booleans()), max_size=40),
    confidence=st.floats(0.01, 0.99),
    wider=st.floats(0.0, 0.009),
)
def test_an_interval_is_ordered_and_widens_with_the_confidence(
    samples: list[tuple[float, bool]], confidence: float, wider: float
) -> None:
    found = Evidence(10.0)
    for load, is_kept in samples:
        found.add(load, is_kept=is_kept)
    narrow, wide = found.interval(confidence), found.interval(confidence + wider)

    assert 0.0 < wide.low <= narrow.low < narrow.high <= wide.high


@settings(max_examples=30, deadline=None)
@given(
    samples=st.lists(st.tuples(st.floats(1.0, 100.0), st.booleans()), max_size=40), unit=st.sampled_from([1e-3, 8.0])
)
def test_another_unit_scales_the_interval(samples: list[tuple[float, bool]], unit: float) -> None:
    found, scaled = Evidence(10.0), Evidence(10.0 * unit)
    for load, is_kept in samples:
        found.add(load * 1.01, is_kept=is_kept)  # off the edges of bins, which rounding would cross
        scaled.add(load * 1.01 * unit, is_kept=is_kept)

    assert scaled.interval(0.9).low == pytest.approx(found.interval(0.9).low * unit)
