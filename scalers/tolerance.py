"""The HPA ignores an answer within its tolerance of what is there; this step knows it.

Kubernetes compares `answer / replicas` with `1 + tolerance` (pkg/controller/podautoscaler/replica_calculator.go), so
from 10 replicas at the default 10 % an answer of 10.2 changes nothing, and just past 11 gives 12.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from scalers.bounds import in_gangs, rounded_up
from scalers.hpa_rules import HpaRules
from scalers.proposals import A_HAIR, Proposals, as_pods

# KEDA prints 3 decimals; a step of 0.01 is past the edge for every size it can print.
PAST_THE_EDGE = 0.01
# Below half the tolerance staying is cheaper than one or two replicas more (measured on real traces).
WORTH_PASSING = 0.5


def past_tolerance(need: float, raw_need: float, existing: int, tolerance: float) -> float:
    """Return an answer that the HPA acts on where acting is worth it, else the need as it is.

    Args:
        need: replicas wanted, fractional.
        raw_need: replicas that the demand of now takes; above what exists, passing the edge is always worth it.
        existing: replicas that exist.
        tolerance: the HPA's, a ratio.
    """
    edge = existing * (1 + tolerance)
    is_ignored = rounded_up(need) > existing and need <= edge
    if existing == 0 or not is_ignored:
        return need
    if raw_need > existing or need > existing * (1 + WORTH_PASSING * tolerance):
        return edge + PAST_THE_EDGE
    return need


@dataclass(frozen=True, slots=True, eq=False)
class Passing:
    """Between how many pods that are there a need is worth stepping past the tolerance; shapes (steps, needs).

    It is past the middle of the tolerance, and for the raw need above what is there it always is.
    """

    least: NDArray[np.int16]
    below: NDArray[np.int16]

    @classmethod
    def of(cls, needs: NDArray[np.float64], raw: NDArray[np.float64], rules: HpaRules) -> Passing:
        """Return it for needs, shape (steps, needs), and the raw need of each step, both in replicas."""
        least = needs / (1.0 + rules.tolerance_up)
        below = np.maximum(needs / (1.0 + WORTH_PASSING * rules.tolerance_up), raw[:, None])
        return cls(as_pods(np.ceil(least - A_HAIR)), as_pods(np.ceil(below - A_HAIR)))

    def at(self, step: int, there: NDArray[np.int16]) -> NDArray[np.bool_]:
        """Return which needs of a step are worth it, by the pods that are there, shape (needs,)."""
        passes: NDArray[np.bool_] = (there >= self.least[step]) & (there < self.below[step])
        return passes


@lru_cache
def past_the_edge(rules: HpaRules, gang: int) -> NDArray[np.int16]:
    """Return what an HPA wants that is told of just more than its tolerance, by the pods that are there."""
    edges = np.arange(rules.maximum + 1, dtype=np.float64) * (1.0 + rules.tolerance_up) + PAST_THE_EDGE
    return Proposals.of(in_gangs(edges, gang), rules).replicas
