from __future__ import annotations

import math
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.decider import Decider
from agent.sources.source import Reading, Sample
from forecasters.table import FORECASTERS
from scalers.decision import Basis, Decision, Replicas
from scalers.policy import Bounds, Mode, ScalingPolicy, WhenUnknown
from tests.fakes.driven import MISSING, STEP, Driven, past_of
from tests.fakes.engine import START, level
from tests.fakes.situations import a_policy

MINUTE = timedelta(minutes=1)
NO_TIME = timedelta(0)


def ramp(at: datetime) -> float:
    """Return 24 by night and 240 by day, and in between, from 11:30 UTC, a rise of half an hour."""
    hour = (at.timestamp() % 86_400) / 3600
    return 24.0 + 216.0 * min(max((hour - 11.5) / 0.5, 0.0), 1.0) * (hour < 20)


def test_before_any_sample_there_is_no_answer() -> None:
    decision = Driven(a_policy()).decide(START)
    assert (decision.basis, decision.for_keda) == (Basis.REFUSED, None)


def test_a_new_policy_answers_the_raw_need_from_its_first_sample_on() -> None:
    driven = Driven(a_policy(models=("harmonic",)))
    first, later = driven.read(START, 60.0), [driven.read(START + i * STEP, 60.0) for i in range(1, 10)][-1]
    assert (first.basis, first.answer) == (Basis.LEARNING, 5.0)
    assert (later.basis, later.answer) == (Basis.LEARNING, 5.0)
    assert later.sentence == "60 now needs 5; needs 60 min more history (0 of 60 min); raw need until then"


def test_a_daily_ramp_is_answered_before_it_comes() -> None:
    signal = replace(a_policy().signals[0], step=MINUTE)
    driven = Driven(a_policy(families=("quantile-regression", "analog"), signals=(signal,), lead_time=5 * MINUTE))
    begin = START - 40 * MINUTE
    driven.learn(past_of(ramp, end=begin, span=timedelta(days=4), noise=1.0, step=MINUTE))
    decisions = {now: driven.read(now, ramp(now)) for now in (begin + i * MINUTE for i in range(40))}
    ahead = decisions[START - 27 * MINUTE]  # three minutes into the ramp
    assert ahead.basis is Basis.FORECAST
    assert ahead.raw_need == pytest.approx(3.8)
    assert ahead.answer is not None
    assert ahead.answer > 6.5  # what the demand will be when a replica asked for now serves
    assert all(each.answer is not None and each.answer >= (each.raw_need or 0) for each in decisions.values())


@pytest.mark.parametrize("value", [math.nan, math.inf, -5.0])
def test_a_sample_that_cannot_be_holds_and_then_refuses(value: float) -> None:
    driven = Driven(a_policy())
    driven.read(START, 240.0)
    answers = [driven.read(START + i * STEP, value) for i in range(1, 42)]
    assert {each.answer for each in answers[:40]} == {20.0}
    assert [each.basis for each in answers[3:40]] == [Basis.HELD] * 37
    assert (answers[40].basis, answers[40].for_keda) == (Basis.REFUSED, None)


def test_a_sample_from_the_future_holds_and_then_refuses() -> None:
    driven = Driven(a_policy())
    driven.read(START, 240.0)
    answers = [driven.read(START + i * STEP, 1.0, at=START + timedelta(days=1)) for i in range(1, 42)]
    assert {each.answer for each in answers[:40]} == {20.0}
    assert answers[40].for_keda is None


def test_a_late_sample_scales_nothing_in() -> None:
    driven = Driven(a_policy())
    driven.read(START, 240.0)
    driven.read(START + 2 * STEP, 240.0)
    assert driven.read(START + 2 * STEP, 1.0, at=START + STEP).answer == 20.0


def test_a_reading_of_old_data_holds_and_then_refuses() -> None:
    driven = Driven(a_policy())
    driven.read(START, 240.0)

    def at(seconds: int) -> Decision:
        now = START + timedelta(seconds=seconds)
        driven.signal.observe(Reading(Sample(now, 1.0), newest=START), now)
        return driven.decide(now)

    assert [at(seconds).answer for seconds in (60, 300, 600)] == [20.0, 20.0, 20.0]
    assert at(615).for_keda is None


def test_a_gap_holds_the_last_answer_and_then_refuses_after_staleness_data() -> None:
    driven = Driven(a_policy(stale_data=5 * MINUTE))
    driven.read(START, 240.0)
    held, refused = driven.read(START + 5 * MINUTE, None), driven.read(START + 5 * MINUTE + STEP, None)
    assert (held.basis, held.answer) == (Basis.HELD, 20.0)
    assert refused.for_keda is None
    assert refused.sentence == "no samples since 12:00:00 (Empty), past staleness.data of 5 min; no answer, KEDA holds"


def test_data_that_are_back_end_a_refusal_at_once() -> None:
    driven = Driven(a_policy())
    driven.read(START, 240.0)
    driven.read(START + 20 * MINUTE, None)
    assert driven.read(START + 21 * MINUTE, 120.0).answer == 10.0


def test_a_clock_that_was_set_back_holds_the_answer_instead_of_taking_the_future_for_the_present() -> None:
    driven = Driven(a_policy())
    driven.read(START, 240.0)
    driven.read(START + STEP, 12.0)
    back = START - 30 * MINUTE
    decisions = [driven.read(back + i * STEP, 480.0) for i in range(4)]
    assert [each.for_keda for each in decisions] == [None] * 4
    assert Driven(a_policy()).read(back, 480.0).answer == 40.0


def test_a_restored_answer_is_not_undercut_while_the_forecast_is_missing() -> None:
    driven = Driven(a_policy(models=("harmonic",)))
    driven.decider.restore_answer(answer=20.0, at=START)
    first, last = driven.read(START, 60.0), driven.read(START + 5 * MINUTE, 60.0)
    assert (first.basis, first.answer, last.answer) == (Basis.HELD, 20.0, 20.0)
    assert driven.read(START + 5 * MINUTE + STEP, 60.0).answer == 5.0


def test_a_restored_answer_is_overtaken_by_a_larger_need() -> None:
    driven = Driven(a_policy())
    driven.decider.restore_answer(answer=20.0, at=START)
    assert driven.read(START, 360.0).answer == 30.0


def test_the_kill_switch_answers_the_raw_need_and_is_over_as_soon_as_it_is_off() -> None:
    driven = Driven(a_policy())
    driven.decider.restore_answer(answer=20.0, at=START)
    driven.signal.observe(Reading(Sample(START, 60.0), None), START)
    switched = driven.decider.decide(START, replicas=None, is_reactive_only=True)
    assert (switched.answer, switched.for_keda) == (20.0, 5.0)
    assert driven.decider.decide(START, replicas=None).for_keda == 20.0


def test_in_shadow_a_trigger_gets_the_raw_need() -> None:
    driven = Driven(a_policy(mode=Mode.SHADOW))
    driven.decider.restore_answer(answer=20.0, at=START)
    decision = driven.read(START, 60.0)
    assert (decision.answer, decision.for_keda) == (20.0, 5.0)


def test_a_target_at_zero_is_woken_when_its_demand_is_unknown_unless_it_should_stay() -> None:
    for when, answer in ((WhenUnknown.WAKE, 4.0), (WhenUnknown.STAY, None)):
        driven = Driven(a_policy(bounds=Bounds(0, 40, 4), when_unknown=when))
        driven.signal.missed(MISSING)
        assert driven.decide(START, replicas=Replicas(0, 0)).for_keda == answer


def test_the_largest_need_over_all_signals_is_the_answer_and_one_that_is_missing_holds_it() -> None:
    plain = a_policy().signals[0]
    policy = a_policy(signals=(plain, replace(plain, name="tokens", capacity=1000.0)))
    decider = Decider(policy, FORECASTERS)
    for name, value in (("demand", 60.0), ("tokens", 9000.0)):
        decider.signals[name].observe(Reading(Sample(START, value), None), START)
    assert decider.decide(START, replicas=None).answer == 9.0
    now = START + MINUTE
    decider.signals["demand"].observe(Reading(Sample(now, 12.0), None), now)
    decider.signals["tokens"].missed(MISSING)
    assert decider.decide(now, replicas=None).answer == 9.0


def a_learning_policy(**changes: object) -> ScalingPolicy:
    """A policy whose experts are those of `auto`."""
    families = ("quantile-regression", "hold", "analog", "volatility")
    return a_policy(**{"models": (), "families": families} | changes)


class Learned(dict[str, bytes]):
    """What was stored, shown by its names: the bodies are long."""

    def __repr__(self) -> str:
        return f"Learned({', '.join(self)})"


@pytest.fixture(scope="module")
def learned() -> Learned:
    """What was learned of fifteen hours of a noisy load around 120: an expert is chosen."""
    driven = Driven(a_learning_policy())
    driven.learn(past_of(level(120.0), end=START, span=timedelta(hours=15), noise=20.0))
    assert driven.signal.peaks.is_choosing
    return Learned(driven.signal.stored())


def test_one_absurd_sample_is_outlived(learned: Learned) -> None:
    driven = Driven(a_learning_policy(), stored=learned)
    world = [120.0] * 12 + [1e300] + [120.0] * 60
    decisions = [driven.read(START + i * STEP, demand) for i, demand in enumerate(world)]
    assert decisions[12].answer == 40.0
    last = decisions[-1].signals[0]
    assert last.demand == 120.0
    assert last.peak is None or math.isfinite(last.peak.value)


values = st.one_of(st.floats(0, 1000), st.none(), st.sampled_from([math.nan, math.inf, -1.0, 0.0, 1e300, 5e-324]))
offsets = st.sampled_from([NO_TIME] * 6 + [-STEP, -2 * STEP, -10 * MINUTE, MINUTE, timedelta(days=400)])
pauses = st.sampled_from([STEP] * 8 + [STEP / 2, MINUTE, 5 * MINUTE, timedelta(hours=2), timedelta(days=4)])
counts = st.none() | st.integers(0, 200).map(lambda count: Replicas(count, count // 2))
worlds = st.lists(st.tuples(pauses, values, offsets, counts), min_size=1, max_size=25)


@st.composite
def policies(draw: st.DrawFn) -> ScalingPolicy:
    gang = draw(st.integers(1, 4))
    low = draw(st.integers(0, 5))
    return a_learning_policy(
        bounds=Bounds(low * gang, (low + draw(st.integers(1, 20))) * gang, gang),
        tolerance=draw(st.sampled_from([0.0, 0.1])),
        activation=draw(st.sampled_from([0.0, 30.0])),
        mode=draw(st.sampled_from(list(Mode))),
    )


@settings(max_examples=60)
@given(policies(), worlds)
def test_whatever_the_world_does_answers_keep_their_promises(
    learned: Learned, policy: ScalingPolicy, world: list[tuple[timedelta, float | None, timedelta, Replicas]]
) -> None:
    driven, now, last = Driven(policy, stored=learned), START, None
    for pause, value, offset, replicas in world:
        now += pause
        driven.signal.missed(MISSING)
        if value is not None:
            driven.signal.observe(Reading(Sample(now + offset, value), newest=None), now)
        decision = driven.decide(now, replicas=replicas)
        assert decision.sentence
        if decision.answer is None or decision.for_keda is None:
            assert decision.basis is Basis.REFUSED
            continue
        for answer in (decision.answer, decision.for_keda):
            assert policy.bounds.minimum <= answer <= policy.bounds.maximum
            assert policy.bounds.gang == 1 or answer % policy.bounds.gang == 0
        raw = min(decision.raw_need or 0.0, policy.bounds.maximum) if decision.is_active else 0.0
        assert min(decision.answer, decision.for_keda) >= raw - 1e-6
        known = decision.signals[0]
        is_blind = known.at is None or abs(now - known.at) > 3 * STEP
        if is_blind and decision.basis is not Basis.WAKING:  # nothing is there to be scaled in
            assert last is None or decision.answer >= last
        last = decision.answer


@settings(max_examples=25)
@given(worlds)
def test_the_same_world_gives_the_same_decisions(
    learned: Learned, world: list[tuple[timedelta, float | None, timedelta, Replicas]]
) -> None:
    def decisions() -> list[Decision]:
        driven, now, made = Driven(a_learning_policy(), stored=learned), START, []
        for pause, value, offset, _ in world:
            now += pause
            made.append(driven.read(now, value, at=now + offset))
        return made

    def shown(made: list[Decision]) -> list[str]:
        return [repr(decision) for decision in made]  # NaN differs from itself, its text does not

    assert shown(decisions()) == shown(decisions())


@settings(max_examples=25)
@given(st.lists(st.floats(1, 1000), min_size=3, max_size=20), st.integers(1, 19))
def test_a_gap_of_any_length_never_lowers_the_answer_before_it(
    learned: Learned, demands: list[float], missing: int
) -> None:
    driven = Driven(a_learning_policy(), stored=learned)
    now = START
    for demand in demands:
        now += STEP
        before = driven.read(now, demand)
    for _ in range(missing):
        now += STEP
        after = driven.read(now, None)
        assert before.answer is not None
        assert after.answer is not None
        assert after.answer >= before.answer
