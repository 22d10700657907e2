from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

from agent.clock import SimulatedClock, WallClock
from tests.fakes.engine import START, played


def test_the_wall_clock_tells_aware_utc() -> None:
    assert WallClock().now().tzinfo is UTC


def slept(*, set_by: timedelta, after: float) -> float:
    """Return how long a sleep of a minute takes, in seconds, when the clock is set meanwhile."""

    async def scenario() -> float:
        loop = asyncio.get_running_loop()

        def wall() -> datetime:
            return START + timedelta(seconds=loop.time()) + (set_by if loop.time() > after else timedelta(0))

        await WallClock(wall, loop.time).sleep_until(START + timedelta(minutes=1))
        return loop.time()

    return played(scenario())


def test_a_sleep_ends_at_its_instant() -> None:
    assert slept(set_by=timedelta(0), after=0) == 60.0


def test_a_clock_that_is_set_ahead_ends_the_sleep() -> None:
    assert slept(set_by=timedelta(hours=1), after=10) <= 12


def test_a_clock_that_is_set_back_makes_no_sleep_longer() -> None:
    assert slept(set_by=-timedelta(hours=1), after=10) == 60.0


def test_an_instant_that_has_passed_is_not_waited_for() -> None:
    async def scenario() -> float:
        await WallClock().sleep_until(START - timedelta(days=9999))
        return asyncio.get_running_loop().time()

    assert played(scenario()) == 0.0


def test_simulated_time_moves_only_when_its_owner_says_so_and_never_back() -> None:
    async def scenario() -> list[datetime]:
        clock = SimulatedClock(START)
        seen = [clock.now()]
        for minutes in (5, 3):
            await clock.sleep_until(START + timedelta(minutes=minutes))
            seen.append(clock.now())
        return seen

    assert played(scenario()) == [START, START + timedelta(minutes=5), START + timedelta(minutes=5)]
