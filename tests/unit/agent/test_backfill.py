from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta

import numpy as np
import pytest

from agent.backfill import stored_samples
from agent.history.store import StoredSample
from agent.parts import Parts
from agent.signal import Signal
from agent.sources.source import Backfill, SourceError
from forecasters.series import Series
from tests.fakes.engine import START, STEP, LoadSource, RecordingStore, assigned, level, parts, played, source_error
from tests.fakes.situations import a_policy

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


class CountingSource(LoadSource):
    """Knows how many asked for its past at once, and which pieces."""

    def __init__(self) -> None:
        super().__init__(level(60.0))
        self.at_once = self.most_at_once = 0
        self.pieces: list[tuple[datetime, datetime]] = []

    async def range(self, start: datetime, end: datetime, step: timedelta) -> Backfill:
        self.at_once += 1
        self.most_at_once = max(self.at_once, self.most_at_once)
        self.pieces.append((start, end))
        await asyncio.sleep(1)
        self.at_once -= 1
        return await super().range(start, end, step)


async def a_signal(agent: Parts, source: LoadSource, **policy: object) -> Signal:
    await agent.engine.assign([assigned(source, **policy)])
    return agent.engine.watched[0].pairs()[0][0]


def test_the_recent_past_is_weeks_coarse_and_hours_fine() -> None:
    async def scenario() -> tuple[timedelta, timedelta, bool]:
        agent, source = parts(), LoadSource(level(60.0))
        signal = await a_signal(agent, source)
        await agent.backfiller.recent(signal, source, START)
        await agent.close()
        fine = signal.history.fine()
        return signal.history.span(), fine.end - fine.start, bool(signal.jobs(START))

    span, fine, is_due = played(scenario())
    assert timedelta(days=13, hours=23) <= span <= 14 * DAY
    assert timedelta(hours=5, minutes=59) <= fine <= 6 * HOUR
    assert is_due


def test_a_late_source_is_asked_only_for_what_it_can_know() -> None:
    async def scenario() -> datetime:
        agent, source = parts(), CountingSource()
        late = replace(a_policy().signals[0], delay=timedelta(minutes=5))
        signal = await a_signal(agent, source, signals=(late,))
        await agent.backfiller.recent(signal, source, START)
        await agent.close()
        return source.pieces[-1][1]

    assert played(scenario()) == START - timedelta(minutes=5)


def test_a_source_that_is_away_is_asked_again_ever_more_seldom_until_it_answers() -> None:
    async def scenario() -> tuple[list[float], int]:
        agent, source = parts(), LoadSource(level(60.0))
        signal = await a_signal(agent, source)
        asked: list[float] = []

        class Away(LoadSource):
            async def coarse_range(self, start: datetime, end: datetime, step: timedelta) -> tuple[Backfill, Backfill]:
                asked.append(asyncio.get_running_loop().time())
                if len(asked) < 12:
                    raise source_error()
                return await super().coarse_range(start, end, step)

        await agent.backfiller.recent_until_done(signal, Away(level(60.0)))
        await agent.close()
        return np.diff(asked).tolist(), signal.history.coarse_mean().present

    pauses, present = played(scenario())
    assert 4 <= pauses[0] <= 6
    assert all(240 <= pause <= 360 for pause in pauses[7:])
    assert present > 20_000


def test_a_source_that_fails_half_way_leaves_nothing_half_done() -> None:
    async def scenario() -> int:
        agent, source = parts(), LoadSource(level(60.0))
        signal = await a_signal(agent, source)

        class Half(LoadSource):
            async def range(self, start: datetime, end: datetime, step: timedelta) -> Backfill:
                raise source_error()

        with pytest.raises(SourceError):
            await agent.backfiller.recent(signal, Half(level(60.0)), START)
        await agent.close()
        return signal.history.coarse_mean().present

    assert played(scenario()) == 0


def test_only_a_few_pasts_are_read_at_once() -> None:
    async def scenario() -> int:
        agent, source = parts(), CountingSource()
        await agent.engine.assign([assigned(source, name=f"policy-{i}", history=HOUR) for i in range(6)])
        signals = [watched.pairs()[0][0] for watched in agent.engine.watched]
        await asyncio.gather(*(agent.backfiller.recent(signal, source, START) for signal in signals))
        await agent.close()
        return source.most_at_once

    assert played(scenario()) == 2


def test_the_fine_past_is_read_newest_first_in_pieces_with_a_breath_between() -> None:
    async def scenario() -> tuple[list[tuple[datetime, datetime]], float, int]:
        store, source = RecordingStore(), CountingSource()
        agent = parts(store)
        signal = await a_signal(agent, source, history=DAY)
        await agent.backfiller.fine_backwards(signal, source)
        took = asyncio.get_running_loop().time()
        await agent.close()
        return source.pieces, took, store.load_samples(signal.name, since=START - 2 * DAY, step=STEP).present

    pieces, took, present = played(scenario())
    assert pieces[0] == (START - 6 * HOUR, START)
    assert [end - start for start, end in pieces[:3]] == [6 * HOUR] * 3
    assert pieces[-1][0] == START - DAY
    assert (len(pieces), took) == (4, 12.0)
    assert present == 5761


def test_the_fine_pasts_of_many_policies_together_are_read_eight_pieces_a_second_at_most() -> None:
    async def scenario() -> tuple[list[float], int]:
        asked: list[float] = []

        class Noting(LoadSource):
            async def range(self, start: datetime, end: datetime, step: timedelta) -> Backfill:
                asked.append(asyncio.get_running_loop().time())
                return await super().range(start, end, step)

        agent, source = parts(RecordingStore()), Noting(level(60.0))
        await agent.engine.assign([assigned(source, name=f"policy-{i}", history=DAY) for i in range(40)])
        signals = [watched.pairs()[0][0] for watched in agent.engine.watched]
        await asyncio.gather(*(agent.backfiller.fine_backwards(signal, source) for signal in signals))
        await agent.close()
        first = len(signals)  # each has one as soon as what decisions need is read
        return asked[first:], first

    asked, first = played(scenario())
    assert len(asked) == 3 * first
    assert asked[-1] - asked[0] == pytest.approx((len(asked) - 1) / 8)


def test_pieces_that_are_kept_are_not_read_again() -> None:
    async def scenario() -> int:
        store, source = RecordingStore(), CountingSource()
        agent = parts(store)
        signal = await a_signal(agent, source, history=DAY)
        await agent.backfiller.fine_backwards(signal, source)
        source.pieces.clear()
        await agent.backfiller.fine_backwards(signal, source)
        await agent.close()
        return len(source.pieces)

    assert played(scenario()) == 0


def test_a_piece_that_cannot_be_read_is_left_out_and_the_rest_is_kept() -> None:
    async def scenario() -> int:
        class Torn(LoadSource):
            async def range(self, start: datetime, end: datetime, step: timedelta) -> Backfill:
                if end == START:
                    raise source_error()
                return await super().range(start, end, step)

        store, source = RecordingStore(), Torn(level(60.0))
        agent = parts(store)
        signal = await a_signal(agent, source, history=DAY)
        await agent.backfiller.fine_backwards(signal, source)
        await agent.close()
        return store.load_samples(signal.name, since=START - 2 * DAY, step=STEP).present

    assert played(scenario()) == 4320


def test_samples_kept_under_a_clock_that_was_ahead_are_left_alone() -> None:
    async def scenario() -> float | None:
        store = RecordingStore()
        store.append_samples([StoredSample("ml/chat/demand", START + i * HOUR, 10.0 * (i + 2)) for i in (-1, 0, 5)])
        agent = parts(store)
        signal = await a_signal(agent, LoadSource(level(60.0)))
        await agent.backfiller.stored(signal, START)
        await agent.close()
        return signal.input().demand

    assert played(scenario()) == 20.0


def test_a_gap_is_not_stored() -> None:
    series = Series(START, STEP, np.array([1.0, np.nan, 3.0]))
    kept = stored_samples("ml/chat/demand", series)
    assert [(sample.at, sample.value) for sample in kept] == [(START, 1.0), (START + 2 * STEP, 3.0)]
