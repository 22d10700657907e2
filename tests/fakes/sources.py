"""A source that plays a script, for tests of what reads sources."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

import numpy as np

from agent.sources.source import Backfill, Reading, SourceError
from forecasters.series import EPOCH, Series, grid_index, grid_instant


class ScriptedSource:
    """Gives its readings and errors in turn, the last one for ever, and a past that it was given."""

    def __init__(self, script: Iterable[Reading | SourceError], *, past: Series | None = None) -> None:
        self._script = list(script)
        self._past = past
        self.asked: list[datetime] = []

    async def latest(self, now: datetime) -> Reading:
        self.asked.append(now)
        turn = self._script.pop(0) if len(self._script) > 1 else self._script[0]
        if isinstance(turn, SourceError):
            raise turn
        return turn

    async def range(self, start: datetime, end: datetime, step: timedelta) -> Backfill:
        first = grid_instant(-((EPOCH - start) // step), step)
        values = np.full(max(0, grid_index(end, step) - grid_index(first, step) + 1), np.nan)
        if self._past is not None:
            for instant, value in zip(self._past.seconds(), self._past.values, strict=True):
                place, remainder = divmod(instant - first.timestamp(), step.total_seconds())
                if not remainder and 0 <= place < len(values):
                    values[int(place)] = value
        return Backfill(Series(first, step, values))

    async def coarse_range(self, start: datetime, end: datetime, step: timedelta) -> tuple[Backfill, Backfill]:
        found = await self.range(start, end, step)
        return found, found
