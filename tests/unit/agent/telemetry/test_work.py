"""Reads of sources and fits as metrics, by what came of them."""

from __future__ import annotations

import pytest

from agent.fitting.pool import FitFailed
from agent.sources.source import SignalState
from agent.telemetry import Metrics, WorkTelemetry
from tests.fakes.telemetry import CHAT, fitted, value


@pytest.fixture
def telemetry(metrics: Metrics) -> WorkTelemetry:
    return WorkTelemetry(metrics)


def test_reads_count_by_state_and_only_asked_sources_have_a_duration(
    metrics: Metrics, telemetry: WorkTelemetry
) -> None:
    telemetry.source_read(CHAT, seconds=0.2)
    telemetry.source_failed(CHAT, SignalState.TIMED_OUT, seconds=10.0)
    telemetry.source_failed(CHAT, SignalState.NOT_CONFIGURED)

    for state in ("OK", "TimedOut", "NotConfigured"):
        assert value(metrics, "source_reads_total", namespace="ml", policy="chat", state=state) == 1
    assert value(metrics, "source_read_duration_seconds_count") == 2


def test_fits_count_by_outcome(metrics: Metrics, telemetry: WorkTelemetry) -> None:
    telemetry.fit_finished(CHAT, fitted())
    telemetry.fit_finished(CHAT, FitFailed("ml/chat/demand", "arima", "needs 31 h more history", needs_history=True))
    telemetry.fit_finished(CHAT, FitFailed("ml/chat/demand", "arima", "past the deadline", needs_history=False))

    assert value(metrics, "fits_total", model="harmonic", outcome="fitted") == 1
    assert value(metrics, "fits_total", model="arima", outcome="needs_history") == 1
    assert value(metrics, "fits_total", model="arima", outcome="failed") == 1
    assert value(metrics, "fit_cpu_seconds_total", model="harmonic") == 0.25
