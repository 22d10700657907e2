"""A quantile forecast, looked up by time and never by position."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray


class BeyondHorizon(ValueError):
    """A forecast was asked for an instant that it does not reach."""


@dataclass(frozen=True, slots=True, eq=False)
class Forecast:
    """Quantiles of one signal after its origin.

    `quantiles[i, k]` is the `levels[i]` quantile at `origin + (k + 1) * step`; between two steps the value is
    interpolated linearly, and at the origin every quantile is `value_at_origin`.
    """

    model: str
    origin: datetime  # instant of the last observation used
    step: timedelta
    value_at_origin: float
    levels: tuple[float, ...]  # ascending, in (0, 1), holds 0.5
    quantiles: NDArray[np.float64]  # shape (levels, steps), demand units, not below 0, ascending along the levels

    @property
    def steps(self) -> int:
        """How many steps are foretold."""
        return len(self.quantiles[0])

    @property
    def end(self) -> datetime:
        """The last instant that is foretold."""
        return self.origin + self.steps * self.step

    def path(self, level: float) -> NDArray[np.float64]:
        """Return one quantile at the steps after the origin, interpolated between the stored levels.

        Raises:
            ValueError: level lies outside the stored levels.
        """
        if not self.levels[0] <= level <= self.levels[-1]:
            raise ValueError(f"level {level} is outside {self.levels[0]} to {self.levels[-1]}")
        above = int(np.searchsorted(self.levels, level))
        if self.levels[above] == level:
            row: NDArray[np.float64] = self.quantiles[above]
            return row
        low, high = self.levels[above - 1], self.levels[above]
        share = (level - low) / (high - low)
        between: NDArray[np.float64] = self.quantiles[above - 1] * (1 - share) + self.quantiles[above] * share
        return between

    def at(self, level: float, instant: datetime) -> float:
        """Return one quantile at an instant between the origin and the end.

        Raises:
            BeyondHorizon: the instant lies before the origin or after the end.
        """
        position = (instant - self.origin) / self.step
        if not 0 <= position <= self.steps:
            raise BeyondHorizon(
                f"{instant.isoformat()} is not within {self.origin.isoformat()} to {self.end.isoformat()}"
            )
        return float(np.interp(position, np.arange(self.steps + 1), self._with_origin(level)))

    def peak(self, level: float, since: datetime, until: datetime) -> float:
        """Return the largest value of one quantile's path in [since, until], both ends interpolated.

        Raises:
            BeyondHorizon: the window is not wholly between the origin and the end.
        """
        first, last = (since - self.origin) / self.step, (until - self.origin) / self.step
        path = self._with_origin(level)
        whole = path[int(np.ceil(first)) : int(np.floor(last)) + 1]
        ends = (self.at(level, since), self.at(level, until))
        return max(*ends, float(whole.max())) if whole.size else max(ends)

    def anchored(self, instant: datetime, value: float) -> Forecast:
        """Return the forecast moved so that its median passes through an observation newer than its origin.

        The distance fades linearly to nothing at the end: what departs from the season now need not last.

        Raises:
            BeyondHorizon: the instant lies before the origin or after the end.
        """
        shift = value - self.at(0.5, instant)
        fading = 1.0 - np.arange(1, self.steps + 1) / self.steps
        moved = np.maximum(self.quantiles + shift * fading, 0.0)
        origin = max(0.0, self.value_at_origin + shift)
        return Forecast(self.model, self.origin, self.step, origin, self.levels, moved)

    def _with_origin(self, level: float) -> NDArray[np.float64]:
        return np.concatenate(([self.value_at_origin], self.path(level)))
