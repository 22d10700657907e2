from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from types import MappingProxyType

from agent.conditions import conditions
from agent.snapshot import Condition
from agent.surroundings import Conflict, Surroundings
from forecasters.ceiling import Ceiling
from scalers.advantage import Account, Advantage
from scalers.decision import Decision, Fall, SignalInput
from scalers.policy import Mode, ScalingPolicy
from scalers.recommend import recommend
from tests.fakes.situations import NOON, a_policy, a_signal, a_situation

CHAT = a_policy()


def decided(signal: SignalInput, policy: ScalingPolicy = CHAT) -> Decision:
    return recommend(a_situation(signal), policy)


def found(
    decision: Decision,
    *,
    policy: ScalingPolicy = CHAT,
    mends: dict[str, str] | None = None,
    warnings: tuple[str, ...] = (),
    reserved: tuple[str, ...] = (),
    advantages: Mapping[str, Advantage] = MappingProxyType({}),
    before: tuple[Condition, ...] = (),
    around: Surroundings | None = None,
) -> dict[str, Condition]:
    made = conditions(
        decision,
        policy,
        mends=mends or {},
        warnings=warnings,
        reserved=reserved,
        advantages=advantages,
        before=before,
        around=around,
    )
    return {condition.type: condition for condition in made}


def said(condition: Condition) -> tuple[bool | None, str, str]:
    return condition.status, condition.reason, condition.message


def test_a_policy_that_answers_by_a_trusted_forecast_has_nothing_to_complain_about() -> None:
    shown = found(decided(a_signal(60.0, peak=120.0)))
    assert list(shown) == ["Ready", "DataFresh", "ForecastTrusted", "TriggerInShadow"]
    assert said(shown["Ready"]) == (True, "Answering", "120 by 12:02:30 needs 10; one replica serves 12")
    assert said(shown["DataFresh"]) == (True, "Fresh", "samples arrive")
    assert said(shown["ForecastTrusted"]) == (True, "Trusted", "harmonic answers")
    assert said(shown["TriggerInShadow"]) == (False, "Active", "KEDA gets the answer")


def test_trust_says_since_when_and_what_it_buys() -> None:
    own, reactive = Account("harmonic at 77%", 8.1, 0.004), Account("reactive at 55%", 9.6, 0.006)
    since = NOON - timedelta(minutes=26)
    bought = Advantage(own, "harmonic", False, True, since, timedelta(days=6), reactive)
    shown = found(decided(a_signal(60.0, peak=120.0)), advantages={"demand": bought})
    assert said(shown["ForecastTrusted"]) == (
        True,
        "Trusted",
        "harmonic at 77% answers since 11:34:00; in the simulation of the last 6 d it took 8.1 replicas where "
        "reactive at 55% takes 9.6 (16 % fewer); short 0.4 % of the time, that one 0.6 %, risk 1 %",
    )


def test_a_refusal_is_not_ready_and_says_why() -> None:
    shown = found(decided(replace(a_signal(None), state="BadQuery")), mends={"demand": "parse error; mend the query"})
    assert said(shown["Ready"]) == (False, "NoAnswer", "no sample yet: BadQuery; no answer, KEDA holds")
    assert said(shown["DataFresh"]) == (False, "BadQuery", "parse error; mend the query")


def test_data_that_are_merely_old_say_since_when() -> None:
    stale = replace(a_signal(60.0, age=timedelta(minutes=2)), state="Stale")
    assert said(found(decided(stale))["DataFresh"]) == (False, "Stale", "no samples since 11:58:00")


def test_a_policy_that_has_just_begun_says_that_there_is_no_sample_yet() -> None:
    assert said(found(decided(a_signal(None)))["DataFresh"]) == (False, "NoSampleYet", "no sample yet")


def test_what_a_source_says_beside_its_samples_is_shown() -> None:
    shown = found(decided(a_signal(60.0)), warnings=("one store did not answer",))
    assert said(shown["DataFresh"]) == (True, "Fresh", "samples arrive; the source warns: one store did not answer")


def test_demand_that_fell_away_says_since_when_what_to_look_at_and_when_it_is_believed() -> None:
    fall = Fall(NOON - timedelta(minutes=20), NOON + timedelta(minutes=100), before=240.0, is_back=False)
    gone = found(decided(replace(a_signal(0.0), fall=fall)))["DataFresh"]
    assert said(gone) == (
        False,
        "DemandFell",
        "demand fell from 240 to 0 at 11:40:00, at once and at no usual time: see whether what calls the service is up"
        " and whether the query still matches; the answer is not lowered until 13:40:00 at most, then it is the new"
        " load",
    )
    back = replace(fall, until=NOON + timedelta(minutes=4), is_back=True)
    assert said(found(decided(replace(a_signal(240.0), fall=back)))["DataFresh"]) == (
        False,
        "DemandIsBack",
        "demand is back, which fell from 240 to near zero at 11:40:00; retries may follow: the answer is not lowered"
        " until 12:04:00",
    )


def test_demand_pinned_at_a_ceiling_says_where_and_which_metric_would_tell_more() -> None:
    hour = timedelta(hours=1)
    ceiling = Ceiling(120.0, plateaus=3, total=5 * hour, longest=2 * hour, since=NOON - 3 * hour)
    assert said(found(decided(replace(a_signal(120.0), ceiling=ceiling)))["DataFresh"]) == (
        True,
        "AtCeiling",
        "samples arrive; demand rises to 120, 10 replicas' worth, and stays there: 3 times, the longest 2 h from"
        " 09:00:00; more may have been asked for than was served: use a metric of what arrives, queued and refused"
        " included",
    )


def test_a_young_policy_says_what_its_forecast_waits_for() -> None:
    young = replace(a_signal(60.0), distrust="needs 31 h more history (41 of 72 h)", is_learning=True)
    status, reason, message = said(found(decided(young))["ForecastTrusted"])
    assert (status, reason) == (False, "Learning")
    assert "needs 31 h more history" in message


def test_a_distrusted_forecast_says_why() -> None:
    signal = replace(a_signal(60.0, peak=120.0), distrust="its decision loss is 1.30 of reactive")
    shown = found(decided(signal))["ForecastTrusted"]
    assert said(shown) == (False, "NotTrusted", "its decision loss is 1.30 of reactive")


def test_fields_that_are_not_acted_on_are_named() -> None:
    shown = found(decided(a_signal(60.0)), reserved=("spec.hints", "spec.drain"))["Ready"]
    assert said(shown) == (True, "ReservedFields", "not acted on in this version: spec.hints, spec.drain")


def test_in_shadow_nobody_knows_whether_a_trigger_names_the_policy() -> None:
    policy = a_policy(mode=Mode.SHADOW)
    shown = found(decided(a_signal(60.0), policy), policy=policy)["TriggerInShadow"]
    assert said(shown) == (None, "Shadow", "a trigger that names this policy gets the raw need")


SHADOW = a_policy(mode=Mode.SHADOW)


def test_a_trigger_that_names_a_policy_in_shadow_is_told_with_its_scaled_object() -> None:
    shown = found(decided(a_signal(60.0), SHADOW), policy=SHADOW, around=Surroundings((), ("ml/chat",)))
    assert said(shown["TriggerInShadow"]) == (
        True,
        "NamedByTrigger",
        "ScaledObject ml/chat names this policy, and gets the raw need: set spec.mode to Active, or take the trigger"
        " away",
    )


def test_an_active_policy_that_nothing_names_says_which_trigger_is_missing() -> None:
    shown = found(decided(a_signal(60.0)), around=Surroundings((), ()))
    assert said(shown["TriggerInShadow"]) == (
        False,
        "NoTrigger",
        "no ScaledObject names this policy, so KEDA does not ask: add a trigger with policy: chat",
    )
    unseen = found(decided(a_signal(60.0)), around=Surroundings((), (), unseen="let it list ScaledObjects"))
    for around in (found(decided(a_signal(60.0)), around=Surroundings((), ("ml/chat",))), unseen):
        assert said(around["TriggerInShadow"]) == (False, "Active", "KEDA gets the answer")


def test_a_policy_in_shadow_that_nothing_names_changes_nothing() -> None:
    shown = found(decided(a_signal(60.0), SHADOW), policy=SHADOW, around=Surroundings((), ()))
    assert said(shown["TriggerInShadow"]) == (
        False,
        "NoTrigger",
        "no ScaledObject names this policy: nothing is changed",
    )


def test_conflicts_are_told_together_and_what_is_answered_where_two_fight() -> None:
    fight, bound = Conflict("TwoScalers", "HPA a", "delete it"), Conflict("MaxReplicasBelowNeed", "max", "raise it")
    shown = found(decided(a_signal(60.0)), around=Surroundings((fight, bound), ("ml/chat",)))
    assert said(shown["Conflict"]) == (
        True,
        "TwoScalers",
        "HPA a: delete it; max: raise it; the raw need is answered meanwhile",
    )
    alone = found(decided(a_signal(60.0)), around=Surroundings((bound,), ("ml/chat",)))
    assert said(alone["Conflict"]) == (True, "MaxReplicasBelowNeed", "max: raise it")


def test_what_may_not_be_looked_at_is_unknown_and_not_well() -> None:
    shown = found(decided(a_signal(60.0)), around=Surroundings((), (), unseen="let it list HPAs"))
    assert said(shown["Conflict"]) == (None, "NotSeen", "let it list HPAs")
    assert said(found(decided(a_signal(60.0)), around=Surroundings((), ()))["Conflict"]) == (
        False,
        "NoneFound",
        "nothing else was found that acts on the target",
    )


def test_a_condition_keeps_its_instant_until_its_status_or_reason_changes() -> None:
    before = tuple(found(decided(a_signal(60.0))).values())
    later = NOON + timedelta(minutes=1)
    other = replace(decided(a_signal(72.0, peak=144.0)), at=later)
    shown = found(other, before=before)
    assert (shown["Ready"].since, shown["Ready"].message) == (NOON, "144 by 12:02:30 needs 12; one replica serves 12")
    assert (shown["ForecastTrusted"].since, shown["ForecastTrusted"].reason) == (later, "Trusted")
