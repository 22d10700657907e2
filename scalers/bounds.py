"""Bounds and gangs: a need becomes a size that the target may have."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from scalers.policy import Bounds

# A quotient such as 12 / 3 x 3 may land a hair above a whole number; the HPA rounds up, so a hair would cost a replica.
_HAIR = 1e-9


def whole_gangs(replicas: float, gang: int) -> float:
    """Return the smallest number of whole gangs that holds `replicas`; without gangs the fraction stays for the HPA."""
    if gang == 1:
        return replicas
    least = 1 if replicas > 0 else 0  # the smallest demand still takes a gang
    return float(gang * max(least, math.ceil(replicas / gang - _HAIR)))


def in_gangs(replicas: NDArray[np.float64], gang: int) -> NDArray[np.float64]:
    """Return the same of many needs above 0."""
    return replicas if gang == 1 else np.ceil(replicas / gang - _HAIR) * gang


def within(replicas: float, bounds: Bounds) -> float:
    """Return `replicas` moved to the nearest inclusive bound."""
    return float(min(max(replicas, bounds.minimum), bounds.maximum))


def rounded_up(replicas: float) -> int:
    """Return the replicas that the HPA makes of an answer: KEDA rounds to 3 decimals, the HPA then rounds up."""
    return math.ceil(round(replicas, 3) - _HAIR)
