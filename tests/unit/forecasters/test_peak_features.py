"""The features of one instant: the same whether a table of many is made, or the row of now."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecasters.peak_features import FEATURES, MAXIMUM_MINUTES, RowOfNow, features
from forecasters.peak_model import LEVELS, PeakModel
from forecasters.usual import Usual, UsualNow

demands = st.floats(0, 1e6)
known = st.one_of(st.floats(-1e6, 1e6), st.just(math.nan))


def parts(size: int) -> st.SearchStrategy[list[float]]:
    return st.lists(known, min_size=size, max_size=size)


def row_of_table(
    recent: list[float], maxima: list[float], usual: tuple[list[float], ...], *, look_ahead: float, minutes: float
) -> list[float]:
    lately, slow, habits = (np.array([part]) for part in usual)
    table = features(
        np.array([recent]), np.array([maxima]), Usual(lately, slow, habits), look_ahead=look_ahead, minutes=minutes
    )
    return table[0].tolist()


@given(
    st.sampled_from([1.0, 2.0, 5.0, 7.5, 20.0, 60.0, 180.0]),
    st.floats(1, 600),
    st.data(),
    st.tuples(parts(2), parts(5), parts(16)),
)
def test_the_row_of_now_is_that_of_a_table(
    minutes: float, look_ahead: float, data: st.DataObject, usual: tuple[list[float], ...]
) -> None:
    count = max(1, round(60 / minutes)) + 1
    recent = data.draw(st.lists(demands, min_size=count, max_size=count))
    maxima = data.draw(st.lists(demands, min_size=len(MAXIMUM_MINUTES), max_size=len(MAXIMUM_MINUTES)))

    row = RowOfNow(look_ahead=look_ahead, minutes=minutes).of(recent, maxima, UsualNow.of(*usual))

    assert len(row) == FEATURES
    expected = row_of_table(recent, maxima, usual, look_ahead=look_ahead, minutes=minutes)
    np.testing.assert_allclose(row, expected, rtol=1e-9, atol=1e-9 * (max(recent) + look_ahead * max(recent)))


@pytest.mark.parametrize(
    ("quarter", "level"), [(50.0, 80.0), (10.0, 80.0), (1000.0, 20.0), (0.0, 40.0), (math.nan, 40.0)]
)
def test_what_is_usual_is_scaled_by_todays_level_within_a_half_and_twice(quarter: float, level: float) -> None:
    habits = [math.nan] * 14 + [40.0, quarter]
    row = RowOfNow(look_ahead=4.0, minutes=1.0).of(
        [100.0] * 61, [100.0] * 3, UsualNow.of([0.0] * 2, [math.nan] * 5, habits)
    )
    assert row[FEATURES - 12 : -1] == pytest.approx([0.0] * 8 + [level - 100.0] + [0.0] * 2)


@given(
    st.lists(st.floats(-1e3, 1e3), min_size=FEATURES, max_size=FEATURES),
    st.integers(0, 2**32 - 1),
    st.floats(0.0, 1e4),
)
def test_a_models_quantiles_of_a_row_are_those_of_a_table(row: list[float], seed: int, most: float) -> None:
    model = PeakModel(0, np.random.default_rng(seed).normal(size=(len(LEVELS), FEATURES + 1)), most)

    peaks = model.peaks_of(row)

    np.testing.assert_allclose(peaks, model.peaks(np.array([row]))[0], rtol=1e-9, atol=1e-6)
    assert peaks == sorted(peaks)
    assert peaks[0] >= row[-1]
    assert peaks[-1] <= row[-1] + most
