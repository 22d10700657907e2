"""Falls to near zero as a live signal sees them: held where nothing explains them, and never for long."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from agent.falls import FallWatch
from agent.history.grid import History
from agent.local_time import LocalTime
from agent.sources.source import Sample
from forecasters.series import Series
from scalers.decision import Fall
from tests.fakes.driven import STEP, past_of
from tests.fakes.engine import START, daily

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


class Watched:
    """A signal's history, by default up to noon of a Monday, and the watch over it."""

    def __init__(
        self,
        demand: Callable[[datetime], float],
        *,
        days: float = 9,
        end: datetime = START,
        most: float = 1e6,
        zone: str = "UTC",
    ) -> None:
        self.demand = demand
        self.history = History(STEP, fine_span=timedelta(hours=6), coarse_span=14 * DAY)
        past = past_of(demand, end=end, span=days * DAY, step=MINUTE)
        self.history.backfill_coarse(past, past, past)
        self.watch = FallWatch(self.history, most=most, local=LocalTime(zone))
        self.watch.learn_at_once()

    def see(self, at: datetime, demand: float) -> Fall | None:
        self.history.append(Sample(at, demand), at)
        self.watch.observe(at, demand)
        return self.watch.fall

    def seen(self, since: datetime, until: datetime, demand: Callable[[datetime], float]) -> dict[datetime, Fall]:
        """Return the falls that were held for, by the instant of the sample."""
        held = {}
        while since < until:
            fall = self.see(since, demand(since))
            if fall is not None:
                held[since] = fall
            since += STEP
        return held


def out(since: datetime, until: datetime, demand: Callable[[datetime], float] = daily) -> Callable[[datetime], float]:
    """Return a demand that is gone for a while."""
    return lambda at: 0.0 if since <= at < until else demand(at)


def test_a_fall_at_no_usual_time_is_held_for_until_ten_minutes_after_the_return() -> None:
    gone, back = START + 10 * MINUTE, START + 30 * MINUTE
    held = Watched(daily).seen(START, START + HOUR, out(gone, back))

    assert (min(held), max(held)) == (gone, back + 10 * MINUTE - STEP)
    first, last = held[gone], held[back]
    assert (first.since, first.until, first.is_back) == (gone, gone + 2 * HOUR, False)
    assert first.before == pytest.approx(139.0, abs=2.0)
    assert (last.since, last.until, last.is_back) == (gone, back + 10 * MINUTE, True)


def test_a_fall_that_stays_is_the_new_load_after_two_hours() -> None:
    held = Watched(daily).seen(START, START + 4 * HOUR, out(START + MINUTE, START + 9 * HOUR))

    assert max(held) - min(held) == 2 * HOUR - STEP


def test_no_hold_outlives_two_hours_whatever_demand_does_meanwhile() -> None:
    def flapping(at: datetime) -> float:
        return 0.0 if (at - START) % (7 * MINUTE) < 4 * MINUTE else daily(at)

    held = Watched(daily).seen(START + 5 * MINUTE, START + 6 * HOUR, flapping)

    assert held
    assert max(held) - min(held) < 2 * HOUR
    assert all(at < fall.until <= fall.since + 2 * HOUR for at, fall in held.items())


def test_time_without_samples_counts_for_the_end_of_a_hold() -> None:
    watched = Watched(daily)
    watched.seen(START, START + 2 * MINUTE, out(START + MINUTE, START + HOUR))

    assert watched.see(START + HOUR, 0.0) is not None
    assert watched.see(START + 2 * HOUR + MINUTE, 0.0) is None


def test_a_missed_scrape_hides_no_fall() -> None:
    watched = Watched(daily)
    watched.seen(START, START + 2 * MINUTE, daily)

    assert watched.see(START + 2 * MINUTE + STEP, 0.0) is not None


def test_a_service_that_is_off_at_night_and_on_sundays_is_not_out() -> None:
    def office(at: datetime) -> float:
        return daily(at) if 7 <= at.hour < 19 and at.weekday() != 6 else 0.0

    assert Watched(office).seen(START, START + 7 * DAY, office) == {}


def rested(at: datetime) -> float:
    """Return a demand that is gone from nine to five on Sundays."""
    return 0.0 if at.weekday() == 6 and 9 <= at.hour < 17 else daily(at)


def test_a_service_that_is_off_on_sundays_alone_is_not_out() -> None:
    """Six days of the week know nothing of it, the seventh does."""
    assert Watched(rested).seen(START, START + 7 * DAY, rested) == {}


def test_a_fall_is_explained_from_half_an_hour_before_its_usual_time_on() -> None:
    nine = (START + 6 * DAY).replace(hour=9)
    for minutes, called in ((29, False), (45, True)):
        begin, early = nine - 2 * HOUR, nine - minutes * MINUTE
        held = Watched(rested, end=begin).seen(begin, nine, out(early, nine, rested))
        assert bool(held) is called


def test_a_service_younger_than_a_week_is_never_called_out() -> None:
    assert Watched(daily, days=6).seen(START, START + HOUR, out(START + MINUTE, START + HOUR)) == {}
    assert Watched(daily, days=0.5).seen(START, START + HOUR, out(START + MINUTE, START + HOUR)) == {}


def test_demand_that_was_never_there_has_not_fallen() -> None:
    assert Watched(lambda _: 0.0).seen(START, START + HOUR, lambda _: 0.0) == {}


def test_beside_a_metric_s_bug_demand_has_not_fallen_away() -> None:
    watched = Watched(daily, most=1000.0)
    watched.see(START, 1e18)

    assert watched.seen(START + STEP, START + HOUR, daily) == {}


def test_after_a_metric_s_bug_an_outage_is_still_noticed() -> None:
    watched = Watched(daily, most=1000.0)
    watched.see(START, 1e18)
    gone = START + 3 * HOUR

    assert min(watched.seen(START + STEP, gone + MINUTE, out(gone, gone + HOUR))) == gone


def test_a_clock_that_jumps_ahead_sees_no_fall_across_the_jump() -> None:
    watched = Watched(daily)
    watched.see(START, daily(START))

    assert watched.see(START + 40 * DAY, 0.0) is None


def test_an_outage_under_way_at_a_start_is_known_from_the_history() -> None:
    gone = START - 20 * MINUTE
    fall = Watched(out(gone, START + HOUR)).see(START, 0.0)

    assert fall is not None
    assert abs(fall.since - gone) <= MINUTE


def test_after_a_clock_change_the_usual_time_is_the_local_one() -> None:
    """In Berlin clocks go forward on 29 March 2026: what came at 9:00 UTC comes at 8:00 from then on."""
    berlin = ZoneInfo("Europe/Berlin")

    def rests(at: datetime) -> float:
        local = at.astimezone(berlin)
        return 0.0 if local.weekday() == 6 and 10 <= local.hour < 18 else daily(at)

    begin = datetime(2026, 3, 29, 7, tzinfo=UTC)
    for zone, called in (("Europe/Berlin", False), ("UTC", True)):
        held = Watched(rests, end=begin, zone=zone).seen(begin, begin + 3 * HOUR, rests)
        assert bool(held) is called


def test_the_unit_of_the_demand_does_not_matter() -> None:
    demand = out(START + 10 * MINUTE, START + 20 * MINUTE)
    plain = Watched(daily).seen(START, START + HOUR, demand)
    large = Watched(lambda at: 1e3 * daily(at)).seen(START, START + HOUR, lambda at: 1e3 * demand(at))

    assert plain.keys() == large.keys()


def test_a_past_of_gaps_is_no_past() -> None:
    watched = Watched(daily)
    watched.history = History(STEP, fine_span=timedelta(hours=6), coarse_span=14 * DAY)
    watched.history.backfill_fine(Series(START, STEP, np.full(3, np.nan)))
    watched.watch = FallWatch(watched.history, most=1e6, local=LocalTime("UTC"))
    watched.watch.learn_at_once()

    assert watched.see(START + MINUTE, 5.0) is None
