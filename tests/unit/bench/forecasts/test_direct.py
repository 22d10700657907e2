"""The model of the peak itself is measured as the agent fits and asks it."""

from __future__ import annotations

import math
from datetime import timedelta

import numpy as np
import pytest

from agent.coarse_past import rows_of
from agent.fitting.walked import MODEL
from agent.history.grid import History
from agent.local_time import LocalTime
from bench.forecasts.direct import PeakQuantiles
from bench.forecasts.loads import cron, daily
from bench.forecasts.ours import TableModel, ours
from bench.forecasts.predictor import CalibratedPath, PeakPredictor
from bench.forecasts.summary import BASELINE
from bench.forecasts.walk import Plan, scores, walk
from forecasters.past import Outcomes
from forecasters.peak_model import feature_table
from forecasters.series import Series
from forecasters.table import FORECASTERS
from scalers.walk import refit
from tests.fakes.loads import series

DAY = 288
PLAN = Plan(look_ahead=2, learning=timedelta(days=1), scored=timedelta(days=2))


def loss(predictor: PeakPredictor, load: Series) -> float:
    [score] = scores("load", load, walk(predictor, load, PLAN), PLAN)
    return score.pinball[0.95]


def test_it_is_among_our_models() -> None:
    fitted = ours(2)[-1]
    fitted.fit(series(daily(np.random.default_rng(1))[: 3 * DAY]))
    fitted.observe(100.0)

    assert list(fitted.peaks()) == [MODEL]


def test_what_it_says_live_is_what_the_model_says_of_that_row_of_the_past() -> None:
    values = daily(np.random.default_rng(1))[: 9 * DAY]
    predictor = PeakQuantiles(2)
    predictor.fit(series(values[: 8 * DAY]))
    for value in values[8 * DAY : 8 * DAY + 7].tolist():
        predictor.observe(value)

    def past(rows: int) -> Outcomes:
        history = History(timedelta(minutes=5), fine_span=timedelta(hours=6), coarse_span=timedelta(days=14))
        history.backfill_fine(series(values[:rows]))
        return Outcomes.of(rows_of(history.coarse(), history.step, most=math.inf, local=LocalTime("UTC")), 2)

    model = refit(past(8 * DAY).past, 2)
    assert model is not None
    expected = model.peaks(np.nan_to_num(feature_table(past(8 * DAY + 7))[-1:]))[0]
    np.testing.assert_allclose(predictor.peaks()[MODEL], expected)


def test_it_sees_a_spike_of_every_hour_coming_which_persistence_does_not() -> None:
    load = series(cron(np.random.default_rng(1))[: 9 * DAY])
    persistence = CalibratedPath(TableModel(FORECASTERS[BASELINE]), 2)

    assert loss(PeakQuantiles(2), load) < 0.3 * loss(persistence, load)


def test_a_history_too_short_for_a_fit_is_refused_with_what_it_wants() -> None:
    with pytest.raises(ValueError, match="peak-quantiles was given 100 rows of 0:05:00: give it half a day or more"):
        PeakQuantiles(2).fit(series(np.ones(100)))
