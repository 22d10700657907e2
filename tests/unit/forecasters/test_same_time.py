from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from forecasters.local_days import LocalDays
from forecasters.past import Outcomes, Past
from forecasters.peak_model import feature_table
from forecasters.same_time import same_times
from forecasters.series import grid_index

MINUTE = timedelta(minutes=1)
DAYS = 20
# The clocks of central Europe in 2026, in minutes ahead of UTC.
SPRING = datetime(2026, 3, 29, 1, tzinfo=UTC), (60, 120)
AUTUMN = datetime(2026, 10, 25, 1, tzinfo=UTC), (120, 60)


def clock(change: datetime, ahead: tuple[int, int]) -> LocalDays:
    return LocalDays(np.array([grid_index(change, MINUTE)]), np.array(ahead))


def a_past(end: datetime, days: LocalDays | None, seed: int = 1) -> Past:
    """Return twenty days of noise by the minute up to an instant."""
    values = np.random.default_rng(seed).uniform(50.0, 150.0, DAYS * 1440)
    first = grid_index(end, MINUTE) - len(values) + 1
    return Past.of_rows(first, MINUTE, values, values, np.ones(len(values), np.bool_), days=days)


def instants(past: Past, places: np.ndarray) -> list[str]:
    return [f"{datetime.fromtimestamp((past.first + place) * 60, UTC):%d %b %H:%M}" for place in places.tolist()]


@pytest.mark.parametrize(
    ("change", "now", "days"),
    [
        (SPRING, datetime(2026, 3, 29, 10, tzinfo=UTC), ["28 Mar 11:00", "27 Mar 11:00", "26 Mar 11:00"]),
        (AUTUMN, datetime(2026, 10, 25, 11, tzinfo=UTC), ["24 Oct 10:00", "23 Oct 10:00", "22 Oct 10:00"]),
        (SPRING, datetime(2026, 3, 31, 10, tzinfo=UTC), ["30 Mar 10:00", "29 Mar 10:00", "28 Mar 11:00"]),
        (SPRING, datetime(2026, 3, 28, 11, tzinfo=UTC), ["27 Mar 11:00", "26 Mar 11:00", "25 Mar 11:00"]),
    ],
    ids=["noon after spring's", "noon after autumn's", "two days after", "the day before"],
)
def test_noon_is_noon_on_both_sides_of_a_clock_change(
    change: tuple[datetime, tuple[int, int]], now: datetime, days: list[str]
) -> None:
    past = a_past(now, clock(*change))
    (places,) = same_times(past, np.array([len(past) - 1])).days
    assert instants(past, places)[:3] == days


def test_the_same_weekday_is_looked_up_by_local_time_too() -> None:
    past = a_past(datetime(2026, 4, 1, 10, tzinfo=UTC), clock(*SPRING))
    (places,) = same_times(past, np.array([len(past) - 1])).weeks
    assert instants(past, places) == ["25 Mar 11:00", "18 Mar 11:00"]


def test_a_clock_that_is_never_changed_shows_whole_days_of_utc() -> None:
    end = datetime(2026, 7, 1, 12, tzinfo=UTC)
    ahead = LocalDays(np.array([], np.int64), np.array([120]))
    tables = [feature_table(Outcomes.of(a_past(end, days), 4)) for days in (None, ahead)]
    np.testing.assert_array_equal(tables[0], tables[1])


def test_a_clock_change_that_lies_ahead_changes_nothing() -> None:
    end = datetime(2026, 3, 28, 12, tzinfo=UTC)
    tables = [feature_table(Outcomes.of(a_past(end, days), 4)) for days in (None, clock(*SPRING))]
    np.testing.assert_array_equal(tables[0], tables[1])


WEDNESDAY = datetime(2026, 5, 6, 12, tzinfo=UTC)


def calendar(**kinds: int) -> LocalDays:
    """Return a calendar of a clock that is never changed; `May_1=1` makes that day one of the first kind."""
    days = {datetime.strptime(f"2026 {name} +0000", "%Y %b_%d %z").toordinal(): kind for name, kind in kinds.items()}
    first = datetime(2026, 4, 1, tzinfo=UTC).toordinal()
    found = np.array([days.get(first + day, 0) for day in range(60)], np.int8)
    return LocalDays(np.array([], np.int64), np.array([0]), first - datetime(1970, 1, 1, tzinfo=UTC).toordinal(), found)


def looked_at(now: datetime, days: LocalDays) -> tuple[list[str], list[str]]:
    """Return the days that count for an instant, and those of its weekday."""
    past = a_past(now, days)
    at = same_times(past, np.array([len(past) - 1]))
    found = [[place for place in places[0].tolist() if place >= 0] for places in (at.days, at.weeks)]
    of_days, of_weeks = ([each[:6] for each in instants(past, np.array(places))] for places in found)
    return of_days, of_weeks


def test_a_special_day_is_no_part_of_what_is_usual() -> None:
    of_days, of_weeks = looked_at(WEDNESDAY, calendar(May_01=1))
    assert of_days == ["05 May", "04 May", "03 May", "02 May", "30 Apr", "29 Apr"]
    assert of_weeks == ["29 Apr", "22 Apr"]


def test_a_special_day_is_not_the_same_weekday() -> None:
    assert looked_at(datetime(2026, 5, 8, 12, tzinfo=UTC), calendar(May_01=1))[1] == ["24 Apr"]


def test_a_special_day_is_like_earlier_ones_of_its_kind() -> None:
    of_days, of_weeks = looked_at(WEDNESDAY, calendar(Apr_20=1, May_01=1, May_02=2, May_06=1))
    assert (of_days, of_weeks) == (["01 May", "20 Apr"], ["01 May", "20 Apr"])


def test_a_special_day_that_is_the_first_of_its_kind_is_like_the_last_sundays() -> None:
    of_days, of_weeks = looked_at(WEDNESDAY, calendar(Apr_26=2, May_01=2, May_06=1))
    assert (of_days, of_weeks) == (["03 May", "19 Apr"], ["03 May", "19 Apr"])


def test_a_day_before_the_past_is_not_one_of_its_kind() -> None:
    of_days, _ = looked_at(WEDNESDAY, calendar(Apr_05=1, May_06=1))
    assert of_days == ["03 May", "26 Apr", "19 Apr"]


def test_special_days_far_away_change_nothing() -> None:
    tables = [feature_table(Outcomes.of(a_past(WEDNESDAY, days), 4)) for days in (None, calendar(May_20=1))]
    np.testing.assert_array_equal(tables[0], tables[1])


def test_a_special_day_is_one_of_the_local_calendar() -> None:
    kinds = calendar(May_06=1)
    local = LocalDays(np.array([], np.int64), np.array([120]), kinds.first_day, kinds.kinds)
    before_midnight = datetime(2026, 5, 5, 21, 59, tzinfo=UTC)
    assert looked_at(before_midnight, local)[0][0] == "04 May"
    assert looked_at(before_midnight + MINUTE, local)[0][0] == "02 May"  # 22:00 UTC, when the 3rd begins there
