"""Decisions, trust and conditions as metrics: silent where nothing is known."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from agent.snapshot import PolicySnapshot
from agent.telemetry import Metrics, PolicyTelemetry
from scalers.decision import Basis, Decision
from scalers.policy import PolicyKey
from tests.fakes.telemetry import NOW, value


@pytest.fixture
def telemetry(metrics: Metrics) -> PolicyTelemetry:
    return PolicyTelemetry(metrics)


def test_a_decision_shows_need_answer_and_ages(
    metrics: Metrics, telemetry: PolicyTelemetry, decision: Decision
) -> None:
    telemetry.decision_published(decision, NOW + timedelta(seconds=1))

    of_policy = {"namespace": "ml", "policy": "chat"}
    assert value(metrics, "raw_need_replicas", **of_policy) == 8.0
    assert value(metrics, "need_replicas", **of_policy) == 12.3
    assert value(metrics, "answer_replicas", **of_policy) == 12.3
    assert value(metrics, "keda_answer_replicas", **of_policy) == 8.0
    assert value(metrics, "ready_replicas", **of_policy) == 7
    assert value(metrics, "demand", **of_policy, signal="demand") == 96.0
    assert value(metrics, "forecast_peak", **of_policy, signal="demand") == 148.0
    assert value(metrics, "data_age_seconds", **of_policy, signal="demand") == 21
    assert value(metrics, "forecast_age_seconds", **of_policy, signal="demand") == 31
    assert value(metrics, "decision_timestamp_seconds", **of_policy) == NOW.timestamp()


def test_what_is_not_known_any_more_has_no_series(
    metrics: Metrics, telemetry: PolicyTelemetry, decision: Decision
) -> None:
    telemetry.decision_published(decision, NOW)
    blind = replace(decision.signals[0], demand=None, at=None, peak=None)
    telemetry.decision_published(
        replace(decision, signals=(blind,), raw_need=None, need=None, answer=None, for_keda=None, replicas=None), NOW
    )

    of_policy = {"namespace": "ml", "policy": "chat"}
    for name in ("raw_need", "need", "answer", "keda_answer", "existing", "ready"):
        assert value(metrics, f"{name}_replicas", **of_policy) is None
    for name in ("demand", "forecast_peak", "data_age_seconds", "forecast_age_seconds"):
        assert value(metrics, name, **of_policy, signal="demand") is None


def test_exactly_one_basis_is_set(metrics: Metrics, telemetry: PolicyTelemetry, decision: Decision) -> None:
    telemetry.decision_published(decision, NOW)
    telemetry.decision_published(replace(decision, basis=Basis.HELD), NOW)

    shown = {
        basis: value(metrics, "decision_basis", namespace="ml", policy="chat", basis=basis.value) for basis in Basis
    }
    assert [basis for basis, set_to in shown.items() if set_to == 1] == [Basis.HELD]
    assert value(metrics, "decisions_total", namespace="ml", policy="chat", basis="forecast") == 1


def test_trust_coverage_and_conditions_are_shown(
    metrics: Metrics, telemetry: PolicyTelemetry, snapshot: PolicySnapshot
) -> None:
    telemetry.snapshots_taken([snapshot, replace(snapshot, key=PolicyKey("ml", "rank"))])

    of_signal = {"namespace": "ml", "policy": "chat", "signal": "demand"}
    assert value(metrics, "decision_loss_ratio", **of_signal, model="harmonic") == 0.72
    assert value(metrics, "coverage_ratio", **of_signal) == 0.985
    assert value(metrics, "risk_ratio", namespace="ml", policy="chat") == 0.01
    assert value(metrics, "policies", condition="Ready", status="True") == 2
    assert value(metrics, "policies", condition="ForecastTrusted", status="Unknown") == 2


def test_a_condition_that_no_policy_has_any_more_is_not_counted(
    metrics: Metrics, telemetry: PolicyTelemetry, snapshot: PolicySnapshot
) -> None:
    telemetry.snapshots_taken([snapshot])
    telemetry.snapshots_taken([replace(snapshot, conditions=())])

    assert value(metrics, "policies", condition="Ready", status="True") is None
