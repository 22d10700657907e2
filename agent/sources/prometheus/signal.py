"""One demand signal as a query on a Prometheus server."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from agent.sources.prometheus import answers
from agent.sources.prometheus.client import Answer, PrometheusClient
from agent.sources.prometheus.failures import shorten
from agent.sources.prometheus.freshness import LABEL, VALUE, Freshness, Unparsable
from agent.sources.prometheus.selectors import MOST_NAMES
from agent.sources.prometheus.server import PrometheusServer
from agent.sources.source import Backfill, Reading, Sample, SignalState, SourceError
from forecasters.series import EPOCH, grid_index, grid_instant

MOST_POINTS = 4_000  # Prometheus refuses more than 11,000 steps; a parsed reply takes 300 bytes a point
LONGEST_RANGE = timedelta(days=31)  # managed services refuse more than 32 days
CLOCK_SLACK_SECONDS = 1.0


class PrometheusSource:
    """Demand as the value of a query at the points of the policy's grid."""

    def __init__(self, server: PrometheusServer, query: str, *, step: timedelta, delay: timedelta) -> None:
        """Make a source.

        Args:
            server: whom to ask; shared by many sources.
            query: PromQL that gives a scalar or a vector of one series.
            step: spacing of the grid.
            delay: how late the server's data are; it is asked for that much earlier.
        """
        self._server = server
        self._query = query
        self._step = step
        self._delay = delay
        self._freshness, self._no_freshness = _freshness(query)
        self._both = self._freshness.beside(query) if self._freshness is not None else None

    async def latest(self, now: datetime) -> Reading:
        """Return the value at the newest grid point that the server can know.

        The sample stands for the time of evaluation; `newest` says how old the raw samples under it are, and may lie
        minutes before it. A caller that takes a reading for the present looks at `newest`.

        Raises:
            SourceError: there is no usable value; the state says why.
        """
        at = grid_instant(grid_index(now - self._delay, self._step), self._step)
        value, ages = await self._server.ask(lambda client, deadline: self._ask_now(client, at, deadline))
        point = answers.single_point(value)
        _check_instant(value, point, at)
        _check_whole(value)
        return Reading(Sample(at, point.value), self._newest(value, ages, at), self._no_freshness)

    async def range(self, start: datetime, end: datetime, step: timedelta) -> Backfill:
        """Return the query's values at grid points in [start, end], in as many requests as the server wants.

        The server repeats its last sample at instants it has not reached: `end` is not after now less the delay.

        Raises:
            SourceError: the past could not be read.
        """
        return await self._range(self._query, start, end, step)

    async def coarse_range(self, start: datetime, end: datetime, step: timedelta) -> tuple[Backfill, Backfill]:
        """Return the mean and the largest value over each `step` that ends at a grid point in [start, end].

        The server computes both from the signal's own grid, so that weeks at a fine step need not be sent.

        Raises:
            SourceError: the past could not be read.
        """
        if step <= self._step:
            same = await self._range(self._query, start, end, step)
            return same, same
        # A range's left end is part of it up to Prometheus 2 and not from 3 on: a millisecond less says neither.
        reach = f"{step // timedelta(milliseconds=1) - 1}ms"
        over = f"(({self._query})[{reach}:{self._step // timedelta(milliseconds=1)}ms])"
        mean = await self._range(f"avg_over_time{over}", start, end, step)
        largest = await self._range(f"max_over_time{over}", start, end, step)
        return mean, largest

    def _ask_now(self, client: PrometheusClient, at: datetime, deadline: float) -> tuple[Answer, Answer | None]:
        if self._both is not None:
            try:
                return self._ask_at_once(client, self._both, at, deadline)
            except SourceError as error:
                if error.state is not SignalState.BAD_QUERY:
                    raise
            # asked alone, a query that is wrong is told what is wrong with it, and one that is well has its answer
        value = client.instant(self._query, at, deadline=deadline)
        if not value.result or self._freshness is None or not self._freshness.selectors:
            return value, None
        return value, self._ask_ages(client, value, self._freshness, at, deadline)

    def _ask_at_once(
        self, client: PrometheusClient, both: str, at: datetime, deadline: float
    ) -> tuple[Answer, Answer | None]:
        answer = client.instant(both, at, deadline=deadline, shown=self._query)
        value, ages = answers.parted(answer, LABEL, VALUE)
        return value, ages if value.result else None

    def _ask_ages(
        self, client: PrometheusClient, value: Answer, freshness: Freshness, at: datetime, deadline: float
    ) -> Answer:
        shown = " or ".join(f"timestamp({selector.text})" for selector in freshness.selectors)
        try:
            return client.instant(freshness.question, at, deadline=deadline, shown=shown)
        except SourceError as error:
            if error.state is not SignalState.BAD_QUERY or not freshness.unlisted:
                raise
            raise _unlisted(value, freshness, error) from error

    def _newest(self, value: Answer, ages: Answer | None, at: datetime) -> datetime | None:
        if self._freshness is None:
            return None
        if ages is None:
            return at  # a constant is never stale
        timestamps = answers.labelled_values(ages, LABEL)
        newest = self._freshness.newest(timestamps)
        if newest is None:
            missing = ", ".join(selector.text for selector in self._freshness.missing(timestamps))
            raise SourceError(
                SignalState.STALE,
                f"{value.subject}: gives a value, but there is no sample of {missing}",
                mend="check the target; where `or vector(0)` turns missing data into a zero, write "
                '`or 0 * sum(up{job="…"} == 1)` for a zero only while the target answers',
                is_retriable=True,
            )
        return newest

    async def _range(self, query: str, start: datetime, end: datetime, step: timedelta) -> Backfill:
        first, last = grid_instant(-((EPOCH - start) // step), step), grid_instant(grid_index(end, step), step)
        pieces = [await self._piece(query, since, until, step) for since, until in _pieces(first, last, step)]
        return answers.backfill(pieces, first, last, step)

    async def _piece(self, query: str, start: datetime, end: datetime, step: timedelta) -> Answer:
        def question(client: PrometheusClient, deadline: float) -> Answer:
            return client.matrix(query, start, end, step, deadline=deadline)

        return await self._server.ask(question)


def _pieces(first: datetime, last: datetime, step: timedelta) -> Iterator[tuple[datetime, datetime]]:
    """Split a span of grid points into what one request may ask for."""
    points = min(MOST_POINTS, LONGEST_RANGE // step)
    while first <= last:
        until = min(first + (points - 1) * step, last)
        yield first, until
        first = until + step


def _freshness(query: str) -> tuple[Freshness | None, tuple[str, ...]]:
    try:
        return Freshness.of(query), ()
    except Unparsable as error:
        return None, (f"how fresh the data are cannot be told: the query cannot be parsed: {error}",)


def _unlisted(value: Answer, freshness: Freshness, refusal: SourceError) -> SourceError:
    selectors = ", ".join(selector.text for selector in freshness.unlisted)
    return SourceError(
        SignalState.BAD_QUERY,
        f"{value.subject}: gives a value, and its age cannot be asked for: {refusal}",
        mend=f'name the metrics of {shorten(selectors)}: __name__=~"a|b|c", {MOST_NAMES} at most',
        is_retriable=False,
    )


def _check_instant(answer: Answer, point: answers.Point, at: datetime) -> None:
    """Refuse a value for another time than was asked for, as from a cache or a server that ignores `time`."""
    ahead = point.seconds - at.timestamp()
    if abs(ahead) <= CLOCK_SLACK_SECONDS:
        return
    raise SourceError(
        SignalState.FROM_THE_FUTURE if ahead > 0 else SignalState.STALE,
        f"{answer.subject}: was asked for {at.isoformat()} and answered {ahead:+.0f} s off",
        mend="check for a cache before the server, and the clocks of both",
        is_retriable=True,
    )


def _check_whole(answer: Answer) -> None:
    """Refuse a value that the server says may be too small."""
    if answer.warnings:
        raise SourceError(
            SignalState.PARTIAL,
            f"{answer.subject}: the answer is partial: {shorten('; '.join(answer.warnings))}",
            mend="mend the store that the server could not read; part of the demand is not the demand",
            is_retriable=True,
        )
