"""What is history, what is scored, what a scaler sees, and what cannot be played."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.backtest.load import UnusableLoad
from agent.backtest.trial import View, capacity_of, history_of, metric_of, split
from tests import judge
from tests.fakes.backtest import hours, trial_of

DAY = 5760
NAN = float("nan")


@pytest.mark.parametrize(
    ("days", "history"),
    [(1, 0.25), (4, 1), (6, 3), (10, 3), (11, 7), (21, 7), (28, 14), (40, 26)],
)
def test_up_to_two_weeks_are_scored_after_history_by_length(days: int, history: float) -> None:
    assert split(days * DAY) == history * DAY


def test_of_a_long_past_the_newest_four_weeks_are_played() -> None:
    load = np.ones(40 * DAY)
    trial = trial_of(load)

    assert len(trial.load) == 28 * DAY
    assert trial.begin == 14 * DAY


def test_a_scaler_sees_the_mean_of_a_minute_a_step_late() -> None:
    metric = metric_of(np.array([1.0, 2.0, 3.0, 4.0, 5.0, 6.0]), View())

    assert metric.tolist() == [1.0, 1.0, 1.0, 1.5, 2.0, 2.5]


def test_of_a_gap_it_sees_what_the_window_still_holds_then_nothing() -> None:
    load = np.array([4.0, 8.0, NAN, NAN, NAN, NAN, NAN, NAN, NAN])

    np.testing.assert_array_equal(metric_of(load, View())[2:], [4, 6, 6, 6, 8, NAN, NAN])


def test_decisions_begin_an_hour_and_three_start_ups_before_they_are_scored() -> None:
    trial = trial_of(hours(24))

    assert trial.begin == DAY // 4
    assert trial.begin - trial.first == 240 + 24
    assert len(history_of(trial)) == trial.first


def test_without_a_capacity_thirty_replicas_serve_nearly_all_of_the_history() -> None:
    assert capacity_of(np.arange(0.0, 1001.0)) == pytest.approx(999 / 30)
    assert capacity_of(np.array([300.0, NAN])) == 10.0


def test_too_short_a_past_says_how_long_it_must_be() -> None:
    with pytest.raises(UnusableLoad, match=r"reaches over 4 h 0 min.*give at least 4 h 25 min"):
        trial_of(hours(4))
    assert trial_of(hours(4.5)).first >= 1


def test_a_demand_of_nothing_cannot_be_played() -> None:
    with pytest.raises(UnusableLoad, match="no demand above 0, so nothing can go unserved: check the query"):
        trial_of(np.zeros(DAY))


def test_an_idle_history_asks_for_the_capacity() -> None:
    late = np.where(np.arange(DAY) < DAY // 2, 0.0, 50.0)

    with pytest.raises(UnusableLoad, match="give --capacity"):
        trial_of(late, capacity=None)
    assert trial_of(late, capacity=5.0).workload.capacity == 5.0


@given(
    st.lists(st.one_of(st.floats(0, 1e6), st.just(NAN)), min_size=1, max_size=60), st.integers(0, 6), st.integers(0, 4)
)
def test_what_is_seen_lies_between_what_was_there(values: list[float], window: int, lag: int) -> None:
    step = timedelta(seconds=15)
    metric = metric_of(np.array(values), View(window * step, lag * step))
    known = [value for value in values if value == value]

    for seen in metric:
        assert seen != seen or min(known) - 1e-3 <= seen <= max(known) + 1e-3


@pytest.mark.parametrize("name", ["cloud/crane_15a_15s.csv.gz", "cloud/crane_01_60s.csv.gz"])
def test_the_judge_splits_sizes_and_sees_alike(name: str) -> None:
    simulate = judge.simulate()
    load, _, _ = simulate.load_trace(judge.trace(name))
    env = simulate.Env(load)
    trial = trial_of(load, capacity=None)

    assert trial.begin == simulate.split(len(load)) == env.begin
    assert trial.workload.capacity == pytest.approx(np.quantile(load[: env.begin], 0.999) / 30)
    np.testing.assert_allclose(trial.metric, env.metric, rtol=1e-9)
