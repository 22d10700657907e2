from datetime import timedelta

import numpy as np
import pytest

from agent.history.coarse import LARGEST_FLOAT32, Coarsening, CoarseRing, CoarseValues


def test_a_step_below_a_minute_coarsens_to_a_minute_and_a_longer_one_stays():
    assert Coarsening.of(timedelta(seconds=15)).coarse_us == 60_000_000
    assert Coarsening.of(timedelta(minutes=5)).coarse_us == 300_000_000


def test_a_coarse_step_holds_the_points_after_the_one_before_up_to_its_own_instant():
    quarter = Coarsening.of(timedelta(seconds=15))

    assert [quarter.of_fine(index) for index in (0, 1, 4, 5, 8)] == [0, 1, 1, 2, 2]
    assert quarter.last_fine(2) == 8
    assert [quarter.newest_complete(index) for index in (3, 4, 7, 8)] == [0, 1, 1, 2]


def test_a_step_that_does_not_divide_a_minute_is_placed_by_time():
    odd = Coarsening.of(timedelta(seconds=45))

    assert [odd.of_fine(index) for index in (1, 2, 3, 4)] == [1, 2, 3, 3]
    assert [odd.newest_complete(index) for index in (1, 2, 3, 4)] == [1, 2, 2, 3]


def test_half_of_the_points_make_a_coarse_value_and_fewer_make_a_gap():
    quarter = Coarsening.of(timedelta(seconds=15))
    nan = float("nan")

    values = quarter.of_values(1, np.array([1.0, 3.0, nan, nan, 5.0, nan, nan, nan, 1.0, 2.0, 3.0, 6.0]))

    assert values.first == 1
    np.testing.assert_array_equal(values.mean, [2.0, nan, 3.0])
    np.testing.assert_array_equal(values.largest, [3.0, nan, 6.0])


def test_one_step_and_many_agree():
    quarter = Coarsening.of(timedelta(seconds=15))
    nan = float("nan")

    assert quarter.of_step([1.0, nan, 8.0, 3.0]) == (4.0, 8.0, 3.0)
    assert quarter.of_step([1.0, nan, nan, nan]) is None
    many = quarter.of_values(1, np.array([1.0, nan, 8.0, 3.0]))
    assert (many.mean.tolist(), many.largest.tolist(), many.last.tolist()) == ([4.0], [8.0], [3.0])


def test_huge_samples_stay_finite():
    quarter = Coarsening.of(timedelta(seconds=15))

    assert quarter.of_step([1e308] * 4) == (LARGEST_FLOAT32,) * 3
    assert quarter.of_values(1, np.full(4, 1e308)).mean.tolist() == [LARGEST_FLOAT32]


def test_values_can_be_cut_to_a_range_that_lies_beside_them():
    values = CoarseValues(5, *(np.array([1.0, 2.0, 3.0]),) * 3)

    assert values.between(6, 6).mean.tolist() == [2.0]
    assert values.between(9, 12).mean.tolist() == []
    assert values.between(1, 4).mean.tolist() == []


@pytest.mark.parametrize("index", [1, 9])
def test_a_step_outside_the_coarse_ring_is_left_out(index: int):
    ring = CoarseRing(3)
    ring.advance(5)
    ring.put(index, 1.0, 2.0, 1.5)

    assert ring.mean()[1].tolist() == []


def test_largest_and_last_are_kept_to_one_in_two_thousand_beside_the_mean():
    ring = CoarseRing(3)
    ring.advance(5)
    ring.put(4, 300.0, 1234.5, 0.77)
    ring.put(5, 0.0, 0.0, 0.0)

    values = ring.values()

    assert (values.first, values.mean.tolist()) == (4, [300.0, 0.0])
    np.testing.assert_allclose(values.largest, [1234.5, 0.0], rtol=1 / 2048)
    np.testing.assert_allclose(values.last, [0.77, 0.0], rtol=1 / 2048)


def test_the_newest_steps_are_returned_with_their_gaps():
    ring = CoarseRing(4)
    ring.advance(7)
    ring.put(6, 2.0, 4.0, 1.0)

    newest = ring.newest_values(3)

    assert newest.first == 5
    np.testing.assert_array_equal(newest.largest, [np.nan, 4.0, np.nan])
    assert len(ring.newest_values(99).mean) == 4
    assert len(CoarseRing(4).newest_values(3).mean) == 0
