"""The walk hands a predictor the past and scores it on the rest."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta

import numpy as np
import pytest

from bench.forecasts.ours import ours
from bench.forecasts.predictor import LEVELS, PeakPredictor
from bench.forecasts.walk import Plan, largest_ahead, peeking, scores, walk
from forecasters.series import Series
from tests.fakes.loads import daily, series

HOUR = timedelta(hours=1)
PLAN = Plan(look_ahead=2, learning=HOUR, scored=2 * HOUR)
RISING = series(np.arange(100.0))


class Told:
    """Says what it is told to say of the newest value, and remembers what it was handed."""

    def __init__(self, says: Callable[[float], float]) -> None:
        self.says = says
        self.histories: list[Series] = []
        self.seen: list[float] = []

    def fit(self, history: Series) -> None:
        self.histories.append(history)

    def observe(self, value: float) -> None:
        self.seen.append(value)

    def peaks(self) -> Mapping[str, np.ndarray]:
        return {"told": np.full(len(LEVELS), self.says(self.seen[-1]))}


class Clairvoyant:
    """Knows the whole series and says what comes."""

    def __init__(self, whole: Series) -> None:
        self.coming = iter(largest_ahead(whole.values, PLAN.look_ahead)[64:])

    def fit(self, history: Series) -> None:
        pass

    def observe(self, value: float) -> None:
        self.says = next(self.coming)

    def peaks(self) -> Mapping[str, np.ndarray]:
        return {"clairvoyant": np.full(len(LEVELS), self.says)}


class ThroughTheView(Told):
    """Looks for the rest of the series behind the history it was handed."""

    def __init__(self) -> None:
        super().__init__(lambda newest: newest)
        self.found: list[object] = []

    def fit(self, history: Series) -> None:
        self.found.append(history.values.base)


def test_a_fit_sees_what_lies_before_and_values_come_one_by_one() -> None:
    predictor = Told(lambda newest: newest)
    walked = walk(predictor, RISING, PLAN)

    assert [history.values[-1] for history in predictor.histories] == [64.0, 76.0]
    assert predictor.seen == [float(row) for row in range(65, 98)]
    assert walked.origins == list(range(77, 98))


def test_the_history_handed_over_leads_nowhere_else() -> None:
    predictor = ThroughTheView()
    walk(predictor, RISING, PLAN)

    assert predictor.found == [None, None]


def test_one_that_knows_the_future_is_found_out() -> None:
    assert peeking(Clairvoyant, RISING, PLAN, row=85) == ["clairvoyant"]


def test_one_that_goes_by_the_past_is_not_accused() -> None:
    assert peeking(lambda _: Told(lambda newest: 2 * newest), RISING, PLAN, row=85) == []


def test_a_comparison_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="no origin up to row 70"):
        peeking(Clairvoyant, RISING, PLAN, row=70)


@pytest.mark.parametrize("number", range(len(ours(2))))
def test_none_of_our_models_sees_the_future(number: int) -> None:
    def fresh(_: Series) -> PeakPredictor:
        return ours(2)[number]

    assert peeking(fresh, daily(3, step=timedelta(minutes=15)), PLAN, row=3 * 96 - 4) == []


def test_what_is_to_be_foretold_is_the_largest_of_the_next_steps() -> None:
    largest = largest_ahead(np.array([9.0, 1.0, 3.0, 2.0, 5.0]), 2)

    np.testing.assert_array_equal(largest, [3.0, 3.0, 5.0, np.nan, np.nan])


def test_one_that_is_always_right_has_no_loss() -> None:
    [score] = scores("rising", RISING, walk(Told(lambda newest: newest + 2), RISING, PLAN), PLAN)

    assert set(score.pinball.values()) == {0.0}
    assert set(score.coverage.values()) == {1.0}
    assert score.origins == 21


def test_losses_are_shares_of_the_mean_and_tell_too_low_from_too_high() -> None:
    """Two below at 90 % costs 0.9 x 2, two above 0.1 x 2; the mean of 0 to 99 is 49.5."""
    [low] = scores("rising", RISING, walk(Told(lambda newest: newest), RISING, PLAN), PLAN)
    [high] = scores("rising", RISING, walk(Told(lambda newest: newest + 4), RISING, PLAN), PLAN)

    assert (low.pinball[0.9], low.coverage[0.9]) == (pytest.approx(1.8 / 49.5), 0.0)
    assert (high.pinball[0.9], high.coverage[0.9]) == (pytest.approx(0.2 / 49.5), 1.0)


def test_mase_is_one_for_who_is_as_wrong_as_yesterday() -> None:
    """A day more adds 288 to a series that rises by 1 a step, so yesterday's peak is 288 too low."""
    long = series(np.arange(900.0))
    [score] = scores("rising", long, walk(Told(lambda newest: newest + 2 - 288), long, PLAN), PLAN)

    assert score.mase == pytest.approx(1.0)
