"""Windows over arrays, against what each window says by itself."""

from __future__ import annotations

import numpy as np
import pytest

from forecasters.trailing import known_mean, known_quantiles, trailing_largest, trailing_quantiles

VALUES = np.random.default_rng(3).normal(size=200)


@pytest.mark.parametrize("count", [1, 2, 7, 64, 500])
def test_the_trailing_largest_is_that_of_each_window(count: int) -> None:
    windows = [VALUES[max(0, end + 1 - count) : end + 1] for end in range(len(VALUES))]

    assert trailing_largest(VALUES, count).tolist() == [window.max() for window in windows]


def test_trailing_quantiles_are_those_of_as_much_of_a_window_as_there_is() -> None:
    ends, count, levels = np.array([-2, 0, 0, 5, 39, 40, 120, 199]), 40, (0.5, 0.95)
    windows = [VALUES[max(0, end + 1 - count) : max(0, end + 1)] for end in ends]

    found = np.array(trailing_quantiles(VALUES, ends, count, levels))

    assert np.isnan(found[:, 0]).all()
    expected = np.array([np.quantile(window, levels) for window in windows[1:]]).T
    np.testing.assert_allclose(found[:, 1:], expected, rtol=1e-12)


def test_a_single_window_is_as_one_of_many() -> None:
    ends = np.array([10, 150])
    both = np.array(trailing_quantiles(VALUES, ends, 40, (0.8,)))[0]

    alone = [trailing_quantiles(VALUES, ends[place : place + 1], 40, (0.8,))[0][0] for place in range(2)]
    np.testing.assert_allclose(alone, both, rtol=1e-12)


def test_what_is_not_known_is_left_out() -> None:
    rows = np.array([[1.0, np.nan, 3.0], [np.nan, np.nan, np.nan]])

    assert known_mean(rows)[0] == 2.0
    assert known_quantiles(rows, (0.5, 1.0))[0][0] == 2.0
    assert known_quantiles(rows, (0.5, 1.0))[1][0] == 3.0
    assert np.isnan([known_mean(rows)[1], known_quantiles(rows, (0.5,))[0][1]]).all()
