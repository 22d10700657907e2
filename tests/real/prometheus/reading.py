"""Reads as the agent does, until a scrape has brought what the test waits for."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

from agent.sources.prometheus import PrometheusSource
from agent.sources.source import Reading, SignalState, SourceError

_NOT_YET = frozenset({SignalState.EMPTY, SignalState.UNAVAILABLE})  # before the first scrape, or on a busy machine


async def until_read(source: PrometheusSource, value: float) -> Reading:
    """Return the first reading of a value; any other error is raised, and so is a timeout after 20 s."""
    async with asyncio.timeout(20):
        while True:
            try:
                reading = await source.latest(datetime.now(UTC))
                if reading.sample.value == value:
                    return reading
            except SourceError as error:
                if error.state not in _NOT_YET:
                    raise
            await asyncio.sleep(0.2)
