"""The rises of the last hour, row by row: the same as looked up in the whole history, whatever comes."""

from __future__ import annotations

import math
from datetime import timedelta

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.coarse_past import rows_of
from agent.history.grid import History
from agent.recent_rises import RecentRises
from agent.sources.source import Sample
from forecasters.past import Outcomes
from forecasters.series import Series
from forecasters.usual import lately_at
from tests.fakes.engine import START

STEP, MINUTE = timedelta(seconds=20), timedelta(minutes=1)
AHEAD, MOST = 4, 90.0


def looked_up(history: History) -> list[float]:
    """The last hour's quantiles from the rows that are kept of it."""
    past = rows_of(history.coarse(newest=60 + AHEAD), MINUTE, most=MOST)
    if len(past) <= AHEAD:
        return [math.nan] * 2
    return lately_at(Outcomes.of(past, AHEAD), np.array([len(past) - 1]))[0].tolist()


def a_history() -> History:
    return History(STEP, fine_span=timedelta(hours=2), coarse_span=timedelta(hours=4))


def told(history: History, values: list[float], *, since: int) -> None:
    for place, value in enumerate(values, start=since):
        at = START + place * STEP
        history.append(Sample(at, value), at)


def test_row_by_row_they_are_those_of_the_kept_hour() -> None:
    history, values = a_history(), np.random.default_rng(1).uniform(0, 120, 500).tolist()
    rises = RecentRises(history, ahead=AHEAD, most=MOST)
    for place, value in enumerate(values):
        told(history, [value], since=place)
        np.testing.assert_array_equal(rises.quantiles(), looked_up(history))
    assert max(rises.quantiles()) > 0.0


class World:
    """A signal whose samples come, stay out and come late, and whose past is read later."""

    def __init__(self) -> None:
        self.history, self.place = a_history(), 0
        self.rises = RecentRises(self.history, ahead=AHEAD, most=MOST)
        self.missed: list[int] = []
        self.samples(np.random.default_rng(2).uniform(0, 40, 220).tolist())

    def samples(self, values: list[float]) -> None:
        told(self.history, values, since=self.place)
        self.place += len(values)

    def gap(self, count: int) -> None:
        self.missed = list(range(self.place, self.place + count))
        self.place += count

    def late(self, value: float) -> None:
        for place in self.missed:
            told(self.history, [value], since=place)

    def past(self, count: int) -> None:
        self.history.backfill_fine(Series(START + (self.place - count) * STEP, STEP, np.full(count, 55.0)))


def test_a_minute_without_samples_is_a_gap() -> None:
    world = World()
    world.samples([50.0] * (3 - world.place % 3))
    world.rises.quantiles()
    world.gap(3)
    world.samples([60.0])
    np.testing.assert_array_equal(world.rises.quantiles(), looked_up(world.history))


def test_a_late_sample_changes_the_minute_that_it_belongs_to() -> None:
    world = World()
    world.samples([20.0] * (3 - world.place % 3))
    world.gap(1)
    world.samples([20.0] * 2)
    before = world.rises.quantiles()
    world.late(80.0)
    world.samples([20.0] * 3)
    for _ in range(4):
        np.testing.assert_array_equal(world.rises.quantiles(), looked_up(world.history))
        world.samples([20.0] * 3)
    assert world.rises.quantiles()[1] > before[1] + 4.0


events = st.one_of(
    st.tuples(st.just("samples"), st.lists(st.floats(0, 120), min_size=1, max_size=9)),
    st.tuples(st.just("gap"), st.integers(1, 12)),
    st.tuples(st.just("late"), st.floats(0, 120)),
    st.tuples(st.just("past"), st.integers(1, 200)),
)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(events, st.booleans()), min_size=1, max_size=12))
def test_gaps_late_samples_and_a_past_that_is_read_later_are_taken_in(
    story: list[tuple[tuple[str, object], bool]],
) -> None:
    world = World()
    for (event, of), is_asked in story:
        getattr(world, event)(of)
        if is_asked:
            np.testing.assert_array_equal(world.rises.quantiles(), looked_up(world.history))
    np.testing.assert_array_equal(world.rises.quantiles(), looked_up(world.history))
