"""What metric values propose to an HPA, as far as that does not depend on the pods that are there.

Mirrors `GetExternalPerPodMetricReplicas` of kubernetes pkg/controller/podautoscaler/replica_calculator.go. Its test of
the tolerance, value over replicas, is turned round: for each value, the replicas that it finds within the tolerance.
All of it can so be worked out for many steps at once, before the first of them is taken.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scalers.hpa_rules import MOST_REPLICAS, HpaRules

A_HAIR = 1e-9  # a quotient a rounding error above a whole number asks for no replica more, and is inside a tolerance


@dataclass(frozen=True, slots=True, eq=False)
class Proposals:
    """What each of some metric values proposes; all arrays have the values' shape."""

    replicas: NDArray[np.int16]  # where the HPA acts, within its bounds
    least: NDArray[np.int16]  # from so many replicas up
    most: NDArray[np.int16]  # to so many, it leaves them as they are
    failed: NDArray[np.bool_] | None  # reads that failed; None where none did

    @classmethod
    def of(cls, values: NDArray[np.float64], rules: HpaRules) -> Proposals:
        """Return what metric values propose.

        Args:
            values: of an external metric with target 1, not below 0; NaN is a failed read, which holds the replicas.
            rules: of the HPA.
        """
        failed = np.isnan(values)
        values = np.minimum(values, 2.0 * rules.maximum)  # far above the bound is past any tolerance
        if rules.is_rounded:
            values = np.rint(values * 1000.0) / 1000.0
        inside = 1 - rules.tolerance_down - A_HAIR
        least = np.ceil(values / (1 + rules.tolerance_up + A_HAIR))
        most = np.floor(values / inside) if inside > 0 else np.full(values.shape, np.inf)
        asked = np.clip(np.ceil(values - A_HAIR), rules.minimum, rules.maximum)
        if not failed.any():
            return cls(as_pods(asked), as_pods(least), as_pods(most), None)
        held = ((asked, 0.0), (least, 0.0), (most, np.inf))
        asked, least, most = (np.where(failed, value, part) for part, value in held)
        return cls(as_pods(asked), as_pods(least), as_pods(most), failed)

    def repeated(self, count: int) -> Proposals:
        """Return each so many times, side by side along the last axis."""
        failed = None if self.failed is None else np.repeat(self.failed, count, axis=-1)
        replicas, least, most = (np.repeat(part, count, axis=-1) for part in (self.replicas, self.least, self.most))
        return Proposals(replicas, least, most, failed)

    def at(self, step: int) -> Proposals:
        """Return those of one step, where the first axis is of steps."""
        failed = None if self.failed is None else self.failed[step]
        return Proposals(self.replicas[step], self.least[step], self.most[step], failed)


def as_pods(counts: NDArray[np.float64]) -> NDArray[np.int16]:
    """Return whole numbers in the 16 bits in which pods are counted; more than that many are that many."""
    return np.minimum(counts, MOST_REPLICAS).astype(np.int16)
