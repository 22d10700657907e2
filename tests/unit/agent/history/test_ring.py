import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.history.ring import Ring


def test_a_new_ring_knows_nothing():
    ring = Ring(4, np.float64)

    first, values = ring.known()

    assert (ring.newest, first, values.tolist()) == (None, 0, [])
    assert math.isnan(ring.get(0))


def test_the_oldest_value_leaves_when_the_ring_is_full():
    ring = Ring(3, np.float64)
    for index in (10, 11, 12, 13):
        ring.advance(index)
        ring.put(index, float(index))

    first, values = ring.known()

    assert (first, values.tolist()) == (11, [11.0, 12.0, 13.0])


def test_points_passed_over_are_gaps():
    ring = Ring(4, np.float64)
    ring.advance(7)
    ring.put(7, 70.0)
    ring.advance(10)
    ring.put(10, 100.0)

    first, values = ring.known()

    assert first == 7
    np.testing.assert_array_equal(values, [70.0, np.nan, np.nan, 100.0])


def test_a_jump_past_the_ring_empties_it():
    ring = Ring(3, np.float64)
    ring.advance(1)
    ring.put(1, 1.0)
    ring.advance(1_000_000)

    assert ring.known()[1].tolist() == []
    assert ring.newest == 1_000_000


def test_going_back_changes_nothing():
    ring = Ring(3, np.float64)
    ring.advance(5)
    ring.put(5, 5.0)
    ring.advance(2)

    assert ring.newest == 5
    assert ring.get(5) == 5.0


@pytest.mark.parametrize("index", [2, 6])
def test_a_value_outside_the_ring_is_refused_by_name(index: int):
    ring = Ring(3, np.float64)
    ring.advance(5)

    with pytest.raises(IndexError, match=f"grid index {index} is outside the ring of 3 up to 5"):
        ring.put(index, 1.0)


def test_fill_puts_gaps_only_and_replace_puts_all():
    ring = Ring(3, np.float64)
    ring.advance(5)
    ring.put(4, 4.0)

    ring.fill(2, np.array([-2.0, 30.0, 40.0, np.nan, 60.0]))
    assert [ring.get(3), ring.get(4)] == [30.0, 4.0]
    assert math.isnan(ring.get(5))

    ring.replace(3, np.array([np.nan, 44.0]))
    assert [ring.get(3), ring.get(4)] == [30.0, 44.0]


def test_a_ring_without_slots_is_refused():
    with pytest.raises(ValueError, match="at least 1 slot, got 0"):
        Ring(0, np.float32)


@given(steps=st.lists(st.tuples(st.integers(1, 9), st.floats(0, 1e6)), max_size=40))
def test_a_ring_holds_what_a_dict_of_the_newest_slots_would(steps: list[tuple[int, float]]):
    ring, kept, index = Ring(7, np.float64), dict[int, float](), 0
    for hop, value in steps:
        index += hop
        ring.advance(index)
        ring.put(index, value)
        kept = {at: held for at, held in kept.items() if at > index - 7} | {index: value}

    first, values = ring.known()

    assert {first + i: value for i, value in enumerate(values.tolist()) if not math.isnan(value)} == kept
