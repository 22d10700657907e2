"""Persistence and its square-root spread."""

from __future__ import annotations

import pytest

from forecasters.last_value import LastValue
from tests.fakes.loads import series

ONE_SIGMA_UP = 0.8413447460685429  # level of one standard deviation


def test_the_path_is_flat_and_the_spread_grows_with_the_root_of_time() -> None:
    model = LastValue()
    state = model.fit(series([100.0, 102.0] * 10))
    median, above = model.forecast(state, 9, (0.5, ONE_SIGMA_UP)).quantiles
    assert median.tolist() == [102.0] * 9
    assert (above - median)[[0, 3, 8]] == pytest.approx([2.0, 4.0, 6.0])


def test_a_jump_over_a_gap_counts_as_so_many_steps() -> None:
    model = LastValue()
    state = model.fit(series([100.0, 102.0] * 10))
    for _ in range(3):
        state = model.update(state, float("nan"))
    state = model.update(state, 98.0)  # 4 down over 4 steps: a variance of 4 per step, as before
    assert state.arrays["variance"][0] == pytest.approx(4.0)
