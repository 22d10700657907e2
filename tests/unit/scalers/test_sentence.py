from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scalers.decision import Decision, SignalInput
from scalers.policy import Bounds, Override, SignalPolicy
from scalers.recommend import recommend
from scalers.sentence import clock, number, span
from tests.fakes.situations import NOON, a_policy, a_signal, a_situation


def decided(*signals: SignalInput, previous: float | None = None, **policy: object) -> Decision:
    """Return what is decided of one or two signals."""
    changes = dict(policy)
    if len(signals) > 1:
        changes["signals"] = tuple(
            SignalPolicy(known.name, timedelta(seconds=15), timedelta(0), timedelta(0), known.capacity)
            for known in signals
        )
    situation = a_situation(signals[0], previous=previous)
    return recommend(replace(situation, signals=signals), a_policy(**changes))


@pytest.mark.parametrize(
    ("value", "written"),
    [(0.0, "0"), (-0.0, "0"), (100.0, "100"), (1234567.891, "1,234,567.89"), (10.2, "10.2"), (0.004567, "0.0046"),
     (0.01, "0.01"), (999.999, "1,000"), (1e-9, "1e-09")],
)  # fmt: skip
def test_numbers_are_written_as_people_write_them(value: float, written: str) -> None:
    assert number(value) == written


@given(st.floats(0.01, 1e12))
def test_a_written_number_is_the_number_to_two_decimals(value: float) -> None:
    assert abs(float(number(value).replace(",", "")) - value) <= 0.005 + 1e-12 * value


@pytest.mark.parametrize(
    ("seconds", "written"),
    [(0, "0 s"), (0.4, "0 s"), (45, "45 s"), (130, "2 min 10 s"), (600, "10 min"), (5400, "1 h 30 min"),
     (90061, "1 d 1 h")],
)  # fmt: skip
def test_spans_are_written_in_their_two_largest_units(seconds: float, written: str) -> None:
    assert span(timedelta(seconds=seconds)) == written


def test_an_instant_of_another_day_is_written_with_its_day() -> None:
    assert clock(NOON, now=NOON + timedelta(hours=1)) == "12:00:00"
    assert clock(datetime(2026, 3, 1, 23, 59, 30, tzinfo=UTC), now=NOON) == "01 Mar 23:59"


def test_a_foretold_need_names_the_demand_its_time_and_the_capacity() -> None:
    assert decided(a_signal(60.0, peak=120.0)).sentence == "120 by 12:02:30 needs 10; one replica serves 12"


def test_a_forecast_that_rises_no_further_says_so() -> None:
    decision = decided(a_signal(60.0, peak=48.0))
    assert decision.sentence == "60 now needs 5; no more is expected by 12:02:30"


def test_a_clamp_that_changes_the_whole_replicas_is_named() -> None:
    decision = decided(a_signal(60.0, peak=120.0), bounds=Bounds(1, 8))
    assert decision.sentence == "120 by 12:02:30 needs 10; one replica serves 12; bounds: 8"


def test_a_distrusted_forecast_says_why_it_is_not_used() -> None:
    signal = replace(a_signal(60.0, peak=120.0), distrust="its decision loss is 1.30 of reactive")
    said = "60 now needs 5; the forecast is not used: its decision loss is 1.30 of reactive"
    assert decided(signal).sentence == said


def test_a_young_policy_says_what_it_waits_for() -> None:
    signal = replace(a_signal(60.0), distrust="needs 31 h more history (41 of 72 h)", is_learning=True)
    assert decided(signal).sentence == "60 now needs 5; needs 31 h more history (41 of 72 h); raw need until then"


def test_an_override_names_its_owner_and_what_would_be_needed_without() -> None:
    launch = Override(10, NOON - timedelta(hours=1), NOON + timedelta(hours=1), "ml", "launch")
    assert decided(a_signal(60.0), overrides=(launch,)).sentence == "at least 10 set by ml: launch; 5 needed"


def test_of_several_signals_the_one_that_asks_for_most_is_spoken_of() -> None:
    tokens = SignalInput("tokens", 1000.0, 9000.0, NOON, "OK", None, None)
    assert decided(a_signal(60.0), tokens).sentence.startswith("9,000 now needs 9")


def test_of_several_signals_the_one_that_is_missing_is_named_with_its_state() -> None:
    old = replace(a_signal(60.0, age=timedelta(minutes=4)), name="tokens", state="TimedOut")
    decision = decided(a_signal(60.0), old, previous=7.0)
    said = "no samples since 11:56:00 of tokens (TimedOut); 7 replicas held, nothing is scaled in"
    assert decision.sentence == said


def test_a_refusal_for_want_of_any_sample_speaks_of_no_staleness() -> None:
    never = replace(a_signal(None), name="tokens", state="BadQuery")
    decision = decided(a_signal(60.0), never)
    assert decision.sentence == "no sample yet of tokens: BadQuery; no answer, KEDA holds"


def test_a_refusal_after_an_outage_names_the_limit_it_passed() -> None:
    decision = decided(a_signal(60.0, age=timedelta(minutes=11)), previous=7.0)
    assert decision.sentence == "no samples since 11:49:00, past staleness.data of 10 min; no answer, KEDA holds"
