"""Round values beside a chart, at the right places."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.backtest.axis import Axis, between, decades, from_zero, times


def test_an_axis_from_zero_ends_at_a_round_value_above() -> None:
    axis, ticks = from_zero(43.0)

    assert (axis.low, axis.high) == (0.0, 50.0)
    assert [tick.text for tick in ticks] == ["0", "10", "20", "30", "40", "50"]
    assert ticks[1].share == pytest.approx(0.2)


def test_an_axis_between_values_has_round_ticks_inside_it() -> None:
    axis, ticks = between(0.99, 1.62)

    assert axis.low < 0.99 < 1.62 < axis.high
    assert [tick.text for tick in ticks] == ["1", "1.2", "1.4", "1.6"]


def test_decades_are_evenly_apart_and_their_low_end_takes_what_is_less() -> None:
    axis, ticks = decades(0.001, 3.0)

    assert [tick.text for tick in ticks] == ["0.001", "0.01", "0.1", "1", "10"]
    assert [tick.share for tick in ticks] == pytest.approx([0, 0.25, 0.5, 0.75, 1])
    assert axis.share(0.0) == 0.0


@pytest.mark.parametrize(
    ("hours", "texts"),
    [
        (5, ["Mon 5 Jan", "01:00", "02:00", "03:00", "04:00"]),
        (24, ["Mon 5 Jan", "03:00", "06:00", "09:00", "12:00", "15:00", "18:00", "21:00"]),
        (
            7 * 24,
            [f"{day} {5 + number} Jan" for number, day in enumerate(["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"])],
        ),
    ],
)
def test_times_are_round_and_few(hours: int, texts: list[str]) -> None:
    start = datetime(2026, 1, 5, tzinfo=UTC)

    assert [tick.text for tick in times(start, start + timedelta(hours=hours))] == texts


def test_a_first_time_within_a_day_says_which() -> None:
    start = datetime(2026, 1, 5, 16, 30, tzinfo=UTC)

    assert times(start, start + timedelta(hours=3))[0].text == "Mon 17:00"


@given(st.floats(1e-6, 1e12), st.floats(0, 1))
def test_every_value_stands_on_its_axis(most: float, part: float) -> None:
    axis, ticks = from_zero(most)

    assert 0 <= axis.share(part * most) <= 1 + 1e-9
    assert 2 <= len(ticks) <= 12


def test_a_linear_axis_places_by_distance() -> None:
    assert Axis(10.0, 20.0).share(15.0) == 0.5
