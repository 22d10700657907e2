from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from agent.history.grid import History
from agent.local_time import LocalTime
from agent.peak_sight import PeakSight
from agent.sources.source import Sample
from forecasters.past import Outcomes, Past
from forecasters.peak_features import FEATURES, features, recent_table
from forecasters.series import Series
from forecasters.usual import usual_at
from scalers.policy import SpecialDays
from tests.fakes.engine import START

MINUTE = timedelta(minutes=1)
AHEAD = 4
BERLIN = LocalTime("Europe/Berlin", [SpecialDays(country="DE")])
UTC_TIME = LocalTime("UTC")


def load(rows: int) -> np.ndarray:
    minutes = np.arange(rows)
    noise = np.random.default_rng(3).normal(scale=4.0, size=rows)
    return 100.0 + 40.0 * np.sin(2 * np.pi * minutes / 1440) + noise


@pytest.fixture(scope="module")
def days() -> np.ndarray:
    return load(9 * 1440)


def table_of(values: np.ndarray, first: int, local: LocalTime = UTC_TIME) -> np.ndarray:
    days = local.days(first, len(values), MINUTE)
    past = Past.of_rows(first, MINUTE, values, values, np.isfinite(values), days=days)
    outcomes = Outcomes.of(past, AHEAD)
    recent, maxima = recent_table(past)
    rows = np.arange(len(past))
    return features(recent, maxima, usual_at(outcomes, rows), look_ahead=AHEAD, minutes=1.0)


@pytest.mark.parametrize(
    ("local", "start"),
    [
        (UTC_TIME, START),
        (BERLIN, datetime(2026, 3, 29, 0, 50, tzinfo=UTC)),
        (BERLIN, datetime(2026, 10, 27, 9, 0, tzinfo=UTC)),
        (BERLIN, datetime(2026, 4, 30, 21, 50, tzinfo=UTC)),
        (BERLIN, datetime(2026, 5, 4, 9, 0, tzinfo=UTC)),
    ],
    ids=["UTC", "across a clock change", "two days after one", "into a holiday", "three days after one"],
)
def test_what_is_seen_live_is_what_a_model_is_fitted_on(days: np.ndarray, local: LocalTime, start: datetime) -> None:
    past, live = days[: 8 * 1440], days[8 * 1440 : 8 * 1440 + 40]
    history = History(MINUTE, fine_span=timedelta(hours=6), coarse_span=timedelta(days=14))
    begin = start - len(past) * MINUTE
    history.backfill_fine(Series(begin, MINUTE, past))
    sight = PeakSight(history, ahead=AHEAD, most=math.inf, local=local)
    seen = []
    for row, value in enumerate(live):
        at = start + row * MINUTE
        history.append(Sample(at, float(value)), at)
        seen.append(sight.look(float(value)).row)
    table = table_of(days[: len(past) + len(live)], round((begin.timestamp()) / 60), local)[-len(live) :]
    np.testing.assert_allclose(np.array(seen), table, rtol=2e-3, atol=0.2)  # float16 ratios of the kept weeks


def test_features_have_their_place_and_the_demand_of_now_is_the_last(days: np.ndarray) -> None:
    table = table_of(days[:3000], 0)
    assert table.shape == (3000, FEATURES)
    assert np.isfinite(table).all()
    np.testing.assert_array_equal(table[:, -1], days[:3000])


def test_nothing_of_the_future_is_seen(days: np.ndarray) -> None:
    changed = days[:4000].copy()
    changed[3500:] *= 5.0
    np.testing.assert_array_equal(table_of(changed, 0)[:3500], table_of(days[:4000], 0)[:3500])


def test_whole_weeks_and_units_change_nothing_but_the_scale(days: np.ndarray) -> None:
    plain = table_of(days[:4000], 0)
    np.testing.assert_allclose(table_of(days[:4000], 7 * 1440 * 5), plain, rtol=1e-9)
    np.testing.assert_allclose(table_of(days[:4000] * 1000.0, 0), plain * 1000.0, rtol=1e-9, atol=1e-5)
