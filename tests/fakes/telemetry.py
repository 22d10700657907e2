"""What telemetry is told in tests, and a look at what it shows."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np

from agent.fitting.pool import Fitted
from agent.telemetry import Metrics
from forecasters.forecaster import ModelState
from scalers.policy import PolicyKey

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
CHAT = PolicyKey("ml", "chat")


def fitted() -> Fitted:
    """Return a fit that took a quarter of a second."""
    state = ModelState("harmonic", NOW, timedelta(minutes=1), 1.0, {"level": np.zeros(1)})
    return Fitted("ml/chat/demand", "harmonic", state, b"", cpu_seconds=0.25)


def value(metrics: Metrics, name: str, **labels: str) -> float | None:
    """Return a metric of ours by its name without the prefix; None where it has no such series."""
    return metrics.registry.get_sample_value(f"foretide_{name}", labels)
