from __future__ import annotations

import math
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from agent.fitting.fit import run_fit
from agent.fitting.pool import FitJob
from agent.fitting.walked import WalkJob
from agent.history.grid import Taken
from agent.signal import Signal
from agent.sources.source import Reading, Sample, SignalState
from forecasters.series import Series
from scalers.decision import Basis, LearnedCapacity
from scalers.policy import SignalPolicy
from tests.fakes.driven import MISSING, STEP, Driven, past_of
from tests.fakes.engine import START, daily, level
from tests.fakes.situations import a_policy

MINUTE = timedelta(minutes=1)


def a_signal(*models: str) -> Signal:
    return Driven(a_policy(models=models or ("last-value",))).signal


def reading(at: datetime, value: float, *, newest: datetime | None = None) -> Reading:
    return Reading(Sample(at, value), newest)


@pytest.fixture(scope="module")
def past() -> Series:
    return past_of(daily, end=START, span=timedelta(days=3), noise=1.0, step=MINUTE)


@pytest.fixture
def foreseeing(past: Series) -> Driven:
    """A signal that has learned three days of a daily load at a step of a minute."""
    driven = Driven(a_policy(models=("harmonic",), families=("quantile-regression", "hold"), signals=(_minutely(),)))
    driven.learn(past)
    return driven


def _minutely() -> SignalPolicy:
    return replace(a_policy().signals[0], step=MINUTE)


def test_a_new_signal_knows_no_demand_and_no_instant() -> None:
    known = a_signal().input()
    assert (known.demand, known.at, known.peak, known.is_learning) == (None, None, None, False)


def test_demand_beyond_belief_says_why_nothing_is_learned_from_it() -> None:
    signal = a_signal()  # 40 replicas of 12
    told = {}
    for minute, demand in enumerate((480_000.0, 480_001.0)):
        at = START + minute * MINUTE
        signal.observe(reading(at, demand), at)
        told[demand] = signal.input().distrust or ""
    assert told[480_000.0].startswith("needs ")
    assert told[480_001.0] == (
        "demand is over 1,000 times what 40 replicas serve: a metric's bug, or a capacity per replica that is far too"
        " small"
    )


def test_the_newest_sample_is_the_demand_of_now() -> None:
    signal = a_signal()
    assert signal.observe(reading(START, 84.0), START) is Taken.ACCEPTED
    known = signal.input()
    assert (known.demand, known.at, known.state) == (84.0, START, "OK")


@pytest.mark.parametrize(
    ("value", "ahead", "state"),
    [
        (math.nan, 0, SignalState.NOT_A_NUMBER),
        (math.inf, 0, SignalState.INFINITE),
        (-1.0, 0, SignalState.NEGATIVE),
        (1.0, 60, SignalState.FROM_THE_FUTURE),
    ],
    ids=["NaN", "infinite", "negative", "future"],
)
def test_a_sample_that_cannot_be_is_named_and_leaves_the_demand_and_its_age(
    value: float, ahead: float, state: SignalState
) -> None:
    signal = a_signal()
    signal.observe(reading(START, 84.0), START)
    now = START + STEP
    at = now + timedelta(seconds=ahead)
    signal.observe(reading(at, value, newest=at), now)
    known = signal.input()
    assert (known.demand, known.at, known.state) == (84.0, START, state)


def test_a_sample_computed_from_old_data_is_not_taken_for_the_present() -> None:
    signal = a_signal()
    signal.observe(reading(START, 84.0, newest=START), START)
    now = START + 4 * STEP
    taken = signal.observe(reading(now, 20.0, newest=START), now)
    known = signal.input()
    assert taken is Taken.TOO_OLD
    assert (known.demand, known.at, known.state) == (84.0, START, "Stale")


def test_a_demand_is_as_old_as_the_data_under_its_query() -> None:
    signal = a_signal()
    signal.observe(reading(START, 84.0, newest=START - 2 * STEP), START)
    assert signal.input().at == START - 2 * STEP


def test_a_late_sample_fills_its_gap_and_makes_the_present_no_older() -> None:
    signal = a_signal()
    signal.observe(reading(START, 84.0), START)
    now = START + 2 * STEP
    signal.observe(reading(now, 90.0), now)
    assert signal.observe(reading(START + STEP, 10.0), now) is Taken.ACCEPTED
    known = signal.input()
    assert (known.demand, known.at) == (90.0, now)


def test_a_source_that_gives_nothing_changes_the_state_only() -> None:
    signal = a_signal()
    signal.observe(reading(START, 84.0), START)
    signal.missed(MISSING)
    known = signal.input()
    assert (known.demand, known.at, known.state) == (84.0, START, "Empty")


def test_more_past_is_fitted_at_once(past: Series) -> None:
    driven = Driven(a_policy(models=("harmonic",), signals=(_minutely(),)))
    driven.learn(past.between(START - timedelta(hours=3), START))
    assert driven.signal.jobs(START) == []
    driven.signal.take_past(fine=past)
    fit, walk = driven.signal.jobs(START)
    assert isinstance(fit, FitJob)
    assert fit.measures
    assert isinstance(walk, WalkJob)
    assert walk.fine is not None


def test_a_past_alone_is_no_present(past: Series) -> None:
    driven = Driven(a_policy(models=("harmonic",), signals=(_minutely(),)))
    driven.learn(past)
    assert driven.signal.input().at is None


def test_what_an_earlier_process_took_in_was_fresh_at_its_time(past: Series) -> None:
    driven = Driven(a_policy(models=("last-value",), signals=(_minutely(),)))
    driven.signal.take_up(past)
    known = driven.signal.input()
    assert (known.demand, known.at) == (past.values[-1], past.end)


def test_records_begin_with_what_the_history_teaches(foreseeing: Driven) -> None:
    rows = {row.model: row for row in foreseeing.signal.trust_rows()}
    assert set(rows) == {"reactive", "quantile-regression", "hold", "harmonic"}
    assert rows["quantile-regression"].is_trusted
    assert rows["quantile-regression"].loss is not None
    assert rows["quantile-regression"].loss < 1.0  # fewer replicas than reactive scaling that keeps the risk
    assert rows["quantile-regression"].note.startswith("quantile-0.")


def test_what_the_answering_expert_buys_is_told_in_figures(foreseeing: Driven) -> None:
    known = foreseeing.signal.advantage()
    assert known is not None
    assert (known.family, known.is_reactive, known.keeps_risk) == ("quantile-regression", False, True)
    assert known.since == START - MINUTE  # the newest sample of the past that it was chosen by
    assert known.own.short <= 0.01
    assert known.reactive is not None
    assert known.reactive.expert.startswith("reactive at ")
    rows = {row.model: row for row in foreseeing.signal.trust_rows()}
    assert known.own.paid / known.reactive.paid == pytest.approx(rows["quantile-regression"].loss)


def test_who_answers_since_when_outlives_a_restart(foreseeing: Driven, past: Series) -> None:
    known = foreseeing.signal.advantage()
    restarted = Driven(foreseeing.decider.policy, stored=foreseeing.signal.stored())
    restarted.signal.take_up(past)
    restarted.read(START, daily(START))
    resumed = restarted.signal.advantage()
    assert known is not None
    assert resumed is not None
    assert (resumed.own.expert, resumed.since) == (known.own.expert, known.since)


def test_the_first_sample_after_a_past_is_foretold_from(foreseeing: Driven) -> None:
    foreseeing.read(START, daily(START))
    known = foreseeing.signal.input()
    assert known.peak is not None
    assert (known.peak.origin, known.peak.level) == (START, 0.99)
    assert known.peak.until == START + timedelta(seconds=195)  # 120 start-up, 15 sync, 60 step
    assert known.peak.value >= daily(START)
    assert known.distrust is None


def test_a_look_ahead_that_has_passed_is_scored(foreseeing: Driven) -> None:
    before = {row.level: row.count for row in foreseeing.signal.coverage_rows()}
    for minute in range(31):
        now = START + minute * MINUTE
        foreseeing.read(now, daily(now))
    after = {row.level: row.count for row in foreseeing.signal.coverage_rows()}
    assert set(after) == {0.5, 0.8, 0.9, 0.95, 0.98}
    assert after[0.9] - before.get(0.9, 0) == 25  # of 31 the look-aheads of the last are under way


def test_what_was_foretold_across_a_gap_is_not_scored(foreseeing: Driven) -> None:
    for minute in (0, 1, 2, 20, 21, 22):
        foreseeing.read(START + minute * MINUTE, daily(START))
    assert foreseeing.signal.coverage_rows() == ()


def test_a_policy_that_allows_no_forecast_reacts_with_the_margin_that_keeps_the_risk(past: Series) -> None:
    driven = Driven(a_policy(models=(), families=(), signals=(_minutely(),)))
    driven.learn(past)
    decision = driven.read(START, 120.0)
    assert decision.basis is Basis.REACTIVE
    assert decision.signals[0].peak is not None
    assert decision.signals[0].peak.is_reactive
    assert decision.answer is not None
    assert 10.0 <= decision.answer < 15.0
    assert "no forecast would have cost less" in decision.sentence


def test_what_is_stored_is_enough_to_go_on(foreseeing: Driven, past: Series) -> None:
    foreseeing.read(START, daily(START))
    policy = foreseeing.decider.policy
    restarted = Driven(policy, stored=foreseeing.signal.stored())
    restarted.signal.take_up(past)
    now = START + MINUTE
    for driven in (foreseeing, restarted):
        driven.signal.observe(reading(now, daily(now)), now)
    running, resumed = foreseeing.signal.input().peak, restarted.signal.input().peak
    assert running is not None
    assert resumed is not None
    assert resumed.value == pytest.approx(running.value, rel=1e-2)  # but for the half hour that holds remember


def test_a_damaged_store_is_a_fresh_start() -> None:
    driven = Driven(a_policy(), stored={"peaks/contest": b"{", "last-value/state": b"?"})
    assert driven.signal.trust_rows() == ()
    driven.learn(past_of(daily, end=START, span=timedelta(hours=1)))
    assert driven.signal.experts["last-value"].stored()


def test_a_fan_is_there_for_people_before_any_expert_is_trusted(past: Series) -> None:
    driven = Driven(a_policy(models=("last-value",)))
    assert driven.signal.fan() is None
    driven.learn(past_of(level(100.0), end=START, span=timedelta(hours=1)))
    fan = driven.signal.fan()
    assert fan is not None
    assert (fan.model, fan.end) == ("last-value", START + timedelta(minutes=59))


def learned(capacity: float, *, at: datetime = START) -> LearnedCapacity:
    return LearnedCapacity(at, capacity, 12.0, capacity, 1.1 * capacity, 0.9, 400.0, "learned")


def test_a_learned_capacity_counts_at_once_and_those_who_answer_go_on_until_records_are_there_again(
    past: Series,
) -> None:
    driven = Driven(a_policy(models=(), families=("hold",), signals=(_minutely(),)))
    driven.learn(past)
    before = driven.read(START, daily(START))
    driven.decider.take_capacity("demand", learned(6.0))
    at_once = driven.decider.decide(START, replicas=None)
    simulated = driven.signal.peaks.capacity
    driven.fit(START)
    later = driven.read(START + MINUTE, daily(START + MINUTE))

    assert before.raw_need is not None
    assert at_once.raw_need == pytest.approx(2.0 * before.raw_need)
    assert at_once.signals[0].learned == learned(6.0)
    assert simulated == 12.0  # those of before answer
    assert (before.signals[0].peak, at_once.signals[0].peak, later.signals[0].peak).count(None) == 0
    assert driven.signal.peaks.capacity == 6.0
    assert later.need == pytest.approx(2.0 * (before.need or 0.0), rel=0.15)
    assert driven.decider.policy.signals[0].capacity == 6.0


def test_a_walk_that_was_asked_for_under_another_capacity_is_not_taken_in(past: Series) -> None:
    driven = Driven(a_policy(models=(), families=("hold",), signals=(_minutely(),)))
    driven.signal.take_past(fine=past)
    (under_way,) = driven.decider.jobs(START)
    driven.decider.take_capacity("demand", learned(6.0))
    driven.decider.accept(run_fit(under_way), START)
    assert not driven.signal.peaks.is_choosing

    (job,) = driven.decider.jobs(START)
    driven.decider.accept(run_fit(job), START)
    assert driven.signal.peaks.is_choosing
    assert driven.signal.peaks.capacity == 6.0


def test_records_are_restored_under_the_capacity_that_they_were_made_with(past: Series) -> None:
    policy = a_policy(models=(), families=("hold",), signals=(_minutely(),))
    driven = Driven(policy)
    driven.decider.take_capacity("demand", learned(6.0))
    driven.learn(past)
    driven.read(START, daily(START))
    restarted = Driven(policy)
    restarted.decider.restore_capacity("demand", learned(6.0))
    restarted.signal.restore(driven.signal.stored())
    restarted.read(START + MINUTE, daily(START + MINUTE))

    assert restarted.signal.peaks.capacity == 6.0
    assert restarted.signal.peaks.is_choosing
