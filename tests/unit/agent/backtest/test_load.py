"""Rows to offered load: where a row's value holds, where a line is drawn, where nothing is known."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest

from agent.backtest.load import SYNC, UnusableLoad, from_rows, from_series, spike_limit
from agent.backtest.reading import Span, read_csv
from forecasters.series import Series
from tests import judge
from tests.fakes.loads import MONDAY

NAN = float("nan")


def loaded(rows: dict[float, float]) -> list[float]:
    return from_rows(np.array(list(rows)), np.array(list(rows.values()))).series.values.tolist()


def test_a_row_holds_until_the_next_and_the_last_for_its_spacing() -> None:
    assert loaded({1500: 1.0, 1530: 2.0, 1560: 3.0}) == [1, 1, 2, 2, 3, 3]


def test_the_load_begins_at_the_first_row() -> None:
    load = from_rows(np.array([1500.0, 1515.0]), np.array([4.0, 5.0]))

    assert load.series.start == datetime.fromtimestamp(1500, UTC)
    assert load.spacing.total_seconds() == 15


def test_rows_finer_than_a_step_are_its_mean() -> None:
    assert loaded({1500: 1.0, 1505: 2.0, 1510: 6.0, 1515: 8.0}) == [3, 8]


def test_between_coarse_rows_lines_are_drawn_from_middle_to_middle() -> None:
    values = loaded({0: 0.0, 300: 20.0, 600: 0.0})

    assert len(values) == 60
    assert values[0] == 0.0  # before the first middle the first value stands
    assert values[19] == pytest.approx(20 * (19.5 - 10) / 20)  # between the middles at 150 s and 450 s
    assert max(values) == pytest.approx(19.5)


def test_a_row_without_a_value_and_a_missing_row_are_gaps() -> None:
    np.testing.assert_array_equal(
        loaded({1500: 1.0, 1530: NAN, 1560: 3.0, 1650: 4.0}), [1, 1, NAN, NAN, 3, 3, 3, NAN, NAN, NAN, 4, 4]
    )
    coarse = loaded({0: 1.0, 300: 1.0, 600: 1.0, 1800: 1.0})
    assert np.isnan(coarse[60:120]).all()
    assert np.isfinite(coarse[:50]).all()


def test_a_server_s_series_loses_its_empty_ends_only() -> None:
    load = from_series(Series(MONDAY, SYNC, np.array([NAN, 1, NAN, 2, NAN])), ())

    np.testing.assert_array_equal(load.series.values, [1, NAN, 2])
    assert load.series.start == MONDAY + SYNC


def test_a_series_of_gaps_is_no_load() -> None:
    with pytest.raises(UnusableLoad, match="no value between 2026-01-05 00:00 UTC"):
        from_series(Series(MONDAY, SYNC, np.array([NAN, NAN])), ())


def test_a_value_a_thousand_times_the_rest_is_a_spike_and_a_flash_crowd_is_none() -> None:
    calm = np.full(1000, 20.0)

    assert spike_limit(np.append(calm, 1e18)) == 20_000.0
    assert spike_limit(np.append(calm, 400.0)) == 20_000.0
    assert spike_limit(np.zeros(5)) == np.inf


@pytest.mark.parametrize(
    "name", ["cloud/crane_15a_15s.csv.gz", "cloud/crane_00_60s.csv.gz", "web/nab_twitter_volume_fb_300s.csv.gz"]
)
def test_the_judge_makes_the_same_load_of_a_trace(name: str) -> None:
    file = judge.trace(name)
    theirs, start, _ = judge.simulate().load_trace(file)
    ours = read_csv(file, Span()).series

    assert ours.start.timestamp() == start
    np.testing.assert_allclose(ours.values, theirs)
