"""A decision and a picture of its policy, as telemetry is told of them."""

from __future__ import annotations

from datetime import timedelta

import pytest

from agent.snapshot import Condition, CoverageRow, PolicySnapshot, TrustRow
from agent.telemetry import Metrics
from scalers.decision import Basis, Decision, PeakForecast, Replicas, SignalInput
from scalers.policy import Bounds, Mode, ScalingPolicy, SignalPolicy, WhenUnknown
from tests.fakes.telemetry import CHAT, NOW


@pytest.fixture
def metrics() -> Metrics:
    return Metrics()


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
