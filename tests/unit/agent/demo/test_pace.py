"""The demo's speed: simulated seconds per real second, never faster."""

import pytest

from agent.demo.pace import Pace


class Stopwatch:
    """A real-time clock that moves when it is slept on, or when told."""

    def __init__(self) -> None:
        self.now = 100.0
        self.naps: list[float] = []

    async def sleep(self, seconds: float) -> None:
        self.naps.append(seconds)
        self.now += seconds


def paced(speed: float | None) -> tuple[Pace, Stopwatch]:
    watch = Stopwatch()
    return Pace(speed, monotonic=lambda: watch.now, sleep=watch.sleep), watch


async def test_a_step_of_fifteen_seconds_takes_its_share_of_a_real_second() -> None:
    pace, watch = paced(600.0)

    await pace.wait()
    watch.now += 0.010  # the step's own work
    await pace.wait()

    assert watch.naps == pytest.approx([0.025, 0.015])


async def test_time_lost_is_not_caught_up_with() -> None:
    pace, watch = paced(600.0)

    watch.now += 20.0
    await pace.wait()
    await pace.wait()

    assert watch.naps == pytest.approx([0.0, 0.025])


async def test_without_a_speed_nothing_waits() -> None:
    pace, watch = paced(None)

    for _ in range(3):
        await pace.wait()

    assert watch.naps == [0.0, 0.0, 0.0]


@pytest.mark.parametrize("speed", [0.0, -1.0, float("nan")])
def test_a_speed_that_is_none_is_refused(speed: float) -> None:
    with pytest.raises(ValueError, match="above 0"):
        Pace(speed)
