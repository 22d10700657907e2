"""The past, read at start: from the store what an earlier process kept, from the source whatever is still missing.

Coarse first (weeks, by subquery), then the last hours fine; then, with a store on disk, fine backwards in the
background until the policy's `history` is kept at its own step.
"""

from __future__ import annotations

import asyncio
import random
from datetime import datetime, timedelta

from agent.clock import Clock
from agent.history.store import Store, StoredSample
from agent.history.thread import StoreThread
from agent.log import logger
from agent.signal import CoarsePast, Signal
from agent.sources.source import Backfill, RangeSource, SourceError
from forecasters.series import EPOCH, Series, grid_index, grid_instant

# Range queries over weeks are the dearest thing that a source is asked, and their replies the largest thing parsed.
_AT_ONCE = 2
_FIRST_RETRY = timedelta(seconds=5)
_LAST_RETRY = timedelta(minutes=5)
# One piece of the fine past: 1,440 points at 15 s, a range query that any Prometheus answers at once.
_PIECE = timedelta(hours=6)
# Between two pieces of one signal, and between those of any: a start of many policies must not be felt by other users
# of the source, nor cost decisions their core. A thousand policies of two weeks, 56 pieces each, take two hours.
_BREATH, _APART = timedelta(seconds=2), timedelta(milliseconds=125)


class Backfiller:
    """Fills histories."""

    def __init__(self, store: Store, storing: StoreThread, clock: Clock) -> None:
        self._store = store
        self._storing = storing
        self._clock = clock
        self._turn = asyncio.Semaphore(_AT_ONCE)
        self._next_piece = EPOCH  # from when on any signal may go on with its fine past
        self._log = logger("backfill")

    async def stored(self, signal: Signal, now: datetime) -> None:
        """Take up what an earlier process kept."""
        since = now - signal.coarse_span
        kept = await self._kept(signal, since=since)
        known = kept.between(since, now)  # stored under a clock that was ahead, the rest would move the grid there
        if known.present:
            signal.take_up(known)

    async def recent(self, signal: Signal, source: RangeSource, now: datetime) -> None:
        """Read what decisions need: weeks coarse, hours fine.

        Raises:
            SourceError: the source did not answer; nothing is taken.
        """
        history = signal.history
        end = now - signal.policy.delay
        async with self._turn:
            mean, largest = await source.coarse_range(end - signal.coarse_span, end, history.coarse_step)
            last = await source.range(end - signal.coarse_span, end, history.coarse_step)
            fine = await source.range(end - signal.fine_span, end, signal.policy.step)
            coarse = CoarsePast(mean.series, largest.series, last.series)
            signal.take_past(fine=fine.series, coarse=coarse)
        self._log.info(
            "backfilled",
            signal=signal.name,
            coarse_points=mean.series.present,
            fine_points=fine.series.present,
            dropped=mean.dropped + fine.dropped,
        )

    async def recent_until_done(self, signal: Signal, source: RangeSource) -> None:
        """Read what decisions need, again and again until the source answers."""
        pause = _FIRST_RETRY
        while True:
            try:
                return await self.recent(signal, source, self._clock.now())
            except SourceError as error:
                self._log.warning("backfill_failed", signal=signal.name, state=str(error.state), mend=error.mend)
            # Jitter keeps many policies from coming back at once.
            await self._clock.sleep_until(self._clock.now() + pause * random.uniform(0.8, 1.2))  # noqa: S311 - no secret
            pause = min(2 * pause, _LAST_RETRY)

    async def fine_backwards(self, signal: Signal, source: RangeSource) -> None:
        """Read the policy's whole history at its own step into the store, newest first, piece by piece."""
        step = signal.policy.step
        now = self._clock.now()
        until, oldest = now, now - signal.coarse_span
        kept = await self._kept(signal, since=oldest)
        while until > oldest:
            since = max(oldest, until - _PIECE)
            if 2 * kept.between(since, until).present <= (until - since) // step:
                async with self._turn:
                    piece = await self._piece(signal, source, since, until)
                if piece is not None:
                    await self._storing.call(self._store.append_samples, stored_samples(signal.stored_as, piece.series))
                await self._breathe()
            until = grid_instant(grid_index(since, step), step) - step

    async def _breathe(self) -> None:
        self._next_piece = max(self._next_piece + _APART, self._clock.now() + _BREATH)
        await self._clock.sleep_until(self._next_piece)

    async def _piece(self, signal: Signal, source: RangeSource, since: datetime, until: datetime) -> Backfill | None:
        try:
            return await source.range(since, until, signal.policy.step)
        except SourceError as error:
            self._log.warning(
                "backfill_piece_failed", signal=signal.name, since=since.isoformat(), state=str(error.state)
            )
            return None

    async def _kept(self, signal: Signal, *, since: datetime) -> Series:
        step = signal.policy.step
        return await self._storing.soon(lambda: self._store.load_samples(signal.stored_as, since=since, step=step))


def stored_samples(signal: str, series: Series) -> list[StoredSample]:
    """Return a series as the store takes it; gaps are left out."""
    instants = (series.start + index * series.step for index in range(len(series)))
    return [
        StoredSample(signal, at, float(value))
        for at, value in zip(instants, series.values, strict=True)
        if value == value  # noqa: PLR0124 - NaN is the gap
    ]
