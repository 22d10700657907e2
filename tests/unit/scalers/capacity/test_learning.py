"""A capacity is learned from what happens, and the declared one stands until it is."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forecasters.packing import UnreadableState
from scalers.capacity.drift import Direction
from scalers.capacity.evidence import Curve
from scalers.capacity.learning import MOST_ABOVE_SEEN, CapacityLearner, Knowledge, LearningPolicy
from scalers.capacity.objective import Limit
from scalers.capacity.watching import Observation, Taken
from scalers.decision import Replicas

START = datetime(2026, 1, 5, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
POLICY = LearningPolicy(declared=10.0, limit=Limit(2.0), window=timedelta(seconds=30))
TRUE = Curve(spread=0.05, lapse=0.02)
REPLICAS = Replicas(4, 4)


def observations(loads: Iterable[float], *, capacity: float, first: int = 0, seed: int = 1) -> Iterable[Observation]:
    """Return a minute each of four replicas at these loads, as a service of that capacity would show it."""
    random = np.random.default_rng(seed)
    for minute, load in enumerate(loads, start=first):
        is_missed = random.random() < TRUE.missed(load, capacity)
        yield Observation(START + minute * MINUTE, 4 * load, REPLICAS, 3.0 if is_missed else 1.0)


def taught(
    *, capacity: float, loads: tuple[float, float], minutes: int, policy: LearningPolicy = POLICY
) -> CapacityLearner:
    learner = CapacityLearner(policy)
    teach(learner, capacity=capacity, loads=loads, minutes=minutes)
    return learner


def teach(
    learner: CapacityLearner, *, capacity: float, loads: tuple[float, float], minutes: int, first: int = 0
) -> None:
    drawn = np.random.default_rng(first).uniform(*loads, minutes).tolist()
    for observation in observations(drawn, capacity=capacity, first=first):
        learner.observe(observation)


@pytest.fixture(scope="module")
def knowing() -> bytes:
    """What was learned of a service whose capacity is 12."""
    return taught(capacity=12.0, loads=(5.0, 16.0), minutes=600).encode()


def test_until_an_hour_was_seen_the_declared_capacity_stands() -> None:
    estimate = taught(capacity=5.0, loads=(4.0, 12.0), minutes=55).estimate

    assert (estimate.capacity, estimate.knowledge) == (10.0, Knowledge.LEARNING)
    assert estimate.sentence == "10 stands: 55 of 60 samples are there"


@pytest.mark.parametrize("capacity", [6.0, 12.0, 25.0])
def test_the_low_end_of_what_is_known_answers(capacity: float) -> None:
    estimate = taught(capacity=capacity, loads=(0.4 * capacity, 1.3 * capacity), minutes=600).estimate

    assert estimate.knowledge is Knowledge.LEARNED
    assert estimate.interval is not None
    assert estimate.interval.low == estimate.capacity
    assert 0.85 * capacity < estimate.capacity < 1.05 * capacity


def test_where_the_limit_was_never_near_the_declared_capacity_stands() -> None:
    estimate = taught(capacity=30.0, loads=(3.0, 8.0), minutes=300).estimate

    assert (estimate.capacity, estimate.knowledge) == (10.0, Knowledge.OPEN)
    assert "where it begins to be missed is not known" in estimate.sentence


def test_what_replicas_carried_is_known_though_the_limit_is_not() -> None:
    """Loads of up to 20 were carried where 10 was declared; nothing above 1.1 times that is claimed."""
    estimate = taught(capacity=100.0, loads=(8.0, 20.0), minutes=600).estimate

    assert estimate.knowledge is Knowledge.OPEN
    assert 18.0 < estimate.capacity <= MOST_ABOVE_SEEN * 20.5


def test_an_objective_that_is_missed_at_every_load_asks_for_nothing() -> None:
    """A slow dependency: with more replicas it would be slow for more replicas."""
    estimate = taught(capacity=0.1, loads=(4.0, 12.0), minutes=200).estimate

    assert (estimate.capacity, estimate.knowledge) == (10.0, Knowledge.NEVER_KEPT)
    assert "more replicas may not help" in estimate.sentence


def test_a_fall_is_told_and_what_was_learned_is_learned_anew(knowing: bytes) -> None:
    learner = CapacityLearner.decode(knowing, POLICY)
    teach(learner, capacity=8.0, loads=(5.0, 16.0), minutes=500, first=1000)
    estimate = learner.estimate

    assert estimate.drifted is not None
    assert (estimate.drifted.direction, estimate.drifted.before) == (Direction.DOWN, pytest.approx(12.0, rel=0.1))
    assert estimate.knowledge is Knowledge.LEARNED
    assert estimate.capacity == pytest.approx(8.0, rel=0.15)
    assert "it fell from 1" in estimate.sentence


def test_right_after_a_fall_less_is_counted_on_than_before(knowing: bytes) -> None:
    learner = CapacityLearner.decode(knowing, POLICY)
    before = learner.estimate.capacity
    loads = np.random.default_rng(2).uniform(5.0, 16.0, 300).tolist()
    for observation in observations(loads, capacity=7.0, first=1000):
        learner.observe(observation)
        if learner.estimate.drifted is not None:
            break

    assert learner.estimate.drifted is not None
    assert learner.estimate.capacity <= 0.85 * before


def test_a_rise_is_told(knowing: bytes) -> None:
    learner = CapacityLearner.decode(knowing, POLICY)
    teach(learner, capacity=20.0, loads=(5.0, 24.0), minutes=500, first=1000)
    estimate = learner.estimate

    assert estimate.drifted is not None
    assert estimate.drifted.direction is Direction.UP
    assert estimate.capacity > 15.0


def test_days_without_a_change_tell_of_none(knowing: bytes) -> None:
    learner = CapacityLearner.decode(knowing, POLICY)
    teach(learner, capacity=12.0, loads=(5.0, 16.0), minutes=2000, first=1000)

    assert learner.estimate.drifted is None
    assert learner.estimate.capacity == pytest.approx(12.0, rel=0.1)


def test_what_does_not_count_changes_nothing(knowing: bytes) -> None:
    learner = CapacityLearner.decode(knowing, POLICY)
    before = learner.encode()
    for minute in range(1000, 1100):
        nobody_knows = Observation(START + minute * MINUTE, 400.0, None, 9.0)
        assert learner.observe(nobody_knows) is Taken.UNKNOWN_REPLICAS

    assert learner.encode() == before


def test_a_restart_goes_on_where_it_was(knowing: bytes) -> None:
    one, other = CapacityLearner.decode(knowing, POLICY), CapacityLearner.decode(knowing, POLICY)
    teach(one, capacity=8.0, loads=(5.0, 16.0), minutes=300, first=1000)
    restarted = CapacityLearner.decode(one.encode(), POLICY)

    assert restarted.estimate.drifted == one.estimate.drifted
    assert restarted.estimate.capacity == pytest.approx(one.estimate.capacity, rel=1e-3)
    assert other.encode() == knowing


def test_what_is_kept_is_small(knowing: bytes) -> None:
    assert len(knowing) < 8 * 1024


def test_another_declared_capacity_begins_anew(knowing: bytes) -> None:
    other = LearningPolicy(declared=11.0, limit=Limit(2.0))

    assert CapacityLearner.decode(knowing, other).estimate.knowledge is Knowledge.LEARNING


def test_damaged_bytes_are_refused(knowing: bytes) -> None:
    with pytest.raises(UnreadableState):
        CapacityLearner.decode(knowing[:-8], POLICY)


@pytest.mark.parametrize("declared", [0.0, -1.0, float("nan")])
def test_a_declared_capacity_that_cannot_be_is_refused(declared: float) -> None:
    with pytest.raises(ValueError, match="declared capacity must be above 0"):
        LearningPolicy(declared, Limit(2.0))


minutes = st.tuples(
    st.none() | st.just(float("nan")) | st.floats(0.0, 1e18),
    st.none() | st.tuples(st.integers(0, 50), st.integers(0, 50)),
    st.none() | st.floats(0.0, 10.0),
)


@settings(max_examples=30, deadline=None)
@given(seen=st.lists(minutes, max_size=60), repeated=st.integers(1, 5))
def test_whatever_is_seen_the_capacity_is_above_zero_and_claims_little_more_than_was_carried(
    seen: list[tuple[float | None, tuple[int, int] | None, float | None]], repeated: int
) -> None:
    learner = CapacityLearner(POLICY)
    carried = 0.0
    for minute, (demand, replicas, objective) in enumerate(seen * repeated):
        known = None if replicas is None else Replicas(max(replicas), min(replicas))
        taken = learner.observe(Observation(START + minute * MINUTE, demand, known, objective))
        if taken is Taken.COUNTED and known is not None and demand is not None:
            carried = max(carried, demand / known.ready)
        bin_ = 1.05  # loads are told apart by 5 %
        assert 0.0 < learner.estimate.capacity <= max(10.0, MOST_ABOVE_SEEN * bin_ * carried)
