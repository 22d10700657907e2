"""The comparison port: the demo plays the same load to Foretide and to a reactive HPA, and the page shows both."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from scalers.policy import PolicyKey


@dataclass(frozen=True, slots=True)
class Score:
    """Cost and shortage of one side, cumulated since the comparison began; never one without the other."""

    replica_hours: float  # replicas that existed, times hours
    unserved_pct: float  # share of the offered demand that found no ready capacity, in percent
    short_pct: float  # share of the time in which demand exceeded ready capacity, in percent
    actions_per_h: float  # changes of the replica count
    cost: float | None  # replica-hours over the fewest that serve everything; None until that is known


@dataclass(frozen=True, slots=True, eq=False)
class Side:
    """What one way of scaling did. Arrays have the comparison's grid."""

    name: str  # "Foretide" or what it is compared with, such as "HPA at 70 %"
    existing: NDArray[np.float64]  # shape (n,), pods that existed
    ready: NDArray[np.float64]  # shape (n,), pods that served
    score: Score


@dataclass(frozen=True, slots=True, eq=False)
class Comparison:
    """Foretide beside reactive scaling on the same load, one grid for all series."""

    since: datetime  # from here on the scores count
    until: datetime  # of the newest point
    start: datetime  # of the first point of the series, at or after `since`
    step: timedelta
    need: NDArray[np.float64]  # shape (n,), replicas that the demand took, fractional
    foretide: Side
    reactive: Side

    def __post_init__(self) -> None:
        sizes = {len(each) for side in (self.foretide, self.reactive) for each in (side.existing, side.ready)}
        if sizes != {len(self.need)}:
            raise ValueError(f"series of a comparison must be equally long, got {sorted(sizes)} and {len(self.need)}")


class ComparisonBook(Protocol):
    """Where the page finds the comparison; only the demo has one."""

    def comparison(self, key: PolicyKey) -> Comparison | None:
        """Return the newest comparison of a policy; None where there is none."""
        ...
