from __future__ import annotations

import subprocess
import sys
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from agent.local_time import LocalTime
from agent.special_days import kinds_of_days
from forecasters.past import Past
from forecasters.peak_paths import PATHS
from forecasters.series import grid_index, grid_instant
from scalers.policy import SpecialDays
from scalers.walk import Fine, plan

MINUTE = timedelta(minutes=1)
BERLIN = ZoneInfo("Europe/Berlin")
GERMANY = SpecialDays(country="DE")
EPOCH = date(1970, 1, 1)


def named(calendar: list[SpecialDays], first: date, last: date) -> dict[str, int]:
    """Return the days that are not usual, with their kinds."""
    kinds = kinds_of_days(calendar, (first - EPOCH).days, (last - first).days + 1)
    return {f"{first + timedelta(days=day):%d %b}": int(kind) for day, kind in enumerate(kinds) if kind}


def test_public_holidays_are_those_of_the_country_and_of_its_part() -> None:
    spring = date(2026, 5, 1), date(2026, 6, 30)
    assert named([GERMANY], *spring) == {"01 May": 1, "14 May": 1, "25 May": 1}
    assert named([SpecialDays("DE", "BY")], *spring) == {"01 May": 1, "14 May": 1, "25 May": 1, "04 Jun": 1}


def test_holidays_of_two_years_meet_at_new_year() -> None:
    assert list(named([GERMANY], date(2026, 12, 20), date(2027, 1, 3))) == ["25 Dec", "26 Dec", "01 Jan"]


def test_a_span_includes_both_its_ends() -> None:
    sale = SpecialDays(spans=((date(2026, 11, 27), date(2026, 11, 29)),))
    assert list(named([sale], date(2026, 11, 20), date(2026, 12, 5))) == ["27 Nov", "28 Nov", "29 Nov"]
    assert list(named([sale], date(2026, 11, 28), date(2026, 11, 28))) == ["28 Nov"]
    assert named([sale], date(2027, 11, 20), date(2027, 12, 5)) == {}


def test_a_yearly_span_comes_back_and_may_reach_into_the_next_year() -> None:
    closed = SpecialDays(spans=((date(2020, 12, 30), date(2021, 1, 1)),), is_yearly=True)
    assert list(named([closed], date(2026, 12, 25), date(2027, 1, 9))) == ["30 Dec", "31 Dec", "01 Jan"]
    assert list(named([closed], date(2027, 1, 1), date(2027, 1, 9))) == ["01 Jan"]


def test_a_leap_day_comes_back_on_the_first_of_march() -> None:
    leap = SpecialDays(spans=((date(2024, 2, 29), date(2024, 2, 29)),), is_yearly=True)
    assert list(named([leap], date(2026, 2, 20), date(2026, 3, 5))) == ["01 Mar"]
    assert list(named([leap], date(2028, 2, 20), date(2028, 3, 5))) == ["29 Feb"]


def test_a_yearly_span_over_the_leap_day_is_as_long_as_its_year_makes_it() -> None:
    thaw = SpecialDays(spans=((date(2000, 2, 28), date(2000, 3, 1)),), is_yearly=True)
    assert list(named([thaw], date(2026, 2, 20), date(2026, 3, 5))) == ["28 Feb", "01 Mar"]
    assert list(named([thaw], date(2028, 2, 20), date(2028, 3, 5))) == ["28 Feb", "29 Feb", "01 Mar"]


def test_of_a_day_that_several_entries_name_the_first_counts() -> None:
    launch = SpecialDays(spans=((date(2026, 5, 1), date(2026, 5, 2)),))
    assert named([GERMANY, launch], date(2026, 5, 1), date(2026, 5, 3)) == {"01 May": 1, "02 May": 2}


def test_a_stretch_without_a_special_day_is_one_without_a_calendar() -> None:
    first = grid_index(datetime(2026, 6, 20, tzinfo=UTC), MINUTE)
    assert LocalTime("UTC", [GERMANY]).days(first, 7 * 1440, MINUTE) is None


def test_tomorrow_is_known_today() -> None:
    first = grid_index(datetime(2026, 4, 20, tzinfo=UTC), MINUTE)
    found = LocalTime("Europe/Berlin", [GERMANY]).days(first, 10 * 1440 + 1320, MINUTE)  # up to 22:00 of the 30th
    assert found is not None
    assert found.kind((date(2026, 5, 1) - EPOCH).days) == 1


def shop(first: int, count: int) -> np.ndarray:
    """Return a demand that jumps to 300 at 8 o'clock in Berlin, but for Sundays and the 1st of May."""
    instants = [grid_instant(row, MINUTE).astimezone(BERLIN) for row in range(first, first + count)]
    open_ = np.array([at.weekday() != 6 and (at.month, at.day) != (5, 1) and 8 <= at.hour < 20 for at in instants])
    return 100.0 + 200.0 * open_ + np.random.default_rng(7).normal(scale=3.0, size=count)


def rises(day: date, calendar: list[SpecialDays], path: str) -> dict[str, float]:
    """Return by local time how much more than now is planned for four minutes ahead, on the morning of a day."""
    end = datetime(day.year, day.month, day.day, 10, tzinfo=BERLIN).astimezone(UTC)
    count = 21 * 1440
    first = grid_index(end, MINUTE) - count + 1
    demand = shop(first, count)
    days = LocalTime("Europe/Berlin", calendar).days(first, count, MINUTE)
    past = Past.of_rows(first, MINUTE, demand, demand, np.ones(count, np.bool_), days=days)
    plans = plan(past, Fine(demand, 1), 4, step=MINUTE, steps=360)
    rise = plans.planned[:, PATHS.index(path)] - plans.demand
    local = [grid_instant(row, MINUTE).astimezone(BERLIN) for row in range(first + count - 360, first + count)]
    return {f"{at:%H:%M}": value for at, value in zip(local, rise.tolist(), strict=True)}


@pytest.mark.parametrize("path", ["analog", "quantile-0.95"])
def test_a_holiday_is_foretold_as_a_sunday_and_not_as_the_weekday_it_falls_on(path: str) -> None:
    labour_day = date(2026, 5, 1)
    assert rises(labour_day, [], path)["07:57"] > 150.0  # of people who stay at home
    assert rises(labour_day, [GERMANY], path)["07:57"] < 30.0


@pytest.mark.parametrize("path", ["analog", "quantile-0.95"])
def test_the_week_after_a_holiday_is_foretold_as_any_other(path: str) -> None:
    assert rises(date(2026, 5, 4), [GERMANY], path)["07:57"] > 180.0


def test_the_library_of_holidays_is_not_loaded_where_no_calendar_names_a_country() -> None:
    said = """
import sys, agent.wiring
from agent.decider import Decider
from agent.policy import parse_policy, to_scaling_policy
from forecasters.table import FORECASTERS
from tests.fakes.policies import VALID_TEXT
text = VALID_TEXT + "  forecast: {timeZone: Europe/Berlin, calendar: [2026-05-04]}"
(policy,) = parse_policy(text, file="x")
Decider(to_scaling_policy(policy), FORECASTERS)
print("holidays" in sys.modules)
"""
    assert subprocess.run([sys.executable, "-c", said], capture_output=True, text=True, check=True).stdout == "False\n"
