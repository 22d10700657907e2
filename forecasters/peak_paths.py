"""Paths: simple rules that each name one demand to plan for.

Which of them to follow, and how closely, is decided elsewhere, by what following them would have cost.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Mapping, Sequence
from datetime import timedelta
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from forecasters.peak_model import LEVELS
from forecasters.trailing import trailing_largest
from forecasters.usual import Usual, UsualNow

REACTIVE = "reactive"  # the demand of now
HOLD = "hold"  # the largest demand of the last minutes
QUANTILES = "quantile-regression"
ANALOG = "analog"  # now, and as much more as it rose at this time of the last days
VOLATILITY = "volatility"  # now, and as much more as it rose in the last hour

_SHORT_HOLD, _LONG_HOLD = timedelta(minutes=15), timedelta(minutes=30)
_FOLLOWED = (0.8, 0.9, 0.95, 0.98)  # quantiles of the model that are paths; its median is for people

# Every path with its family, in the order of `planned`.
FAMILIES: Mapping[str, str] = MappingProxyType(
    {
        "reactive": REACTIVE,
        "hold-15m": HOLD,
        "hold-30m": HOLD,
        **{f"quantile-{level:g}": QUANTILES for level in _FOLLOWED},
        "quantile-0.9-hold-15m": QUANTILES,
        "quantile-0.9-hold-30m": QUANTILES,
        "quantile-0.95-hold-15m": QUANTILES,
        "analog": ANALOG,
        "volatility": VOLATILITY,
    }
)
PATHS = tuple(FAMILIES)
_FIRST = LEVELS.index(_FOLLOWED[0])
_P90, _P95 = _FOLLOWED.index(0.9), _FOLLOWED.index(0.95)
_NOTHING_FOLLOWED = [0.0] * len(_FOLLOWED)


class Paths:
    """The paths of one signal, sample by sample: remembers what the holds need."""

    def __init__(self, step: timedelta) -> None:
        """Begin without a past; `step` is the time between two samples."""
        short, long = max(1, _SHORT_HOLD // step), max(1, _LONG_HOLD // step)
        self._demand = _TrailingLargest(short), _TrailingLargest(long)
        self._quantiles = _TrailingLargest(short), _TrailingLargest(long), _TrailingLargest(short)

    def planned(self, demand: float, usual: UsualNow, peaks: Sequence[float] | None) -> list[float]:
        """Take in a sample and return what each path plans for, demand units, NaN where unknown.

        Args:
            demand: the sample.
            usual: what the past says of its instant.
            peaks: the model's quantiles at `LEVELS`; None without a model.
        """
        followed = _NOTHING_FOLLOWED if peaks is None else peaks[_FIRST:]
        short, long = self._demand
        places = (_P90, _P90, _P95)
        held = [each.push(followed[place]) for each, place in zip(self._quantiles, places, strict=True)]
        return [
            demand,
            short.push(demand),
            long.push(demand),
            *([math.nan] * (len(followed) + len(held)) if peaks is None else [*followed, *held]),
            demand + usual.analog,
            demand + usual.volatility,
        ]


class _TrailingLargest:
    """The largest of the newest values, each pushed in constant time."""

    def __init__(self, count: int) -> None:
        self._count, self._pushed = count, 0
        self._falling: deque[tuple[int, float]] = deque()  # what may still become the largest, by when it was pushed

    def push(self, value: float) -> float:
        """Take in the next value, and return the largest of the newest `count`."""
        falling = self._falling
        while falling and falling[-1][1] <= value:
            falling.pop()
        falling.append((self._pushed, value))
        self._pushed += 1
        if falling[0][0] < self._pushed - self._count:
            falling.popleft()
        return falling[0][1]


def planned_table(
    demand: NDArray[np.float64], usual: Usual, peaks: NDArray[np.float64], step: timedelta
) -> NDArray[np.float64]:
    """Return what `Paths.planned` would have for each of many samples in a row; shape (n, paths).

    Args:
        demand: shape (n,).
        usual: of the instants, n rows.
        peaks: at `LEVELS`, shape (n, levels), NaN where there was no model.
        step: time between two samples.
    """
    short, long = max(1, _SHORT_HOLD // step), max(1, _LONG_HOLD // step)
    quantiles = peaks[:, _FIRST:]
    known = np.isfinite(quantiles[:, 0])
    p90, p95 = (np.where(known, quantiles[:, place], 0.0) for place in (_P90, _P95))
    held = [trailing_largest(p90, short), trailing_largest(p90, long), trailing_largest(p95, short)]
    return np.column_stack(
        [
            demand,
            trailing_largest(demand, short),
            trailing_largest(demand, long),
            quantiles,
            *(np.where(known, each, np.nan) for each in held),
            demand + usual.analog,
            demand + usual.volatility,
        ]
    )
