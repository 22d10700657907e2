from datetime import UTC, date, datetime, timedelta

import pytest

from agent.policy import document_json, policy_of, reserved_fields_used, signals_by_name, to_scaling_policy
from scalers.policy import Bounds, Mode, Override, PolicyKey, ScalingPolicy, SignalPolicy, SpecialDays, WhenUnknown
from tests.fakes.policies import document, full_document


def test_decisions_read_what_the_document_says():
    changed = document(
        demand={"prometheus": {"query": "sum(rate(x[90s]))"}, "step": "30s", "delay": "1m"},
        replicas={"min": 4, "max": 8, "gang": 4},
        overrides=full_document()["spec"]["overrides"][:0],
    )
    assert to_scaling_policy(policy_of(changed, origin="here")) == ScalingPolicy(
        key=PolicyKey(namespace="default", name="workload"),
        mode=Mode.ACTIVE,
        signals=(
            SignalPolicy(
                name="demand",
                step=timedelta(seconds=30),
                delay=timedelta(minutes=1),
                window=timedelta(seconds=90),
                capacity=12.0,
                meaning=meaning_of(changed),
            ),
        ),
        bounds=Bounds(minimum=4, maximum=8, gang=4),
        risk=0.01,
        lead_time=timedelta(minutes=2),
        sync=timedelta(seconds=15),
        tolerance=0.1,
        stabilization=timedelta(minutes=5),
        activation=0.0,
        when_unknown=WhenUnknown.WAKE,
        stale_forecast=timedelta(minutes=5),
        stale_data=timedelta(minutes=10),
        horizon=timedelta(hours=1),
        history=timedelta(days=14),
        models=("harmonic",),
        families=("quantile-regression", "hold", "analog", "volatility"),
    )


def test_an_override_keeps_its_times_and_people():
    scaling = to_scaling_policy(policy_of(full_document(), origin="here"))
    assert scaling.overrides == (
        Override(
            replicas=10,
            since=datetime(2026, 3, 2, 8, tzinfo=UTC),
            until=datetime(2026, 3, 2, 20, tzinfo=UTC),
            owner="ml",
            reason="launch",
        ),
    )


def test_a_signal_with_a_capacity_of_its_own_uses_it():
    signals = [
        {"name": "requests", "prometheus": {"query": "x"}},
        {"name": "tokens", "prometheus": {"query": "y"}, "capacity": {"perReplica": "2k"}},
    ]
    policy = policy_of(document(demand=None, signals=signals), origin="here")
    assert [(one.name, one.capacity) for one in to_scaling_policy(policy).signals] == [
        ("requests", 12.0),
        ("tokens", 2000.0),
    ]
    assert list(signals_by_name(policy)) == ["requests", "tokens"]


def test_a_learned_capacity_counts_by_its_initial_value_until_it_is_learned():
    policy = policy_of(document(capacity={"learned": {"initial": 7}}), origin="here")
    assert to_scaling_policy(policy).signals[0].capacity == 7
    assert reserved_fields_used(policy) == ()


def test_the_clock_of_the_demand_is_utc_where_none_is_named():
    assert to_scaling_policy(policy_of(document(), origin="here")).time_zone == "UTC"
    named = policy_of(document(forecast={"timeZone": "America/Argentina/Buenos_Aires"}), origin="here")
    assert to_scaling_policy(named).time_zone == "America/Argentina/Buenos_Aires"


@pytest.mark.parametrize(
    ("entry", "days"),
    [
        ("DE", SpecialDays("DE")),
        ("de-by", SpecialDays("DE", "BY")),
        ("2026-12-24", SpecialDays(spans=((date(2026, 12, 24), date(2026, 12, 24)),))),
        (
            "2026-05-04, 2026-11-27/2026-11-30",
            SpecialDays(spans=((date(2026, 5, 4), date(2026, 5, 4)), (date(2026, 11, 27), date(2026, 11, 30)))),
        ),
        ("12-30/01-01", SpecialDays(spans=((date(2000, 12, 30), date(2001, 1, 1)),), is_yearly=True)),
        ("02-29", SpecialDays(spans=((date(2000, 2, 29), date(2000, 2, 29)),), is_yearly=True)),
    ],
)
def test_an_entry_of_a_calendar_is_a_country_or_days(entry, days):
    policy = policy_of(document(forecast={"calendar": [entry]}), origin="here")
    assert to_scaling_policy(policy).calendar == (days,)
    assert document_json(policy)["spec"]["forecast"]["calendar"] == [entry]
    assert reserved_fields_used(policy) == ()


def test_fields_of_later_versions_are_named_when_used():
    assert reserved_fields_used(policy_of(document(), origin="here")) == ()
    changed = full_document()
    changed["spec"]["scaling"]["actuator"] = "Direct"
    assert reserved_fields_used(policy_of(changed, origin="here")) == (
        "spec.objectives",
        "spec.drain",
        "spec.hints",
        "spec.alerts",
        "spec.scaling.actuator",
    )


def test_kinds_of_demand_of_later_versions_are_named_with_their_place():
    signals = [{"name": "a", "prometheus": {"query": "x"}}, {"name": "b", "queue": {"kind": "Kueue"}}]
    policy = policy_of(document(demand=None, signals=signals), origin="here")
    assert reserved_fields_used(policy) == ("spec.signals[1].queue",)


def test_a_capacity_of_slots_is_what_keeps_the_wait():
    """One slot of a second, exponential: at rate x the share that waits is x, so 10 % may wait at 0.1 a second."""
    concurrency = {"slots": 1, "serviceTime": "1s", "wait": "0s", "kept": "90%", "unitsPerRequest": 200}
    policy = policy_of(document(capacity={"concurrency": concurrency}), origin="here")
    assert to_scaling_policy(policy).signals[0].capacity == pytest.approx(20.0, rel=1e-5)
    assert reserved_fields_used(policy) == ()


def test_a_capacity_of_a_load_test_is_the_throughput_within_the_time():
    """Twice the time at twice the requests from 4 on: the throughput is 4 a second, reached at 2 s with 8 of them."""
    points = [{"concurrency": n, "time": time} for n, time in ((4, "1s"), (8, "2s"), (16, "4s"))]
    policy = policy_of(document(capacity={"loadTest": {"points": points, "within": "2s"}}), origin="here")
    assert to_scaling_policy(policy).signals[0].capacity == pytest.approx(4.0, rel=1e-6)


def test_a_replica_that_warms_up_is_asked_for_earlier():
    policy = to_scaling_policy(policy_of(document(leadTime={"declared": "2m", "warmUp": "3m"}), origin="here"))
    assert policy.lead_time == timedelta(minutes=2)
    assert policy.look_ahead(policy.signals[0]) == timedelta(minutes=5, seconds=30)


def test_another_query_means_another_history_and_another_capacity_does_not() -> None:
    first = meaning_of(document(demand__prometheus__query="sum(a)"))
    assert first != meaning_of(document(demand__prometheus__query="sum(b)"))
    assert first != meaning_of(document(demand__prometheus__query="sum(a)", demand__source="other"))
    assert first == meaning_of(document(demand__prometheus__query="sum(a)", capacity__perReplica=99))


def meaning_of(changed: object) -> str:
    return to_scaling_policy(policy_of(changed, origin="here")).signals[0].meaning
