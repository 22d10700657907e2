"""What a person is told of a past before believing figures about it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import numpy as np
from numpy.typing import NDArray

from agent.backtest.notices import Notice, notices
from tests.fakes.backtest import load_of, trial_of
from tests.fakes.loads import daily

STEP = timedelta(seconds=15)
HOUR, DAY = 240, 5760


def told(values: NDArray[np.float64]) -> dict[str, str]:
    return {notice.title: notice.what for notice in notices(load_of(values), trial_of(values))}


def week() -> NDArray[np.float64]:
    return daily(7, step=STEP).values


def test_a_long_and_whole_past_has_nothing_to_tell() -> None:
    assert told(week()) == {}


def test_demand_at_a_ceiling_says_why_more_may_have_been_asked_for() -> None:
    what = told(np.minimum(daily(7, step=STEP, noise=1.0).values, 120.0))["Demand pinned at a ceiling"]

    assert what.startswith("it rises to 120, 12 replicas' worth, and stays there: ")
    assert "what was asked for may be higher" in what
    assert "gateway" in what


def test_an_outage_is_told_with_its_time_length_and_levels() -> None:
    values = week()
    values[2 * DAY + 12 * HOUR :][: HOUR // 2] = 0.5
    what = told(values)["Falls to near zero that look like outages"]

    assert what.startswith("2026-01-07 12:00 UTC for 30 min, from ")
    assert "to 0.5. They come at once" in what


def test_a_lost_scrape_is_no_outage_worth_a_word() -> None:
    values = week()
    values[2 * DAY + 12 * HOUR :][:4] = 0.0

    assert told(values) == {}


def test_little_history_is_told_with_its_length() -> None:
    assert told(daily(2, step=STEP).values)["Little history"].startswith("decisions begin with 12 h of past")


def test_gaps_are_told_with_what_becomes_of_them() -> None:
    values = week()
    values[3 * DAY : 3 * DAY + HOUR] = np.nan

    assert told(values)["Gaps"] == (
        "1 h of 7 d have no value. In them every policy holds its replicas, and they count in no figure"
    )


def test_coarse_rows_and_what_was_put_right_are_told() -> None:
    load = replace(load_of(week()), spacing=timedelta(minutes=5), notes=("demand.csv: dropped rows: 1",))
    found = notices(load, trial_of(week()))

    assert [notice.title for notice in found] == ["Coarse rows", "Left out or put right"]
    assert found[0].what.startswith("they are 5 min apart and straight lines are drawn between them")
    assert found[1] == Notice("Left out or put right", "demand.csv: dropped rows: 1")
