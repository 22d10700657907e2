from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from forecasters.local_days import LocalDays
from forecasters.past import Outcomes, Past
from forecasters.peak_model import feature_table
from forecasters.same_time import same_days, same_weekdays
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
    (places,) = same_days(past, np.array([len(past) - 1]))
    assert instants(past, places)[:3] == days


def test_the_same_weekday_is_looked_up_by_local_time_too() -> None:
    past = a_past(datetime(2026, 4, 1, 10, tzinfo=UTC), clock(*SPRING))
    (places,) = same_weekdays(past, np.array([len(past) - 1]))
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
