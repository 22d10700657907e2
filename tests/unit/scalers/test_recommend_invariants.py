from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from scalers.decision import Basis, Decision
from scalers.policy import Bounds, Mode, ScalingPolicy
from scalers.recommend import recommend
from scalers.situation import Situation
from tests.fakes.situations import CAPACITY, a_policy, a_signal, a_situation

demands = st.floats(0, 1e18, allow_nan=False)
ages = st.integers(0, 1200).map(lambda seconds: timedelta(seconds=seconds))


@st.composite
def policies(draw: st.DrawFn) -> ScalingPolicy:
    gang = draw(st.integers(1, 8))
    low = draw(st.integers(0, 10))
    high = draw(st.integers(max(low, 1), 60))
    return a_policy(
        bounds=Bounds(low * gang, high * gang, gang),
        tolerance=draw(st.sampled_from([0.0, 0.05, 0.1])),
        mode=draw(st.sampled_from(list(Mode))),
    )


@st.composite
def situations(draw: st.DrawFn) -> Situation:
    signal = a_signal(draw(demands), peak=draw(st.none() | demands), age=draw(ages))
    distrust = draw(st.none() | st.just("it lost trust"))
    situation = a_situation(
        replace(signal, distrust=distrust),
        replicas=draw(st.none() | st.integers(0, 500)),
        previous=draw(st.none() | st.floats(0, 500)),
        is_reactive_only=draw(st.booleans()),
    )
    return replace(situation, is_in_conflict=draw(st.booleans()))


def is_idle(decision: Decision) -> bool:
    return not decision.is_active


@given(situations(), policies())
def test_answers_keep_to_the_bounds_in_whole_gangs(situation: Situation, policy: ScalingPolicy) -> None:
    decision = recommend(situation, policy)
    for value in (decision.answer, decision.for_keda):
        if value is not None:
            assert policy.bounds.minimum <= value <= policy.bounds.maximum
            assert policy.bounds.gang == 1 or value % policy.bounds.gang == 0


@given(situations(), policies())
def test_no_answer_is_below_the_raw_need(situation: Situation, policy: ScalingPolicy) -> None:
    decision = recommend(situation, policy)
    if decision.answer is not None and decision.raw_need is not None:
        assert decision.answer >= min(decision.raw_need, policy.bounds.maximum) - 1e-7  # whole gangs forgive a hair


@given(situations(), policies())
def test_old_data_never_lower_the_last_answer(situation: Situation, policy: ScalingPolicy) -> None:
    decision = recommend(situation, policy)
    at = situation.signals[0].at
    assert at is not None
    if decision.basis is Basis.WAKING:
        return  # nothing is there that could be scaled in
    if situation.previous is not None and decision.answer is not None and situation.now - at > timedelta(seconds=45):
        assert decision.answer >= min(situation.previous.answer, policy.bounds.maximum)


@given(situations(), policies())
def test_nothing_is_inactive_but_by_observed_idleness(situation: Situation, policy: ScalingPolicy) -> None:
    decision = recommend(situation, policy)
    if decision.answer is not None and is_idle(decision):
        assert policy.bounds.minimum == 0
        assert situation.signals[0].demand == 0.0


@given(situations(), policies(), st.floats(1, 10))
def test_more_demand_never_means_fewer_replicas(situation: Situation, policy: ScalingPolicy, factor: float) -> None:
    signal = situation.signals[0]
    assert signal.demand is not None
    more = replace(situation, signals=(replace(signal, demand=signal.demand * factor),), replicas=None)
    less = recommend(replace(situation, replicas=None), policy)
    greater = recommend(more, policy)
    if less.answer is not None and greater.answer is not None:
        assert greater.answer >= less.answer


@given(situations(), policies())
def test_deciding_twice_changes_nothing(situation: Situation, policy: ScalingPolicy) -> None:
    assert recommend(situation, policy) == recommend(situation, policy)


@given(situations(), policies())
def test_every_decision_explains_itself(situation: Situation, policy: ScalingPolicy) -> None:
    decision = recommend(situation, policy)
    assert decision.sentence
    assert not decision.sentence.endswith(".")
    assert (decision.basis is Basis.REFUSED) == (decision.for_keda is None)


@given(st.floats(0.001, 1000), demands)
def test_the_unit_of_demand_does_not_matter(scale: float, demand: float) -> None:
    policy = a_policy()
    plain = recommend(a_situation(a_signal(demand)), policy)
    signal = replace(a_signal(demand * scale), capacity=CAPACITY * scale)
    scaled = recommend(a_situation(signal), policy)
    assert plain.answer is not None
    assert scaled.answer is not None
    assert abs(plain.answer - scaled.answer) <= 1e-9 * plain.answer
