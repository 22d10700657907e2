"""What decisions take for capacity: what was learned, seldom changed, and kept across a restart."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import numpy as np
import pytest

from scalers.capacity.evidence import Curve
from scalers.capacity.learning import LearningPolicy
from scalers.capacity.objective import Limit, Sense
from scalers.capacity.sizing import Sizing
from scalers.capacity.watching import Observation
from scalers.decision import LearnedCapacity, Replicas

START = datetime(2026, 1, 5, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
POLICY = LearningPolicy(declared=10.0, limit=Limit(1.0, Sense.AT_LEAST), window=timedelta(seconds=30))
TRUE = Curve(spread=0.05, lapse=0.02)
LOADS = (5.0, 16.0)


def lived(
    sizing: Sizing, *, capacity: float, minutes: int, first: int = 0, loads: tuple[float, float] = LOADS
) -> list[LearnedCapacity]:
    """Let four replicas of a service serve for some minutes; return what decisions took up meanwhile."""
    random = np.random.default_rng(first)
    taken = []
    for minute in range(first, first + minutes):
        load = random.uniform(*loads)
        is_kept = random.random() >= TRUE.missed(load, capacity)
        sizing.observe(Observation(START + minute * MINUTE, 4 * load, Replicas(4, 4), float(is_kept)))
        if (known := sizing.take_up(START + minute * MINUTE)) is not None:
            taken.append(known)
    return taken


def hours_between(taken: Sequence[LearnedCapacity]) -> list[float]:
    return [(later.at - earlier.at) / timedelta(hours=1) for earlier, later in pairwise(taken)]


@pytest.fixture(scope="module")
def knowing() -> dict[str, bytes]:
    """What was learned in a day of a service whose capacity is 7, where 10 is declared."""
    sizing = Sizing(POLICY, meaning="ttft")
    lived(sizing, capacity=7.0, minutes=1440)
    return sizing.stored()


def restored(stored: dict[str, bytes], *, policy: LearningPolicy = POLICY, meaning: str = "ttft") -> Sizing:
    sizing = Sizing(policy, meaning=meaning)
    sizing.restore(stored)
    return sizing


def test_decisions_take_what_was_learned_and_say_how_sure_it_is(knowing: dict[str, bytes]) -> None:
    sizing = restored(knowing)

    assert sizing.capacity == pytest.approx(7.0, rel=0.08)
    assert sizing.in_use is not None
    assert sizing.in_use.low == sizing.in_use.capacity
    assert sizing.in_use.high == pytest.approx(7.0, rel=0.1)
    assert sizing.in_use.sentence.startswith("capacity 6.")
    assert " % sure between 6." in sizing.in_use.sentence
    assert sizing.in_use.sentence.endswith("; declared 10")


def test_a_capacity_is_changed_at_most_every_three_hours_and_by_more_than_a_twentieth() -> None:
    taken = lived(Sizing(POLICY), capacity=14.0, minutes=2880, loads=(5.0, 20.0))

    assert 1 <= len(taken) <= 5
    assert all(hours >= 3.0 for hours in hours_between(taken))
    capacities = [10.0, *(known.capacity for known in taken)]
    assert all(abs(b / a - 1) > 0.05 for a, b in pairwise(capacities))


def test_a_fall_that_was_noticed_waits_for_nothing(knowing: dict[str, bytes]) -> None:
    """The capacity was changed at minute 1440 at the earliest by then; the service is a third slower from 1500 on."""
    sizing = restored(knowing)
    sizing.in_use = LearnedCapacity(START + 1499 * MINUTE, sizing.capacity, 10.0, None, None, 0.9, 60.0, "just now")
    taken = lived(sizing, capacity=4.5, minutes=170, first=1500)

    assert taken
    assert taken[0].capacity < 0.9 * 7.0
    assert taken[0].at - START < timedelta(minutes=1499, hours=3)
    assert "it fell from" in taken[0].sentence


def test_an_idle_service_never_raises_the_capacity() -> None:
    """A tenth of what it could serve, for two days: that nothing was missed says nothing of the limit."""
    sizing = Sizing(POLICY)

    assert lived(sizing, capacity=30.0, minutes=2880, loads=(0.5, 3.0)) == []
    assert sizing.capacity == 10.0


def test_a_restart_goes_on_where_it_was(knowing: dict[str, bytes]) -> None:
    one, other = restored(knowing), restored(restored(knowing).stored())

    assert other.in_use == one.in_use
    assert other.estimate == one.estimate


@pytest.mark.parametrize("damaged", ["learner", "in use"])
def test_a_damaged_state_begins_anew(knowing: dict[str, bytes], damaged: str) -> None:
    sizing = restored(knowing | {damaged: knowing[damaged][:-1]})

    assert (sizing.capacity, sizing.in_use, sizing.estimate.samples) == (10.0, None, 0.0)


def test_what_is_missing_begins_anew(knowing: dict[str, bytes]) -> None:
    assert restored({"in use": knowing["in use"]}).capacity == 10.0


def test_another_objective_or_declared_capacity_is_learned_anew(knowing: dict[str, bytes]) -> None:
    assert restored(knowing, meaning="latency").capacity == 10.0
    assert restored(knowing, policy=LearningPolicy(declared=11.0, limit=POLICY.limit)).capacity == 11.0


def test_what_is_kept_is_small(knowing: dict[str, bytes]) -> None:
    assert sum(map(len, knowing.values())) < 9 * 1024


def scaled_by_itself(sizing: Sizing, *, capacity: float, margin: float, days: int = 4) -> float:
    """Let the capacity in use size a service, as an HPA with a target would; return the share missed on the last day.

    The demand goes from 15 to 60 over the day, and wanders. Replicas take two minutes to start, and go after five.
    """
    random, wandering = np.random.default_rng(1), 0.0
    wanted: deque[int] = deque(maxlen=5)
    loads: deque[float] = deque(maxlen=5)
    ready = missed = 0
    starting: deque[tuple[int, int]] = deque()
    for minute in range(days * 1440):
        wandering = 0.94 * wandering + random.normal(0.0, 0.03)
        demand = 15.0 * (2.5 - 1.5 * math.cos(2.0 * math.pi * minute / 1440)) * math.exp(wandering)
        wanted.append(math.ceil(demand / (margin * sizing.capacity)))
        while starting and starting[0][0] <= minute:
            ready += starting.popleft()[1]
        existing = ready + sum(count for _, count in starting)
        if ready == 0:
            ready = existing = wanted[0]
        if max(wanted) > existing:
            starting.append((minute + 2, max(wanted) - existing))
        elif not starting:
            ready = existing = max(wanted)
        loads.append(demand / ready)
        is_kept = random.random() >= TRUE.missed(sum(loads) / len(loads), capacity)
        missed += not is_kept and minute >= (days - 1) * 1440
        at = START + minute * MINUTE
        sizing.observe(Observation(at, demand, Replicas(max(existing, *wanted), ready), float(is_kept)))
        sizing.take_up(at)
    return missed / 1440


@pytest.mark.parametrize("margin", [0.7, 1.0])
def test_a_capacity_that_was_declared_too_high_comes_down_though_it_sizes_what_it_is_learned_from(
    margin: float,
) -> None:
    sizing = Sizing(POLICY)
    missed = scaled_by_itself(sizing, capacity=7.0, margin=margin)

    assert 0.8 * 7.0 < sizing.capacity < 1.05 * 7.0
    assert missed < 0.05  # 2 % whatever the load


def test_a_capacity_that_was_declared_too_low_goes_up_step_by_step_and_not_far_past_the_limit() -> None:
    sizing = Sizing(POLICY)
    scaled_by_itself(sizing, capacity=20.0, margin=1.0)

    assert 12.0 < sizing.capacity < 1.1 * 20.0
