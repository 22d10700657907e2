"""One reading of a source, bounded in time: whatever hangs, the tick goes on."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

from agent.sources.source import Reading, SignalState, Source, SourceError

# No source may hold a tick for longer, whatever the policy's step; the next tick asks again.
_LONGEST = timedelta(seconds=10)


async def read(source: Source | SourceError, now: datetime, *, step: timedelta) -> Reading:
    """Return a source's newest sample.

    Args:
        source: an error stands for a source that cannot be asked at all.
        now: the instant of the decision.
        step: the signal's; a reading that takes longer is of no use.

    Raises:
        SourceError: there is no sample, or not in time.
    """
    if isinstance(source, SourceError):
        raise source
    limit = min(_LONGEST, step)
    try:
        async with asyncio.timeout(limit.total_seconds()):
            return await source.latest(now)
    except TimeoutError as error:
        raise SourceError(
            SignalState.TIMED_OUT,
            f"no answer within {limit.total_seconds():g} s",
            mend="look at the source's load and at the cost of the query",
            is_retriable=True,
        ) from error
