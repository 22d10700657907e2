"""The HPA ignores an answer within its tolerance of what is there; this step knows it.

Kubernetes compares `answer / replicas` with `1 + tolerance` (pkg/controller/podautoscaler/replica_calculator.go), so
from 10 replicas at the default 10 % an answer of 10.2 changes nothing, and just past 11 gives 12.
"""

from __future__ import annotations

from scalers.bounds import rounded_up

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
