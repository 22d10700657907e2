from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scalers.keda.alarms import AlarmClock
from tests.fakes.loop import HeldLoop

WIDTH = 1.0


class Heard:
    """A sleeper that notes when it was woken."""

    def __init__(self, loop: HeldLoop) -> None:
        self.alarm: int | None = None
        self.at: list[float] = []
        self._loop = loop

    def ring(self) -> None:
        self.at.append(self._loop.now)


@given(st.lists(st.floats(-5, 900), min_size=1, max_size=50))
def test_each_sleeper_is_woken_once_and_never_before_its_instant_nor_a_width_late(waits: list[float]) -> None:
    loop = HeldLoop()
    clock, began = AlarmClock(loop, WIDTH), loop.now
    instants = [began + wait for wait in waits]
    sleepers = [Heard(loop) for _ in waits]
    for sleeper, instant in zip(sleepers, instants, strict=True):
        clock.set(sleeper, instant)
    loop.pass_time(1000)
    for sleeper, instant in zip(sleepers, instants, strict=True):
        (woken,) = sleeper.at
        assert instant <= woken <= max(instant, began) + WIDTH


@pytest.mark.parametrize(("first", "second"), [(100, 7), (7, 100)])
def test_the_instant_that_was_set_last_counts(first: float, second: float) -> None:
    loop = HeldLoop()
    clock, sleeper, began = AlarmClock(loop, WIDTH), Heard(loop), loop.now
    clock.set(sleeper, began + first)
    clock.set(sleeper, began + second)
    loop.pass_time(200)
    assert sleeper.at == [began + second + 1]


def test_a_sleeper_may_be_woken_again_and_again() -> None:
    loop = HeldLoop()
    clock, sleeper = AlarmClock(loop, WIDTH), Heard(loop)
    for _ in range(3):
        clock.set(sleeper, loop.now + 10)
        loop.pass_time(20)
    assert sleeper.at == [1011, 1031, 1051]


def test_a_sleeper_that_was_let_go_is_not_woken_and_the_others_are() -> None:
    loop = HeldLoop()
    clock, gone, there = AlarmClock(loop, WIDTH), Heard(loop), Heard(loop)
    for sleeper in (gone, there):
        clock.set(sleeper, loop.now + 10)
    clock.clear(gone)
    clock.clear(gone)
    loop.pass_time(20)
    assert (gone.at, len(there.at)) == ([], 1)


def test_ten_thousand_sleepers_wake_the_loop_once_for_each_width_in_which_one_is_due() -> None:
    loop = HeldLoop()
    clock = AlarmClock(loop, WIDTH)
    for number in range(10_000):
        clock.set(Heard(loop), loop.now + 720 + number % 180)
    loop.pass_time(1000)
    assert loop.wake_ups <= 181
