from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from scalers.decision import Basis, Clamp, Fall
from scalers.policy import Bounds, Mode, Override, WhenUnknown
from scalers.recommend import recommend
from scalers.situation import Situation
from tests.fakes.situations import NOON, a_policy, a_signal, a_situation


def test_a_trusted_forecast_above_the_demand_is_the_answer() -> None:
    decision = recommend(a_situation(a_signal(115.2, peak=148.0)), a_policy())
    assert decision.basis is Basis.FORECAST
    assert decision.raw_need == pytest.approx(9.6)
    assert decision.answer == pytest.approx(12.3333333)
    assert decision.sentence == "148 by 12:02:30 needs 12.33; one replica serves 12"


def test_a_forecast_below_the_demand_never_undercuts_the_raw_need() -> None:
    decision = recommend(a_situation(a_signal(120.0, peak=60.0)), a_policy())
    assert decision.answer == 10.0
    assert decision.sentence == "120 now needs 10; no more is expected by 12:02:30"


def test_a_distrusted_forecast_leaves_the_raw_need_and_says_why() -> None:
    signal = replace(a_signal(120.0, peak=240.0), distrust="its decision loss is 1.20 of reactive")
    decision = recommend(a_situation(signal), a_policy())
    assert (decision.basis, decision.answer) == (Basis.REACTIVE, 10.0)
    assert decision.sentence == "120 now needs 10; the forecast is not used: its decision loss is 1.20 of reactive"


def test_learning_answers_the_raw_need_and_says_what_is_missing() -> None:
    signal = replace(a_signal(120.0), distrust="needs 31 h more history (41 of 72 h)", is_learning=True)
    situation = a_situation(signal, previous=30.0)
    assert situation.previous is not None
    decision = recommend(replace(situation, previous=replace(situation.previous, foretold_at=None)), a_policy())
    assert (decision.basis, decision.answer) == (Basis.LEARNING, 10.0)
    assert decision.sentence == "120 now needs 10; needs 31 h more history (41 of 72 h); raw need until then"


def test_who_learns_anew_after_a_restart_leaves_the_foretold_answer_standing() -> None:
    signal = replace(a_signal(120.0), distrust="needs 31 h more history (41 of 72 h)", is_learning=True)
    decision = recommend(a_situation(signal, previous=30.0), a_policy())
    assert (decision.basis, decision.answer) == (Basis.HELD, 30.0)


def test_a_missing_forecast_leaves_the_last_answer_standing_for_staleness_forecast() -> None:
    decision = recommend(a_situation(a_signal(60.0), previous=20.0), a_policy())
    assert (decision.basis, decision.answer) == (Basis.HELD, 20.0)
    assert decision.sentence == "the forecast is missing; 20 replicas held, nothing is scaled in"


def test_a_forecast_missing_for_longer_than_staleness_forecast_leaves_the_raw_need() -> None:
    situation = a_situation(a_signal(60.0), previous=20.0)
    assert situation.previous is not None
    situation = replace(situation, previous=replace(situation.previous, foretold_at=NOON - timedelta(minutes=6)))
    assert recommend(situation, a_policy()).answer == 5.0


def test_an_old_sample_holds_the_last_answer() -> None:
    decision = recommend(a_situation(a_signal(60.0, age=timedelta(minutes=4)), previous=20.0), a_policy())
    assert (decision.basis, decision.answer) == (Basis.HELD, 20.0)
    assert decision.sentence == "no samples since 11:56:00; 20 replicas held, nothing is scaled in"


def fallen(demand: float, *, lately: float | None, is_back: bool = False, previous: float = 20.0) -> Situation:
    fall = Fall(NOON - timedelta(minutes=20), NOON + timedelta(minutes=100), before=240.0, is_back=is_back)
    situation = a_situation(replace(a_signal(demand), fall=fall), previous=previous)
    return replace(situation, lately=lately)


def test_demand_that_fell_away_leaves_what_was_answered_before_and_says_what_was_seen() -> None:
    decision = recommend(fallen(0.75, lately=20.0), a_policy(stale_forecast=timedelta(0)))
    assert (decision.basis, decision.need, decision.answer, decision.for_keda) == (Basis.HELD, 0.0625, 20.0, 20.0)
    assert decision.clamps == (Clamp("outage", 0.0625, 20.0, "what was answered before stands until 13:40:00 at most"),)
    assert decision.sentence == (
        "demand fell from 240 to 0.75 at 11:40:00, at once and at no usual time; 20 replicas held, nothing is scaled in"
    )


def test_demand_that_is_back_may_raise_the_held_answer_and_never_lower_it() -> None:
    policy = a_policy(stale_forecast=timedelta(0))
    decision = recommend(fallen(120.0, lately=20.0, is_back=True), policy)
    assert decision.answer == 20.0
    assert decision.sentence == (
        "demand is back, which fell from 240 to near zero at 11:40:00; 20 replicas held, nothing is scaled in"
    )
    more = recommend(fallen(360.0, lately=20.0, is_back=True), policy)
    assert (more.basis, more.answer, more.clamps) == (Basis.REACTIVE, 30.0, ())


def test_an_outage_is_no_idleness() -> None:
    policy = a_policy(bounds=Bounds(0, 40), stale_forecast=timedelta(0))
    decision = recommend(fallen(0.0, lately=20.0), policy)
    assert (decision.answer, decision.is_active) == (20.0, True)


def test_what_an_outage_holds_keeps_to_the_bounds() -> None:
    policy = a_policy(bounds=Bounds(1, 8), stale_forecast=timedelta(0))
    assert recommend(fallen(0.0, lately=20.0), policy).answer == 8.0


def test_an_outage_before_any_answer_holds_nothing() -> None:
    assert recommend(fallen(12.0, lately=None), a_policy(stale_forecast=timedelta(0))).answer == 1.0


def test_in_shadow_and_under_the_kill_switch_keda_gets_the_raw_need_of_an_outage() -> None:
    policy, outage = a_policy(stale_forecast=timedelta(0)), fallen(24.0, lately=20.0)
    shadow = recommend(outage, replace(policy, mode=Mode.SHADOW))
    switched = recommend(replace(outage, is_reactive_only=True), policy)
    assert [(each.answer, each.for_keda) for each in (shadow, switched)] == [(20.0, 2.0)] * 2


def test_data_older_than_staleness_data_is_refused_not_answered() -> None:
    decision = recommend(a_situation(a_signal(60.0, age=timedelta(minutes=11)), previous=20.0), a_policy())
    assert (decision.basis, decision.answer, decision.for_keda) == (Basis.REFUSED, None, None)
    assert decision.sentence == ("no samples since 11:49:00, past staleness.data of 10 min; no answer, KEDA holds")


def test_no_sample_ever_is_refused() -> None:
    decision = recommend(a_situation(replace(a_signal(None), state="Empty")), a_policy())
    assert decision.for_keda is None
    assert decision.sentence == "no sample yet: Empty; no answer, KEDA holds"


def test_a_target_at_zero_with_unknown_demand_is_woken() -> None:
    policy = a_policy(bounds=Bounds(0, 40))
    decision = recommend(a_situation(a_signal(None), replicas=0), policy)
    assert (decision.basis, decision.answer, decision.is_active) == (Basis.WAKING, 1.0, True)


def test_a_target_at_zero_that_should_stay_gets_an_error_not_a_zero() -> None:
    policy = a_policy(bounds=Bounds(0, 40), when_unknown=WhenUnknown.STAY)
    assert recommend(a_situation(a_signal(None), replicas=0), policy).for_keda is None


def test_observed_idleness_scales_to_zero() -> None:
    policy = a_policy(bounds=Bounds(0, 40), activation=0.5)
    decision = recommend(a_situation(a_signal(0.2, peak=0.4)), policy)
    assert (decision.answer, decision.is_active) == (0.0, False)


def test_expected_demand_keeps_an_idle_target_awake() -> None:
    policy = a_policy(bounds=Bounds(0, 40))
    decision = recommend(a_situation(a_signal(0.0, peak=6.0)), policy)
    assert (decision.answer, decision.is_active) == (0.5, True)


@pytest.mark.parametrize(
    "peak", [0.0048, 0.12]
)  # what a fit leaves at a night without demand; a hundredth of a replica
def test_what_a_fit_leaves_of_nothing_keeps_no_target_awake(peak: float) -> None:
    policy = a_policy(bounds=Bounds(0, 40))
    decision = recommend(a_situation(a_signal(0.0, peak=peak)), policy)
    assert (decision.answer, decision.is_active) == (0.0, False)


def test_the_smallest_demand_that_is_there_keeps_a_target_awake() -> None:
    policy = a_policy(bounds=Bounds(0, 40))
    decision = recommend(a_situation(a_signal(0.0048, peak=0.0048)), policy)
    assert (decision.answer, decision.is_active) == (pytest.approx(0.0004), True)


def test_held_data_never_count_as_idleness() -> None:
    policy = a_policy(bounds=Bounds(0, 40))
    decision = recommend(a_situation(a_signal(0.0, age=timedelta(minutes=2)), previous=3.0), policy)
    assert (decision.answer, decision.is_active) == (3.0, True)


def test_shadow_tells_keda_the_raw_need() -> None:
    decision = recommend(a_situation(a_signal(120.0, peak=240.0)), a_policy(mode=Mode.SHADOW))
    assert (decision.answer, decision.for_keda) == (20.0, 10.0)


def test_the_kill_switch_returns_keda_to_the_raw_need() -> None:
    decision = recommend(a_situation(a_signal(120.0, peak=240.0), is_reactive_only=True), a_policy())
    assert (decision.answer, decision.for_keda) == (20.0, 10.0)


def test_where_another_sets_the_replicas_too_keda_gets_the_raw_need_and_the_answer_is_still_told() -> None:
    fought_over = replace(a_situation(a_signal(120.0, peak=240.0)), is_in_conflict=True)
    decision = recommend(fought_over, a_policy())
    assert (decision.answer, decision.for_keda) == (20.0, 10.0)


def test_a_conflict_scales_nothing_in_during_a_rollout_nor_while_data_are_old() -> None:
    rolling = rolled_out(a_situation(a_signal(60.0, peak=60.0), replicas=20, previous=20.0))
    assert recommend(replace(rolling, is_in_conflict=True), a_policy()).for_keda == 20.0
    old = a_situation(a_signal(60.0, age=timedelta(minutes=3)), previous=20.0)
    assert recommend(replace(old, is_in_conflict=True), a_policy()).for_keda == 20.0


def test_an_override_is_a_floor_while_it_lasts() -> None:
    override = Override(25, NOON - timedelta(hours=1), NOON + timedelta(hours=1), owner="ana", reason="launch")
    decision = recommend(a_situation(a_signal(120.0, peak=130.0)), a_policy(overrides=(override,)))
    assert (decision.basis, decision.answer) == (Basis.OVERRIDE, 25.0)
    assert decision.sentence == "at least 25 set by ana: launch; 10.83 needed"
    over = replace(override, until=NOON)
    assert recommend(a_situation(a_signal(120.0, peak=130.0)), a_policy(overrides=(over,))).basis is Basis.FORECAST


def test_gangs_stay_whole() -> None:
    decision = recommend(a_situation(a_signal(115.2, peak=148.0)), a_policy(bounds=Bounds(4, 40, gang=4)))
    assert decision.answer == 16.0
    assert [clamp.name for clamp in decision.clamps] == ["gang"]


def test_the_hpa_is_made_to_act_where_staying_would_be_short() -> None:
    decision = recommend(a_situation(a_signal(122.4, peak=122.4), replicas=10), a_policy(tolerance=0.1))
    assert decision.need == pytest.approx(10.2)
    assert decision.answer == pytest.approx(11.01)


def test_a_forecast_barely_above_what_exists_is_left_inside_the_tolerance() -> None:
    decision = recommend(a_situation(a_signal(100.0, peak=122.4), replicas=10), a_policy(tolerance=0.1))
    assert decision.answer == pytest.approx(10.2)


def test_with_unknown_replicas_the_plain_need_is_the_answer() -> None:
    assert recommend(a_situation(a_signal(122.4, peak=122.4)), a_policy(tolerance=0.1)).answer == pytest.approx(10.2)


def test_the_largest_need_over_all_signals_decides() -> None:
    policy = a_policy()
    policy = replace(policy, signals=(policy.signals[0], replace(policy.signals[0], name="tokens", capacity=100.0)))
    tokens = replace(a_signal(2000.0), name="tokens", capacity=100.0)
    situation = a_situation(a_signal(120.0, peak=130.0))
    decision = recommend(replace(situation, signals=(*situation.signals, tokens)), policy)
    assert decision.answer == 20.0
    assert decision.sentence == "2,000 now needs 20; no more is expected by 12:02:30"


def rolled_out(situation: Situation) -> Situation:
    assert situation.replicas is not None
    return replace(situation, replicas=replace(situation.replicas, is_rolling_out=True))


def test_during_a_rollout_nothing_is_scaled_in_and_the_record_says_so() -> None:
    situation = a_situation(a_signal(60.0, peak=60.0), replicas=20, previous=20.0)
    assert recommend(situation, a_policy()).answer == 5.0
    decision = recommend(rolled_out(situation), a_policy())
    assert (decision.basis, decision.need, decision.answer, decision.for_keda) == (Basis.HELD, 5.0, 20.0, 20.0)
    held = Clamp("rollout", 5.0, 20.0, "the last answer stands until the target is rolled out")
    assert decision.clamps == (held,)
    assert decision.sentence == (
        "60 now needs 5; the target is being rolled out: 20 replicas held, nothing is scaled in"
    )


def test_during_a_rollout_more_is_answered_where_more_is_needed() -> None:
    situation = rolled_out(a_situation(a_signal(240.0, peak=300.0), replicas=20, previous=20.0))
    decision = recommend(situation, a_policy())
    assert (decision.basis, decision.answer, decision.clamps) == (Basis.FORECAST, 25.0, ())


def test_a_target_that_is_idle_is_not_taken_to_zero_in_the_middle_of_a_rollout() -> None:
    situation = rolled_out(a_situation(a_signal(0.0, peak=0.0), replicas=2, previous=2.0))
    decision = recommend(situation, a_policy(bounds=Bounds(0, 40)))
    assert (decision.answer, decision.is_active) == (2.0, True)


def test_what_keda_gets_in_shadow_is_held_during_a_rollout_and_under_the_kill_switch_it_is_the_raw_need() -> None:
    situation = rolled_out(a_situation(a_signal(60.0, peak=60.0), replicas=20, previous=20.0))
    assert recommend(situation, a_policy(mode=Mode.SHADOW)).for_keda == 20.0
    assert recommend(replace(situation, is_reactive_only=True), a_policy()).for_keda == 5.0
