from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from agent.local_time import LocalTime
from forecasters.past import Past
from forecasters.peak_paths import PATHS
from forecasters.series import grid_index, grid_instant
from scalers.walk import Fine, plan

MINUTE = timedelta(minutes=1)
BERLIN = ZoneInfo("Europe/Berlin")


def stretch(end: datetime, days: int = 14) -> tuple[int, int]:
    """Return first row and number of rows of so many days up to an instant."""
    count = days * 1440
    return grid_index(end, MINUTE) - count + 1, count


@pytest.mark.parametrize(
    ("zone", "end", "changes", "ahead"),
    [
        ("Europe/Berlin", datetime(2026, 4, 2, 7, 13, tzinfo=UTC), ["2026-03-29T01:00"], [60, 120]),
        ("Europe/Berlin", datetime(2026, 10, 26, tzinfo=UTC), ["2026-10-25T01:00"], [120, 60]),
        ("Australia/Lord_Howe", datetime(2026, 4, 10, tzinfo=UTC), ["2026-04-04T15:00"], [660, 630]),
        ("America/New_York", datetime(2026, 3, 8, 2, tzinfo=UTC), ["2026-03-08T07:00"], [-300, -240]),
    ],
)
def test_a_clock_change_is_found_to_the_minute_and_the_day_before_it_comes(
    zone: str, end: datetime, changes: list[str], ahead: list[int]
) -> None:
    found = LocalTime(zone).days(*stretch(end), MINUTE)
    assert found is not None
    assert [f"{grid_instant(index, MINUTE):%Y-%m-%dT%H:%M}" for index in found.changes.tolist()] == changes
    assert found.ahead.tolist() == ahead


@pytest.mark.parametrize("zone", ["UTC", "Asia/Tokyo", "Europe/Berlin"])
def test_a_clock_that_was_not_changed_lately_is_none(zone: str) -> None:
    assert LocalTime(zone).days(*stretch(datetime(2026, 7, 1, tzinfo=UTC)), MINUTE) is None


def test_a_year_has_its_two_changes() -> None:
    found = LocalTime("Europe/Berlin").days(*stretch(datetime(2026, 12, 31, tzinfo=UTC), 365), MINUTE)
    assert found is not None
    assert [f"{grid_instant(index, MINUTE):%d %b}" for index in found.changes.tolist()] == ["29 Mar", "25 Oct"]


def opening_hours(first: int, count: int) -> np.ndarray:
    """Return a demand of 100 that jumps to 300 at 8 o'clock in Berlin and falls back slowly until 20."""
    hours = [instant.hour + instant.minute / 60 for instant in _berlin(first, count)]
    noise = np.random.default_rng(7).normal(scale=3.0, size=count)
    return 100.0 + np.array([200.0 * (1 - (hour - 8) / 12) if 8 <= hour < 20 else 0.0 for hour in hours]) + noise


def _berlin(first: int, count: int) -> list[datetime]:
    return [grid_instant(row, MINUTE).astimezone(BERLIN) for row in range(first, first + count)]


@pytest.mark.parametrize(
    ("opening", "wrong"),
    [
        (datetime(2026, 3, 29, 8, tzinfo=BERLIN), "08:57"),
        (datetime(2026, 10, 25, 8, tzinfo=BERLIN), "06:57"),
    ],
    ids=["the morning after spring's", "the morning after autumn's"],
)
@pytest.mark.parametrize("path", ["analog", "quantile-0.95"])
def test_the_first_morning_after_a_clock_change_is_seen_at_its_local_time(
    opening: datetime, wrong: str, path: str
) -> None:
    first, count = stretch(opening.astimezone(UTC) + timedelta(hours=2), 16)
    demand = opening_hours(first, count)

    def rises(zone: str) -> dict[str, float]:
        """Return by local time how much more than now is planned for four minutes ahead."""
        days = LocalTime(zone).days(first, count, MINUTE)
        past = Past.of_rows(first, MINUTE, demand, demand, np.ones(count, np.bool_), days=days)
        plans = plan(past, Fine(demand, 1), 4, step=MINUTE, steps=720)
        rise = plans.planned[:, PATHS.index(path)] - plans.demand
        return {f"{at:%H:%M}": rise[row] for row, at in enumerate(_berlin(first + count - 720, 720))}

    by_zone, by_utc = rises("Europe/Berlin"), rises("UTC")
    assert by_zone["07:57"] > 180.0  # of the 200 that come
    assert by_zone[wrong] < 30.0
    assert by_utc["07:57"] < 180.0
    assert by_utc[wrong] > 50.0  # of a rise that came an hour away from there
