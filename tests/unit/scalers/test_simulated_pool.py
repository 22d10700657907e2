"""Pods and HPA for many contenders: against a plain reference, against Kubernetes's rules and against the judge."""

import itertools
import math
from dataclasses import dataclass, field
from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scalers.hpa_rules import HpaRules
from scalers.simulated_pool import SimulatedPool, UnreadablePool
from tests import judge

STEP = timedelta(seconds=15)
KUBERNETES = HpaRules(maximum=40)


@dataclass
class Reference:
    """One contender in plain Python; its lists keep everything that ever was."""

    rules: HpaRules
    start_up: int
    window: int
    ready: int
    starting: list[list[int]] = field(default_factory=list)  # [step in which they become ready, pods], oldest first
    recommended: list[int] = field(default_factory=list)
    steps: int = 0

    @property
    def existing(self) -> int:
        return self.ready + sum(pods for _, pods in self.starting)

    def step(self, value: float) -> None:
        self._arrive()
        before = self.existing
        after = before if math.isnan(value) else self._recommended(value, before)
        if math.isnan(value):
            self.recommended.append(0)
        if after > before:
            self.starting.append([self.steps + self.start_up, after - before])
        for _ in range(before - after):
            self._remove_one()
        if not self.start_up:
            self._arrive()
        self.steps += 1

    def _recommended(self, value: float, current: int) -> int:
        rules = self.rules
        shown = round(1000 * min(value, 1e9)) / 1000 if rules.is_rounded else value
        wanted = math.ceil(shown - 1e-9)
        if 1 - rules.tolerance_down - 1e-9 <= shown / current <= 1 + rules.tolerance_up + 1e-9:
            wanted = current
        wanted = min(max(wanted, rules.minimum), rules.maximum)
        self.recommended.append(wanted)
        if wanted < current:
            most = max(math.ceil(current * rules.down_percent / 100 - 1e-9), rules.down_pods)
            return max(min(current, max(self.recommended[-self.window :])), current - most)
        return min(wanted, current + max(math.ceil(current * rules.up_percent / 100 - 1e-9), rules.up_pods))

    def _arrive(self) -> None:
        while self.starting and self.starting[0][0] <= self.steps:
            self.ready += self.starting.pop(0)[1]

    def _remove_one(self) -> None:
        if not self.starting:
            self.ready -= 1
            return
        self.starting[-1][1] -= 1
        if not self.starting[-1][1]:
            self.starting.pop()


def pool(
    contenders: int = 1, *, first: int = 1, rules: HpaRules = KUBERNETES, start_up: timedelta = timedelta(0)
) -> SimulatedPool:
    return SimulatedPool(contenders, first=first, rules=rules, start_up=start_up, step=STEP)


def play(one: SimulatedPool, values: list[float]) -> list[int]:
    """The replicas of a pool of one, step by step."""
    path = []
    for value in values:
        one.step(np.array([value]))
        path.append(int(one.existing[0]))
    return path


answers = st.one_of(
    st.floats(0, 60), st.floats(0, 1e300), st.integers(0, 45).map(float), st.just(math.nan), st.floats(8.9, 11.1)
)
behaviors = st.builds(
    HpaRules,
    minimum=st.integers(1, 3),
    maximum=st.integers(3, 60),
    tolerance_up=st.sampled_from([0.0, 0.05, 0.1]),
    tolerance_down=st.sampled_from([0.0, 0.1]),
    stabilization=st.sampled_from([0, 15, 45, 120]).map(lambda seconds: timedelta(seconds=seconds)),
    up_percent=st.sampled_from([0.0, 10.0, 100.0, 200.0]),
    up_pods=st.integers(1, 4),
    down_percent=st.sampled_from([10.0, 50.0, 100.0]),
    down_pods=st.integers(0, 2),
    is_rounded=st.booleans(),
)


@given(
    st.integers(1, 4).flatmap(lambda k: st.lists(st.lists(answers, min_size=k, max_size=k), min_size=1, max_size=60)),
    behaviors,
    st.sampled_from([0, 1, 2, 5, 12]),
    st.integers(1, 3),
)
def test_every_contender_moves_as_a_plain_pool_with_an_hpa_of_its_own(
    rows: list[list[float]], rules: HpaRules, start_up: int, first: int
) -> None:
    many = pool(len(rows[0]), first=first, rules=rules, start_up=start_up * STEP)
    plain = [Reference(rules, start_up, max(1, rules.stabilization // STEP), ready=first) for _ in range(len(rows[0]))]

    for row in rows:
        many.step(np.array(row))
        for each, value in zip(plain, row, strict=True):
            each.step(value)
        assert many.existing.tolist() == [each.existing for each in plain]
        assert many.ready.tolist() == [each.ready for each in plain]


@given(st.lists(st.tuples(answers, answers), min_size=1, max_size=80), st.integers(0, 79), st.sampled_from([0, 8, 30]))
def test_a_restored_pool_goes_on_as_if_nothing_had_happened(
    rows: list[tuple[float, float]], cut: int, start_up: int
) -> None:
    one, other = (pool(2, first=3, start_up=start_up * STEP) for _ in range(2))
    for row in rows[:cut]:
        one.step(np.array(row))
    other.restore(one.encode())

    for row in rows[cut:]:
        one.step(np.array(row))
        other.step(np.array(row))
    assert one.encode() == other.encode()


@pytest.mark.parametrize(
    ("value", "current", "replicas"),
    [
        (10.2, 10, 10),  # within the tolerance
        (11.0, 10, 10),  # the tolerance is inclusive
        (11.01, 10, 12),  # just past it, rounded up
        (11.0004, 10, 10),  # KEDA rounds to three decimals
        (11.0006, 10, 12),
        (9.0, 10, 10),
        (20.0, 20, 20),
        (21.999, 20, 20),
        (3.0000000004, 2, 3),  # a float's rounding error adds no replica
    ],
)
def test_the_tolerance_and_the_ceiling_are_those_of_kubernetes(value: float, current: int, replicas: int) -> None:
    assert play(pool(first=current), [value]) == [replicas]


@pytest.mark.parametrize("value", [3.0000000004, 3.0, 2.9999999996])
def test_a_rounding_error_adds_no_replica_where_no_decimals_are_cut(value: float) -> None:
    assert play(pool(first=2, rules=HpaRules(is_rounded=False)), [value]) == [3]


@pytest.mark.parametrize(("current", "replicas"), [(1, 5), (3, 7), (4, 8), (10, 20), (30, 40)])
def test_scaling_up_adds_at_most_four_pods_or_as_many_again(current: int, replicas: int) -> None:
    assert play(pool(first=current), [1000.0]) == [replicas]


def test_scaling_down_waits_until_the_larger_recommendation_is_five_minutes_old() -> None:
    assert play(pool(first=10), [10.0] + 30 * [2.0]) == 20 * [10] + 11 * [2]


def test_a_failed_read_holds_the_replicas_and_is_not_remembered() -> None:
    one = pool(first=7)

    assert play(one, [math.nan]) == [7]
    assert play(one, 19 * [math.nan] + [2.0]) == 19 * [7] + [2]


def test_a_pod_serves_after_its_start_up_and_counts_from_the_first_moment() -> None:
    one = pool(first=2, start_up=timedelta(seconds=60))

    seen = []
    for _ in range(6):
        one.step(np.array([5.0]))
        seen.append((int(one.existing[0]), int(one.ready[0])))
    assert seen == 4 * [(5, 2)] + 2 * [(5, 5)]


def test_pods_that_are_starting_go_before_those_that_serve() -> None:
    one = pool(first=4, rules=HpaRules(stabilization=timedelta(0)), start_up=timedelta(seconds=600))

    one.step(np.array([6.0]))
    one.step(np.array([8.0]))
    one.step(np.array([5.0]))
    assert (one.existing[0], one.ready[0]) == (5, 4)
    one.step(np.array([3.0]))
    assert (one.existing[0], one.ready[0]) == (3, 3)


def test_a_scale_in_of_a_tenth_a_sync_takes_its_time() -> None:
    slow = HpaRules(stabilization=timedelta(0), down_percent=10.0)

    assert play(pool(first=20, rules=slow), 4 * [5.0]) == [18, 16, 14, 12]


@given(st.lists(st.floats(0, 100), min_size=1, max_size=60), st.integers(1, 40))
def test_replicas_never_fall_below_what_any_of_the_last_five_minutes_asked_for(metric: list[float], first: int) -> None:
    path = [first, *play(pool(first=first), metric)]

    for number, (before, after) in enumerate(itertools.pairwise(path)):
        assert 1 <= after <= min(40, max(2 * before, before + 4))
        if after < before:
            recent = metric[max(0, number - 19) : number + 1]
            assert all(after >= min(40, math.floor(value / 1.1)) for value in recent)


@given(st.floats(0, 100), st.floats(0, 100), st.integers(1, 40))
def test_more_demand_never_means_fewer_replicas(one: float, other: float, current: int) -> None:
    low, high = sorted((one, other))

    assert play(pool(first=current), [low]) <= play(pool(first=current), [high])


def test_the_state_of_a_contender_is_small_in_memory_and_in_the_store() -> None:
    for seconds, most in ((120, 120), (600, 200)):
        many = pool(400, start_up=timedelta(seconds=seconds))
        held = [*vars(many).values(), *vars(many._recent).values()]
        assert sum(value.nbytes for value in held if isinstance(value, np.ndarray)) <= 400 * most
        assert len(many.encode()) <= 400 * most


@pytest.mark.parametrize(
    "body", [b"", b"FTP1", pool(3).encode(), pool(2).encode()[:-1], b"XXXX" + pool(2).encode()[4:]]
)
def test_another_pools_bytes_are_refused_and_change_nothing(body: bytes) -> None:
    one = pool(2, first=5)
    kept = one.encode()

    with pytest.raises(UnreadablePool, match="simulate anew"):
        one.restore(body)
    assert one.encode() == kept


def test_a_pool_without_pods_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 1 pod, got 0"):
        pool(first=0)


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"minimum": 0}, "1 <= minimum"),
        ({"maximum": 40_000}, "maximum <= 32767"),
        ({"minimum": 5, "maximum": 4}, "got 5 and 4"),
        ({"stabilization": timedelta(seconds=-1)}, "stabilization"),
        ({"tolerance_up": -0.1}, "tolerance_up"),
    ],
)
def test_rules_that_no_hpa_can_have_are_refused(wrong: dict[str, object], named: str) -> None:
    with pytest.raises(ValueError, match=named):
        HpaRules(**wrong)


@pytest.mark.parametrize(("start_up", "targets"), [(120, (0.3, 0.7, 1.0)), (600, (0.5, 0.9))])
def test_the_judge_gets_the_same_replicas_on_a_real_trace(start_up: int, targets: tuple[float, ...]) -> None:
    simulate = judge.simulate()
    load, _, _ = simulate.load_trace(judge.trace("cloud/crane_00_60s.csv.gz"))
    env = simulate.Env(load[:12_000], start_up)
    many = pool(
        len(targets),
        first=max(1, math.ceil(env.metric[0] / env.cap)),
        rules=HpaRules(maximum=env.max_replicas, is_rounded=False),
        start_up=timedelta(seconds=start_up),
    )

    ready, existing = [], []
    for metric in env.metric:
        many.step(metric / (np.array(targets) * env.cap))
        ready.append(many.ready.copy())
        existing.append(many.existing.copy())

    for column, target in enumerate(targets):
        theirs = simulate.replay_hpa(env, env.metric, target)
        assert np.array_equal(np.array(ready)[env.begin :, column], theirs[0])
        assert np.array_equal(np.array(existing)[env.begin :, column], theirs[1])
