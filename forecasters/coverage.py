"""How often demand stayed at or below what was foretold of it, lately."""

from __future__ import annotations

from collections import deque
from datetime import timedelta

import numpy as np
from numpy.typing import NDArray

_REMEMBERED = timedelta(days=7)


class Coverage:
    """The shares of outcomes at or below foretold quantiles, decayed; one row of quantiles per coarse step."""

    def __init__(self, levels: tuple[float, ...], *, ahead: int, step: timedelta) -> None:
        """Begin without outcomes.

        Args:
            levels: of the quantiles.
            ahead: rows of the look-ahead; what was foretold is scored once so many have followed.
            step: between two rows.
        """
        self.levels = levels
        self.count = 0  # outcomes so far
        self._ahead = ahead
        self._keep = float(np.exp(-step / _REMEMBERED))
        self._hits, self._weight = np.zeros(len(levels)), 0.0
        self._pending: deque[tuple[int, NDArray[np.float64]]] = deque()  # row, quantiles
        self._largest: deque[tuple[int, float]] = deque(maxlen=ahead)  # row, largest demand within it

    def foretold(self, row: int, quantiles: NDArray[np.float64]) -> None:
        """Remember what was foretold at a row of the rows after it; shape (levels,)."""
        self._pending.append((row, quantiles))

    def came(self, row: int, largest: float) -> None:
        """Take in the largest demand of a row, and score what was foretold of rows that are all known by now."""
        self._largest.append((row, largest))
        while self._pending and self._pending[0][0] + self._ahead <= row:
            since, quantiles = self._pending.popleft()
            known = [value for at, value in self._largest if since < at <= since + self._ahead]
            if len(known) == self._ahead:
                self._score(quantiles, max(known))

    def shares(self) -> list[float]:
        """Return the share of each level; empty before the first outcome."""
        return [] if not self._weight else (self._hits / self._weight).tolist()

    def _score(self, quantiles: NDArray[np.float64], largest: float) -> None:
        self._hits = self._hits * self._keep + (largest <= quantiles)
        self._weight = self._weight * self._keep + 1.0
        self.count += 1
