"""What a ScaledJob may start jobs for: items that are there now. A forecast would start jobs with nothing to do."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from scalers.decision import Decision
from scalers.policy import ScalingPolicy
from scalers.recommend import fresh_for


@dataclass(frozen=True, slots=True)
class JobsWanted:
    """Jobs for the items that were counted last."""

    jobs: float  # items over what one job takes, the largest of the signals; fractional, unclamped
    valid_for: timedelta  # from the decision, until the oldest count is no longer the present


def jobs_wanted(decision: Decision, policy: ScalingPolicy) -> JobsWanted | None:
    """Return the jobs for the demand as it was observed, None where a signal's newest sample is not fresh.

    Neither forecast nor bounds, gangs, overrides or a held answer take part: KEDA has the ScaledJob's own bounds, and
    an old count would start jobs anew for items that others have taken meanwhile. Demand up to the activation is none.
    """
    jobs, left = 0.0, timedelta.max
    for known, signal in zip(decision.signals, policy.signals, strict=True):
        if known.demand is None or known.at is None:
            return None
        left = min(left, fresh_for(signal) - abs(decision.at - known.at))
        if known.demand > policy.activation:
            jobs = max(jobs, known.demand / known.capacity)
    return JobsWanted(jobs, left) if left >= timedelta(0) else None
