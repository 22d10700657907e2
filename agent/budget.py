"""How often something may be done that costs: at a steady rate, and a few times at once."""

from __future__ import annotations

import time
from collections.abc import Callable


class Budget:
    """Fills at a rate, up to a number; each doing takes one. Of one thread, or where one too many does no harm."""

    def __init__(self, per_second: float, *, at_once: int, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._per_second = per_second
        self._most = float(at_once)
        self._monotonic = monotonic
        self._left = float(at_once)
        self._filled_at = monotonic()

    def take(self) -> bool:
        """Return whether it may be done now, and count it if so."""
        now = self._monotonic()
        self._left = min(self._most, self._left + (now - self._filled_at) * self._per_second)
        self._filled_at = now
        if self._left < 1:
            return False
        self._left -= 1
        return True
