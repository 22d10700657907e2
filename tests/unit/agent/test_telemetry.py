"""The exported metrics: named by the rules, gone with their policy, silent where nothing is known."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from prometheus_client import Metric

from agent.fitting.pool import FitFailed, Fitted
from agent.snapshot import Condition, CoverageRow, PolicySnapshot, TrustRow
from agent.sources.source import SignalState
from agent.telemetry import Telemetry
from forecasters.forecaster import ModelState
from scalers.decision import Basis, Decision, PeakForecast, Replicas, SignalInput
from scalers.keda.limits import Limit
from scalers.policy import Bounds, Mode, PolicyKey, ScalingPolicy, SignalPolicy, WhenUnknown

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
CHAT = PolicyKey("ml", "chat")
LABELS = {
    "namespace", "policy", "signal", "model", "basis", "state", "reason", "outcome",
    "operation", "rpc", "code", "limit", "condition", "status", "version", "certificate", "role",
}  # fmt: skip
UNITS = (
    "_seconds", "_bytes", "_ratio", "_replicas", "_total", "_info",
    "_basis", "_demand", "_peak", "_policies", "_streams", "_role", "_followers",
)  # fmt: skip
OWN_OF_A_FORMAT = {"le"}  # a histogram's bucket


@pytest.fixture
def telemetry() -> Telemetry:
    return Telemetry(version="0.1.0")


@pytest.fixture
def decision() -> Decision:
    peak = PeakForecast("harmonic", NOW - timedelta(seconds=30), NOW, 0.99, 148.0, 130.0, 6.0)
    signal = SignalInput("demand", 12.0, 96.0, NOW - timedelta(seconds=20), "OK", peak, None)
    return Decision(
        key=CHAT,
        at=NOW,
        mode=Mode.SHADOW,
        basis=Basis.FORECAST,
        signals=(signal,),
        replicas=Replicas(existing=9, ready=7),
        look_ahead=timedelta(seconds=150),
        lead_time=timedelta(minutes=2),
        lead_time_from=None,
        raw_need=8.0,
        need=12.3,
        clamps=(),
        answer=12.3,
        for_keda=8.0,
        is_active=True,
        sentence="148 req/s by 12:02 needs 13; one replica serves 12",
    )


@pytest.fixture
def snapshot(decision: Decision) -> PolicySnapshot:
    minute = timedelta(minutes=1)
    policy = ScalingPolicy(
        key=CHAT,
        mode=Mode.SHADOW,
        signals=(SignalPolicy("demand", minute, timedelta(0), minute, 12.0),),
        bounds=Bounds(1, 40),
        risk=0.01,
        lead_time=2 * minute,
        sync=minute,
        tolerance=0.1,
        stabilization=5 * minute,
        activation=0.0,
        when_unknown=WhenUnknown.WAKE,
        stale_forecast=5 * minute,
        stale_data=10 * minute,
        horizon=60 * minute,
        history=timedelta(days=14),
        models=("harmonic",),
    )
    return PolicySnapshot(
        key=CHAT,
        taken_at=NOW,
        policy=policy,
        document={},
        conditions=(
            Condition("Ready", status=True, reason="Deciding", message="", since=NOW),
            Condition("ForecastTrusted", status=None, reason="Learning", message="", since=NOW),
        ),
        decision=decision,
        forecasts={},
        demand={},
        trust=(TrustRow("demand", "harmonic", 0.72, is_trusted=True, note=""),),
        coverage=(CoverageRow("demand", 0.5, 0.51, 400), CoverageRow("demand", 0.99, 0.985, 400)),
        advantages={},
    )


def value(telemetry: Telemetry, name: str, **labels: str) -> float | None:
    return telemetry.registry.get_sample_value(f"foretide_{name}", labels)


def fill(telemetry: Telemetry, decision: Decision, snapshot: PolicySnapshot) -> None:
    """Give every metric at least one series, so that a rule over all of them sees all of them."""
    telemetry.decision_published(decision, NOW)
    telemetry.snapshots_taken([snapshot])
    telemetry.source_read(CHAT, seconds=0.02, warnings=1)
    telemetry.sample_dropped(CHAT, "NotANumber")
    telemetry.fit_finished(CHAT, fitted())
    telemetry.store_failed("append_samples")
    telemetry.rpc_handled("GetMetrics", "OK", 0.001)
    telemetry.stream_opened("StreamIsActive")
    telemetry.certificate_served(expires_at=NOW, authorities_expire_at=NOW)
    telemetry.limit_exceeded(Limit.CALLS)
    telemetry.answered(3.0)
    telemetry.pushed(0.02)
    telemetry.standing_seen("following", silence_seconds=1.5)
    telemetry.followers(2)


def fitted() -> Fitted:
    state = ModelState("harmonic", NOW, timedelta(minutes=1), 1.0, {"level": np.zeros(1)})
    return Fitted("ml/chat/demand", "harmonic", state, b"", cpu_seconds=0.25)


def ours(telemetry: Telemetry) -> list[Metric]:
    return [metric for metric in telemetry.registry.collect() if not metric.name.startswith("process_")]


def test_every_metric_has_the_prefix_a_unit_and_a_sentence(
    telemetry: Telemetry, decision: Decision, snapshot: PolicySnapshot
) -> None:
    fill(telemetry, decision, snapshot)
    for metric in ours(telemetry):
        name = metric.name + ("_total" if metric.type == "counter" else "")
        assert name.startswith("foretide_")
        assert name.endswith(UNITS), name
        assert metric.documentation.endswith("."), name


def test_every_label_is_one_of_the_bounded_ones(
    telemetry: Telemetry, decision: Decision, snapshot: PolicySnapshot
) -> None:
    fill(telemetry, decision, snapshot)
    for metric in ours(telemetry):
        assert metric.samples, f"{metric.name} is not filled by this test"
        for sample in metric.samples:
            assert set(sample.labels) - OWN_OF_A_FORMAT <= LABELS, metric.name


def test_a_decision_shows_need_answer_and_ages(telemetry: Telemetry, decision: Decision) -> None:
    telemetry.decision_published(decision, NOW + timedelta(seconds=1))

    of_policy = {"namespace": "ml", "policy": "chat"}
    assert value(telemetry, "raw_need_replicas", **of_policy) == 8.0
    assert value(telemetry, "need_replicas", **of_policy) == 12.3
    assert value(telemetry, "answer_replicas", **of_policy) == 12.3
    assert value(telemetry, "keda_answer_replicas", **of_policy) == 8.0
    assert value(telemetry, "ready_replicas", **of_policy) == 7
    assert value(telemetry, "demand", **of_policy, signal="demand") == 96.0
    assert value(telemetry, "forecast_peak", **of_policy, signal="demand") == 148.0
    assert value(telemetry, "data_age_seconds", **of_policy, signal="demand") == 21
    assert value(telemetry, "forecast_age_seconds", **of_policy, signal="demand") == 31
    assert value(telemetry, "decision_timestamp_seconds", **of_policy) == NOW.timestamp()


def test_what_is_not_known_any_more_has_no_series(telemetry: Telemetry, decision: Decision) -> None:
    telemetry.decision_published(decision, NOW)
    blind = replace(decision.signals[0], demand=None, at=None, peak=None)
    telemetry.decision_published(
        replace(decision, signals=(blind,), raw_need=None, need=None, answer=None, for_keda=None, replicas=None), NOW
    )

    of_policy = {"namespace": "ml", "policy": "chat"}
    for name in ("raw_need", "need", "answer", "keda_answer", "existing", "ready"):
        assert value(telemetry, f"{name}_replicas", **of_policy) is None
    for name in ("demand", "forecast_peak", "data_age_seconds", "forecast_age_seconds"):
        assert value(telemetry, name, **of_policy, signal="demand") is None


def test_exactly_one_basis_is_set(telemetry: Telemetry, decision: Decision) -> None:
    telemetry.decision_published(decision, NOW)
    telemetry.decision_published(replace(decision, basis=Basis.HELD), NOW)

    shown = {
        basis: value(telemetry, "decision_basis", namespace="ml", policy="chat", basis=basis.value) for basis in Basis
    }
    assert [basis for basis, set_to in shown.items() if set_to == 1] == [Basis.HELD]
    assert value(telemetry, "decisions_total", namespace="ml", policy="chat", basis="forecast") == 1


def test_a_forgotten_policy_leaves_no_series_and_others_stay(
    telemetry: Telemetry, decision: Decision, snapshot: PolicySnapshot
) -> None:
    fill(telemetry, decision, snapshot)
    telemetry.decision_published(replace(decision, key=PolicyKey("ml", "chat-2")), NOW)
    telemetry.forget(CHAT)

    text = telemetry.exposition().decode()
    assert 'policy="chat"' not in text
    assert 'foretide_answer_replicas{namespace="ml",policy="chat-2"} 12.3' in text


def test_trust_coverage_and_conditions_are_shown(telemetry: Telemetry, snapshot: PolicySnapshot) -> None:
    telemetry.snapshots_taken([snapshot, replace(snapshot, key=PolicyKey("ml", "rank"))])

    of_signal = {"namespace": "ml", "policy": "chat", "signal": "demand"}
    assert value(telemetry, "decision_loss_ratio", **of_signal, model="harmonic") == 0.72
    assert value(telemetry, "coverage_ratio", **of_signal) == 0.985
    assert value(telemetry, "risk_ratio", namespace="ml", policy="chat") == 0.01
    assert value(telemetry, "policies", condition="Ready", status="True") == 2
    assert value(telemetry, "policies", condition="ForecastTrusted", status="Unknown") == 2


def test_a_condition_that_no_policy_has_any_more_is_not_counted(telemetry: Telemetry, snapshot: PolicySnapshot) -> None:
    telemetry.snapshots_taken([snapshot])
    telemetry.snapshots_taken([replace(snapshot, conditions=())])

    assert value(telemetry, "policies", condition="Ready", status="True") is None


def test_reads_count_by_state_and_only_asked_sources_have_a_duration(telemetry: Telemetry) -> None:
    telemetry.source_read(CHAT, seconds=0.2)
    telemetry.source_failed(CHAT, SignalState.TIMED_OUT, seconds=10.0)
    telemetry.source_failed(CHAT, SignalState.NOT_CONFIGURED)

    for state in ("OK", "TimedOut", "NotConfigured"):
        assert value(telemetry, "source_reads_total", namespace="ml", policy="chat", state=state) == 1
    assert value(telemetry, "source_read_duration_seconds_count") == 2


def test_what_a_namespace_uses_is_counted_over_its_policies(telemetry: Telemetry, snapshot: PolicySnapshot) -> None:
    rank, shop = PolicyKey("ml", "rank"), PolicyKey("web", "shop")
    telemetry.snapshots_taken([replace(snapshot, key=key) for key in (CHAT, rank, shop)])
    for key in (CHAT, rank, shop):
        telemetry.source_read(key, seconds=0.2)
    for key in (CHAT, rank):
        telemetry.fit_finished(key, fitted())

    used = ("namespace_policies", "namespace_samples_read_total", "namespace_fit_cpu_seconds_total")
    assert [value(telemetry, name, namespace="ml") for name in used] == [2, 2, 0.5]
    assert [value(telemetry, name, namespace="web") for name in used] == [1, 1, None]


def test_a_namespace_without_policies_has_no_series_of_its_usage(
    telemetry: Telemetry, snapshot: PolicySnapshot
) -> None:
    telemetry.snapshots_taken([snapshot])
    telemetry.forget(CHAT)
    telemetry.source_read(CHAT, seconds=0.2)  # under way when the policy went
    telemetry.fit_finished(CHAT, fitted())
    telemetry.snapshots_taken([])

    used = ("namespace_policies", "namespace_samples_read_total", "namespace_fit_cpu_seconds_total")
    assert [value(telemetry, name, namespace="ml") for name in used] == [None, None, None]


def test_fits_count_by_outcome(telemetry: Telemetry) -> None:
    telemetry.fit_finished(CHAT, fitted())
    telemetry.fit_finished(CHAT, FitFailed("ml/chat/demand", "arima", "needs 31 h more history", needs_history=True))
    telemetry.fit_finished(CHAT, FitFailed("ml/chat/demand", "arima", "past the deadline", needs_history=False))

    assert value(telemetry, "fits_total", model="harmonic", outcome="fitted") == 1
    assert value(telemetry, "fits_total", model="arima", outcome="needs_history") == 1
    assert value(telemetry, "fits_total", model="arima", outcome="failed") == 1
    assert value(telemetry, "fit_cpu_seconds_total", model="harmonic") == 0.25


def test_a_method_that_a_caller_makes_up_is_no_label(telemetry: Telemetry) -> None:
    telemetry.rpc_handled("/externalscaler.ExternalScaler/GetMetrics", "OK", 0.001)
    telemetry.rpc_handled("/externalscaler.ExternalScaler/Evil1", "UNIMPLEMENTED", 0.001)
    telemetry.rpc_handled("Evil2", "UNIMPLEMENTED", 0.001)

    assert value(telemetry, "grpc_handled_total", rpc="GetMetrics", code="OK") == 1
    assert value(telemetry, "grpc_handled_total", rpc="other", code="UNIMPLEMENTED") == 2
    assert "Evil" not in telemetry.exposition().decode()


def test_open_streams_are_counted(telemetry: Telemetry) -> None:
    telemetry.stream_opened("StreamIsActive")
    telemetry.stream_opened("StreamIsActive")
    telemetry.stream_closed("StreamIsActive", "CANCELLED")

    assert value(telemetry, "grpc_streams", rpc="StreamIsActive") == 1
    assert value(telemetry, "grpc_handled_total", rpc="StreamIsActive", code="CANCELLED") == 1


def test_without_authorities_of_clients_there_is_no_end_of_theirs(telemetry: Telemetry) -> None:
    telemetry.certificate_served(expires_at=NOW, authorities_expire_at=NOW)
    telemetry.certificate_served(expires_at=NOW, authorities_expire_at=None)

    name = "grpc_certificate_not_after_timestamp_seconds"
    assert value(telemetry, name, certificate="server") == NOW.timestamp()
    assert value(telemetry, name, certificate="client_ca") is None


def test_calls_are_timed_by_method_and_code(telemetry: Telemetry) -> None:
    telemetry.rpc_handled("GetMetrics", "OK", 0.002)
    telemetry.rpc_handled("GetMetrics", "UNAVAILABLE", 0.004)

    assert value(telemetry, "grpc_handling_seconds_sum", rpc="GetMetrics", code="OK") == 0.002
    assert value(telemetry, "grpc_handling_seconds_sum", rpc="GetMetrics", code="UNAVAILABLE") == 0.004


def test_pushes_answers_and_refusals_by_limit_are_told(telemetry: Telemetry) -> None:
    telemetry.pushed(0.02)
    telemetry.standing_seen("following", silence_seconds=1.5)
    telemetry.followers(2)
    telemetry.answered(14.0)
    telemetry.limit_exceeded(Limit.CONNECTION)

    assert value(telemetry, "grpc_push_delay_seconds_bucket", le="0.025") == 1
    assert value(telemetry, "grpc_push_delay_seconds_bucket", le="0.005") == 0
    assert value(telemetry, "grpc_answer_age_seconds_bucket", le="15.0") == 1
    assert value(telemetry, "grpc_limits_exceeded_total", limit="streams_per_connection") == 1


def test_a_failure_of_a_loop_can_be_alerted_on_from_the_first(telemetry: Telemetry) -> None:
    before = value(telemetry, "loop_failures_total")
    telemetry.loop_failed()

    assert (before, value(telemetry, "loop_failures_total")) == (0, 1)


def test_two_agents_in_one_process_do_not_share_numbers(decision: Decision) -> None:
    first, second = Telemetry(version="1"), Telemetry(version="1")
    first.decision_published(decision, NOW)

    assert value(second, "answer_replicas", namespace="ml", policy="chat") is None
