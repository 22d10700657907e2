from __future__ import annotations

import math
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from agent.history.grid import Taken
from agent.signal import Signal
from agent.sources.source import Reading, Sample, SignalState
from forecasters.series import Series
from scalers.decision import Basis
from scalers.policy import SignalPolicy
from scalers.trust import REACTIVE, Trust
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
    driven = Driven(a_policy(models=("harmonic", "last-value"), signals=(_minutely(),)))
    driven.learn(past)
    return driven


def _minutely() -> SignalPolicy:
    return replace(a_policy().signals[0], step=MINUTE)


def test_a_new_signal_knows_no_demand_and_no_instant() -> None:
    known = a_signal().input()
    assert (known.demand, known.at, known.peak, known.is_learning) == (None, None, None, False)


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
    (job,) = driven.signal.jobs(START)
    assert job.measures


def test_a_past_alone_is_no_present(past: Series) -> None:
    driven = Driven(a_policy(models=("harmonic",), signals=(_minutely(),)))
    driven.learn(past)
    assert driven.signal.input().at is None


def test_what_an_earlier_process_took_in_was_fresh_at_its_time(past: Series) -> None:
    driven = Driven(a_policy(models=("last-value",), signals=(_minutely(),)))
    driven.signal.take_up(past)
    known = driven.signal.input()
    assert (known.demand, known.at) == (past.values[-1], past.end)


def test_trust_begins_with_the_record_over_the_history(foreseeing: Driven) -> None:
    rows = {row.model: row for row in foreseeing.signal.trust_rows()}
    assert rows["harmonic"].is_trusted
    assert rows["harmonic"].loss is not None
    assert rows["harmonic"].loss < 0.8
    assert next(iter(foreseeing.signal.trust_rows())).model == "harmonic"


def test_the_first_sample_after_a_past_is_foretold_from(foreseeing: Driven) -> None:
    foreseeing.read(START, daily(START))
    known = foreseeing.signal.input()
    assert known.peak is not None
    assert (known.peak.model, known.peak.origin, known.peak.level) == ("harmonic", START, 0.99)
    assert known.peak.until == START + timedelta(seconds=195)  # 120 start-up, 15 sync, 60 step
    assert known.distrust is None


def test_a_look_ahead_that_has_passed_is_scored(foreseeing: Driven) -> None:
    def kept() -> int:
        return foreseeing.signal.experts["harmonic"].calibration.peak.count

    before = kept()
    for minute in range(31):
        now = START + minute * MINUTE
        foreseeing.read(now, daily(now))
    assert kept() - before == 6  # one per five minutes, and the last look-ahead is under way


def test_a_look_ahead_that_fell_into_a_gap_is_not_scored(foreseeing: Driven) -> None:
    before = foreseeing.signal.stored()["trust"]
    for minute in (0, 1, 10):  # of the three minutes after the first origin one is known
        foreseeing.read(START + minute * MINUTE, daily(START))
    assert foreseeing.signal.stored()["trust"] == before


def test_a_forecast_that_does_worse_than_reacting_is_not_used_and_the_reason_is_told(foreseeing: Driven) -> None:
    foreseeing.signal.trust.replace("harmonic", 13.0, 500)
    foreseeing.signal.trust.replace("last-value", 20.0, 500)
    foreseeing.signal.trust.replace(REACTIVE, 10.0, 500)
    decision = foreseeing.read(START, 120.0)
    assert decision.signals[0].distrust == "its decision loss is 1.30 of reactive"
    assert (decision.basis, decision.answer) == (Basis.REACTIVE, 10.0)


def test_a_forecast_without_a_record_says_how_long_it_is_watched() -> None:
    driven = Driven(a_policy(models=("harmonic",), signals=(_minutely(),)))
    driven.learn(past_of(level(100.0), end=START, span=timedelta(minutes=80), step=MINUTE))
    driven.signal.trust = Trust(step=MINUTE)
    assert driven.read(START, 100.0).signals[0].distrust == "its decisions have not been scored for an hour yet"


def test_coverage_is_told_of_the_trusted_expert_only(foreseeing: Driven) -> None:
    levels = {row.level: row.observed for row in foreseeing.signal.coverage_rows()}
    assert set(levels) == {0.5, 0.8, 0.9, 0.95, 0.99}
    assert 0.97 <= levels[0.99] <= 1.0
    assert a_signal().coverage_rows() == ()


def test_what_is_stored_is_enough_to_go_on(foreseeing: Driven, past: Series) -> None:
    foreseeing.read(START, daily(START))
    policy = foreseeing.decider.policy
    restarted = Driven(policy, stored=foreseeing.signal.stored())
    assert restarted.signal.trust.trusted == "harmonic"
    restarted.signal.take_up(past)
    now = START + MINUTE
    for driven in (foreseeing, restarted):
        driven.signal.observe(reading(now, daily(now)), now)
    running, resumed = foreseeing.signal.input().peak, restarted.signal.input().peak
    assert running is not None
    assert resumed is not None
    assert resumed.value == pytest.approx(running.value, rel=1e-6)


def test_a_damaged_store_is_a_fresh_start() -> None:
    driven = Driven(a_policy(), stored={"trust": b"{", "last-value/state": b"?"})
    assert driven.signal.trust.loss_ratio(REACTIVE) is None
    driven.learn(past_of(daily, end=START, span=timedelta(hours=1)))
    assert driven.signal.experts["last-value"].is_ready


def test_a_fan_is_there_for_people_before_any_expert_is_trusted(past: Series) -> None:
    driven = Driven(a_policy(models=("last-value",)))
    assert driven.signal.fan() is None
    driven.learn(past_of(level(100.0), end=START, span=timedelta(hours=1)))
    fan = driven.signal.fan()
    assert fan is not None
    assert (fan.model, fan.end) == ("last-value", START + timedelta(minutes=59))
