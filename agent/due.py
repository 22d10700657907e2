"""When a policy is decided: at every grid point of its step, each policy a little after it, always as much."""

from __future__ import annotations

from datetime import datetime, timedelta
from zlib import crc32

from forecasters.series import grid_index, grid_instant
from scalers.policy import ScalingPolicy

# Policies are asked spread over this share of their step, so that a source never meets them all at once.
_SPREAD = 0.2


def next_due(policy: ScalingPolicy, now: datetime) -> datetime:
    """Return the next grid point at which a policy is decided."""
    step = min(signal.step for signal in policy.signals)
    return grid_instant(grid_index(now, step) + 1, step)


def phase_of(policy: ScalingPolicy) -> timedelta:
    """Return how long after its grid point a policy is asked for; the same in every process."""
    step = min(signal.step for signal in policy.signals)
    return step * _SPREAD * (crc32(str(policy.key).encode()) / 2**32)
