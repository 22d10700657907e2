"""What the model of the peak learns from a past, and what it does not take from one."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest
from numpy.typing import NDArray

from forecasters.packing import UnreadableState
from forecasters.past import Outcomes, Past
from forecasters.peak_features import FEATURES, USUAL_LEVELS
from forecasters.peak_model import LEVELS, PeakModel, feature_table, fit_peak_model

MINUTE = timedelta(minutes=1)
DAY = 1440  # rows
AHEAD = 2  # rows


def outcomes_of(values: NDArray[np.float64], largest: NDArray[np.float64] | None = None) -> Outcomes:
    largest = values if largest is None else largest
    past = Past.of_rows(29_000_000, MINUTE, values, largest, np.ones(len(values), np.bool_))
    return Outcomes.of(past, AHEAD)


def rushes(minutes: int, *, phase: int = 0) -> Outcomes:
    """Demand is 240 in ten minutes of every half hour, else 60; the largest is a hair off, as a coarse past has it."""
    is_rush = np.abs((np.arange(minutes) + phase) % 30 - 15) <= 5
    return outcomes_of(np.where(is_rush, 240.0, 60.0), np.where(is_rush, 240.0469, 60.0022))


def fitted(outcomes: Outcomes) -> PeakModel:
    return fit_peak_model(outcomes, feature_table(outcomes))


def weights_of_levels(rows: int) -> NDArray[np.float64]:
    """Return the largest size of the coefficients of each usual level, shape (11,), after so many rows of a load."""
    noise = np.random.default_rng(1).normal(scale=3.0, size=rows)
    model = fitted(outcomes_of(100.0 + 50.0 * np.sin(2 * np.pi * np.arange(rows) / DAY) + noise))
    return np.asarray(np.abs(model.coefficients[:, USUAL_LEVELS]).max(axis=0))


def test_a_level_that_is_known_for_less_than_six_hours_says_nothing() -> None:
    first_known = DAY - AHEAD - 10  # rows: 10 min around the same time of yesterday are looked at
    before, after = (weights_of_levels(first_known + 6 * 60 + AHEAD + more) for more in (-1, 30))
    of_the_day = [9, 10]  # mean and largest of a day: always known
    assert np.flatnonzero(before).tolist() == of_the_day
    assert len(np.flatnonzero(after)) > len(of_the_day)


@pytest.mark.parametrize("phase", [0, 5, 15, 25])
@pytest.mark.parametrize("age", [DAY - 7, DAY, DAY + 1, DAY + 2, DAY + 3])
def test_a_load_that_has_been_seen_for_just_a_day_is_not_foretold_to_be_more_than_it_ever_was(
    age: int, phase: int
) -> None:
    """The few rows that know of yesterday must not be taken for a rule: told to be a million, it was, of 240."""
    model = fitted(rushes(age, phase=phase))
    table = np.nan_to_num(feature_table(rushes(age + 60, phase=phase)))
    assert model.peaks(table[age:]).max() == pytest.approx(250.0, abs=20.0)


def test_a_fall_such_as_never_was_foretells_no_more_than_twice_the_largest_rise() -> None:
    random = np.random.default_rng(3)
    slow_falls = np.arange(2 * DAY) % 20
    values = 100.0 - 0.01 * slow_falls + 20.0 * (random.uniform(size=2 * DAY) < 0.05)
    outcomes = outcomes_of(values)
    model = fitted(outcomes)
    assert model.most == pytest.approx(2 * outcomes.rise.max())
    fallen = np.nan_to_num(feature_table(outcomes_of(np.append(values, [5.0, 5.0, 5.0]))))[-3:]
    assert (model.peaks(fallen) <= 5.0 + model.most).all()


def test_demand_that_only_falls_foretells_no_rise() -> None:
    model = fitted(outcomes_of(np.linspace(500.0, 100.0, DAY)))
    assert model.most == 0.0
    assert model.peaks_of([*[9.0] * (FEATURES - 1), 3.0]) == [3.0] * len(LEVELS)


def test_what_was_stored_is_the_model() -> None:
    model = fitted(rushes(DAY))
    again = PeakModel.decode(model.encode())
    assert (again.fitted_to, again.most) == (model.fitted_to, model.most)
    np.testing.assert_array_equal(again.coefficients, model.coefficients)


def test_what_an_earlier_version_stored_is_fitted_anew() -> None:
    body = fitted(rushes(DAY)).encode().replace(b'"version":2', b'"version":1')
    with pytest.raises(UnreadableState, match="peak model"):
        PeakModel.decode(body)
