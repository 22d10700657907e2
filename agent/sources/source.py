"""The source port: what the engine asks of anything that knows a signal's demand."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol, runtime_checkable

from forecasters.series import Series


class SignalState(StrEnum):
    """What can be wrong with a signal. Each has a mend; none of them is a zero."""

    OK = "OK"
    EMPTY = "Empty"
    SEVERAL_SERIES = "SeveralSeries"
    NOT_A_NUMBER = "NotANumber"
    INFINITE = "Infinite"
    NEGATIVE = "Negative"
    STALE = "Stale"
    FROM_THE_FUTURE = "FromTheFuture"
    BAD_QUERY = "BadQuery"
    UNAUTHORIZED = "Unauthorized"
    REFUSED = "Refused"
    UNAVAILABLE = "Unavailable"
    TIMED_OUT = "TimedOut"
    PARTIAL = "Partial"
    MALFORMED = "Malformed"
    NOT_CONFIGURED = "NotConfigured"
    NOT_ALLOWED = "NotAllowed"
    OUT_OF_SCOPE = "OutOfScope"


class SourceError(Exception):
    """A source gave no usable sample.

    Attributes:
        state: which of the named states this is.
        mend: what a person can do, one sentence without a full stop.
        is_retriable: whether the same question may be answered later without anybody changing anything.
    """

    def __init__(self, state: SignalState, message: str, *, mend: str, is_retriable: bool) -> None:
        super().__init__(message)
        self.state = state
        self.mend = mend
        self.is_retriable = is_retriable


@dataclass(frozen=True, slots=True)
class Sample:
    """One observed value of a signal."""

    at: datetime  # the instant it stands for, aware UTC
    value: float  # demand units, finite and not below 0


@dataclass(frozen=True, slots=True)
class Reading:
    """The newest sample, how fresh what it was computed from is, and what the source said beside it."""

    sample: Sample
    newest: datetime | None  # timestamp of the newest raw sample under the query; None where the source cannot tell
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Backfill:
    """A piece of the past, with what had to be dropped from it."""

    series: Series
    dropped: int = 0  # points that were NaN, infinite, negative or off the grid
    warnings: tuple[str, ...] = ()


class Source(Protocol):
    """One signal of one policy, readable now."""

    async def latest(self, now: datetime) -> Reading:
        """Return the newest sample at `now`.

        Raises:
            SourceError: there is none; the error's state says why.
        """
        ...


@runtime_checkable
class RangeSource(Source, Protocol):
    """A source that also has a past."""

    async def range(self, start: datetime, end: datetime, step: timedelta) -> Backfill:
        """Return the signal at grid points in [start, end], gaps as NaN.

        Raises:
            SourceError: the past could not be read.
        """
        ...

    async def coarse_range(self, start: datetime, end: datetime, step: timedelta) -> tuple[Backfill, Backfill]:
        """Return the mean and the largest value over each `step` that ends at a grid point in [start, end].

        Raises:
            SourceError: the past could not be read.
        """
        ...
