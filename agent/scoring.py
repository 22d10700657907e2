"""What was foretold, kept until its time has come, and then held against what came."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from agent.expert import Expert, Foresight
from forecasters.losses import pinball_loss
from forecasters.series import Series
from scalers.trust import REACTIVE, Trust


@dataclass(frozen=True, slots=True)
class _Pending:
    """Peaks that were foretold at one instant."""

    since: datetime
    until: datetime
    demand: float
    seen: Mapping[str, Foresight]


class Scoring:
    """Brings calibration and trust up to date as look-aheads pass."""

    def __init__(self, experts: Mapping[str, Expert], trust: Trust, *, level: float) -> None:
        """Score these experts at the level that decides."""
        self._experts = experts
        self._trust = trust
        self._level = level
        self._pending: deque[_Pending] = deque()

    def foretold(self, seen: Mapping[str, Foresight], *, since: datetime, until: datetime, demand: float) -> None:
        """Remember what was foretold of the largest demand in (since, until], and the demand at `since`."""
        self._pending.append(_Pending(since, until, demand, seen))

    def mature(self, now: datetime, observed: Callable[[], Series]) -> None:
        """Score what was foretold for a time that has come; `observed` is asked for only if there is any."""
        if not self._pending or self._pending[0].until > now:
            return
        fine = observed()
        while self._pending and self._pending[0].until <= now:
            pending = self._pending.popleft()
            window = fine.between(pending.since + fine.step, pending.until).values
            present = window[np.isfinite(window)]
            if 2 * len(present) >= len(window) > 0:  # a peak cannot be told from less
                self._score(pending, float(present.max()))

    def _score(self, pending: _Pending, largest: float) -> None:
        losses = {REACTIVE: pinball_loss(largest, pending.demand, self._level)}
        for name, foresight in pending.seen.items():
            peak = foresight.path_peak
            self._experts[name].calibration.peak.add(largest - peak, predicted=peak, at=pending.since)
            losses[name] = pinball_loss(largest, foresight.quantile, self._level)
        self._trust.score(losses)
