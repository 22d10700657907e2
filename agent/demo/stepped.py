"""The agent on simulated time: the engine of `foretide run`, stepped by the demo instead of by the wall clock."""

from __future__ import annotations

from datetime import datetime, timedelta

from agent.backfill import Backfiller
from agent.engine import Engine
from agent.sources.source import RangeSource
from agent.watched import Assignment

# How often, in simulated time, fits that are due are looked for and samples are handed to the store.
_UPKEEP_EVERY = timedelta(minutes=1)
# Nobody waits for an answer while simulated time stands still: a machine that is busy shows the same days, later.
_PATIENCE = timedelta(hours=1)


class SteppedAgent:
    """Steps an engine. Simulated time stands still during a tick and the fits that it makes due."""

    def __init__(self, engine: Engine, backfiller: Backfiller) -> None:
        self._engine = engine
        self._backfiller = backfiller
        self._upkeep_due: datetime | None = None

    async def take_up(self, assignment: Assignment, source: RangeSource, now: datetime) -> None:
        """Work on a policy whose signals all come from one source: read the past, fit the models, decide.

        Raises:
            SourceError: the past cannot be read.
        """
        await self._engine.assign([assignment])
        for watched in self._engine.watched:
            for signal, _ in watched.pairs():
                # the sample of now itself is the first tick's: one that is known already is not foretold from
                await self._backfiller.recent(signal, source, now - signal.policy.step)
        await self.tick(now)

    async def tick(self, now: datetime) -> None:
        """Fit what is due, then read, decide and publish."""
        if self._upkeep_due is None or now >= self._upkeep_due:
            self._upkeep_due = now + _UPKEEP_EVERY
            await self._engine.fit(now, deadline=_PATIENCE)
            await self._engine.flush()
        await self._engine.tick(now)
