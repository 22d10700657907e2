"""Grids: where a value stands, what a gap is, how a coarser grid is made."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest

from tests.fakes.loads import MONDAY, series

MINUTE = timedelta(minutes=1)
GAP = float("nan")


def test_a_coarse_value_is_the_mean_of_the_step_that_ends_at_it() -> None:
    fine = series([9.0, 1.0, 2.0, 3.0, 4.0, 5.0, 100.0], step=MINUTE)  # 00:00 to 00:06
    coarse = fine.coarsened(5 * MINUTE)
    assert coarse.start == MONDAY + 5 * MINUTE
    assert coarse.values.tolist() == [3.0]


def test_only_whole_coarse_steps_are_kept() -> None:
    from_three = series(np.arange(13.0), step=MINUTE).between(MONDAY + 3 * MINUTE, MONDAY + 12 * MINUTE)
    coarse = from_three.coarsened(5 * MINUTE)
    assert coarse.start == MONDAY + 10 * MINUTE
    assert coarse.values.tolist() == [8.0]


def test_a_coarse_step_of_which_under_half_is_known_is_a_gap() -> None:
    fine = series([0.0, 1.0, GAP, 3.0, GAP, GAP, GAP, 8.0, GAP], step=MINUTE)
    np.testing.assert_array_equal(fine.coarsened(4 * MINUTE).values, [2.0, GAP])


def test_the_same_step_is_the_same_series() -> None:
    fine = series([1.0, 2.0])
    assert fine.coarsened(fine.step) is fine


def test_a_step_that_is_no_multiple_is_refused() -> None:
    with pytest.raises(ValueError, match="is not a multiple"):
        series([1.0, 2.0], step=2 * MINUTE).coarsened(3 * MINUTE)


def test_gaps_are_bridged_by_straight_lines_and_ends_are_held() -> None:
    assert series([GAP, 2.0, GAP, GAP, 5.0, GAP]).filled().tolist() == [2.0, 2.0, 3.0, 4.0, 5.0, 5.0]


def test_a_series_that_is_all_gaps_cannot_be_filled() -> None:
    with pytest.raises(ValueError, match="is all gaps"):
        series([GAP, GAP]).filled()
