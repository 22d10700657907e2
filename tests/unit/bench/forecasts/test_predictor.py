"""A model that foretells steps is read for the largest of them."""

from __future__ import annotations

import numpy as np

from bench.forecasts.predictor import LEVELS, CalibratedPath, WithOwnIntervals
from forecasters.series import Series
from tests.fakes.loads import series


class Flat:
    """Foretells `median` at each step, and `above` at the highest level of the last."""

    name = "flat"

    def __init__(self, median: float, above: float = 0.0) -> None:
        self.median = median
        self.above = above

    def fit(self, history: Series) -> None:
        pass

    def observe(self, value: float) -> None:
        pass

    def fan(self, steps: int) -> np.ndarray:
        fan = np.full((len(LEVELS), steps), self.median)
        fan[-1, -1] = max(self.median, self.above)
        return fan


def after(path: CalibratedPath, values: list[float]) -> CalibratedPath:
    path.fit(series([50.0, 50.0]))
    for value in values:
        path.observe(value)
    return path


def test_without_errors_the_peak_is_the_medians() -> None:
    assert after(CalibratedPath(Flat(80.0), 2), [50.0]).peaks()["flat"].tolist() == [80.0] * len(LEVELS)


def test_a_peak_is_never_below_the_newest_value() -> None:
    assert after(CalibratedPath(Flat(10.0), 2), [70.0]).peaks()["flat"].tolist() == [70.0] * len(LEVELS)


def test_errors_are_learned_when_the_look_ahead_has_passed() -> None:
    """The largest of two values always turns out 20 above what was foretold."""
    path = after(CalibratedPath(Flat(80.0), 2), [50.0, 100.0])

    assert path.peaks()["flat"][0] == 100.0 + 20.0


def test_a_refit_keeps_the_errors_and_foretells_the_same_look_ahead_once() -> None:
    refitted = after(CalibratedPath(Flat(80.0), 2), [50.0, 100.0, 50.0])
    refitted.fit(series([50.0, 50.0, 50.0, 100.0, 50.0]))
    left_alone = after(CalibratedPath(Flat(80.0), 2), [50.0, 100.0, 50.0])
    for value in (50.0, 90.0, 120.0):
        refitted.observe(value)
        left_alone.observe(value)

    np.testing.assert_array_equal(refitted.peaks()["flat"], left_alone.peaks()["flat"])
    assert refitted.peaks()["flat"][-1] > 120.0


def test_own_intervals_are_the_largest_of_the_steps_beside_the_calibrated_reading() -> None:
    rows = WithOwnIntervals(after(CalibratedPath(Flat(80.0, above=95.0), 2), [50.0])).peaks()

    assert rows["flat"].tolist() == [80.0, 80.0, 80.0, 80.0, 95.0]
    assert rows["flat, calibrated"].tolist() == [80.0] * len(LEVELS)
