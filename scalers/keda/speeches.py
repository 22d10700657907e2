"""What the two kinds of stream say, and when: of activity the state, each change and a slow repeat at zero; the spec.

There are 20,000 of them, so a speech is one small object that is asked for its next words. It has no coroutine of its
own, which would be another kilobyte.
"""

from __future__ import annotations

import asyncio
import time
from types import TracebackType
from typing import Self

from scalers.keda.metrics import metric_spec
from scalers.keda.proto.externalscaler_pb2 import GetMetricSpecResponse, IsActiveResponse
from scalers.keda.pulses import Feeds, Pulse
from scalers.keda.streams import Streams
from scalers.policy import PolicyKey

# One message of each kind for all streams: none is ever changed.
_IS_ACTIVE = {is_active: IsActiveResponse(result=is_active) for is_active in (False, True)}
_SPEC = metric_spec()


class ActivitySpeech:
    """What one StreamIsActive says; it ends by age or with the server."""

    __slots__ = ("_bell", "_changed_at", "_ends_at", "_feed", "_feeds", "_repeat_at", "_said")

    def __init__(self, feeds: Feeds, key: PolicyKey, peer: str) -> None:
        """Begin to listen.

        Raises:
            LimitExceeded: the peer has as many streams as it may.
        """
        self._feeds = feeds
        self._bell = feeds.streams.open(peer)
        self._feed = feeds.join(key, self._bell)
        self._said: Pulse | None = None
        self._changed_at: float | None = None  # of the change that is being written
        self._repeat_at = 0.0
        self._ends_at = feeds.streams.soon(feeds.streams.settings.age, least=0.8)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._feeds.leave(self._feed, self._bell)
        self._feeds.streams.close(self._bell)

    def words(self) -> IsActiveResponse | None:
        """Return the state if it is known and to be told now."""
        if self._changed_at is not None:
            self._feeds.pushed(time.monotonic() - self._changed_at)
            self._changed_at = None
        if self._feeds.streams.is_over(self._ends_at):
            return None
        pulse = self._feed.look()
        if pulse is None or not self._is_due(pulse):
            return None
        self._say(pulse)
        return _IS_ACTIVE[pulse.is_active]

    def silence(self) -> asyncio.Future[None] | None:
        """Return what ends when the state has changed, or is to be told again, or the stream has to end."""
        if self._feeds.streams.is_over(self._ends_at):
            return None
        pulse = self._feed.pulse  # `words` has looked just now
        is_repeated = pulse is not None and pulse.is_repeated
        return self._bell.sleep_until(min(self._repeat_at, self._ends_at) if is_repeated else self._ends_at)

    def _is_due(self, pulse: Pulse) -> bool:
        if self._said is None or self._said.is_active != pulse.is_active:
            return True
        if not pulse.is_repeated:
            return False
        return not self._said.at_zero or self._feeds.streams.now() >= self._repeat_at

    def _say(self, pulse: Pulse) -> None:
        if self._said is not None and self._said.is_active != pulse.is_active:
            self._changed_at = self._feed.changed_at
        self._said = pulse
        if pulse.is_repeated:
            self._repeat_at = self._feeds.streams.soon(self._feeds.streams.settings.repeat, least=0.5)


class SpecSpeech:
    """What one StreamMetricSpec says: the constant spec, at once and again, as KEDA loses it on any error."""

    __slots__ = ("_bell", "_ends_at", "_repeat_at", "_streams")

    def __init__(self, streams: Streams, peer: str) -> None:
        """Begin.

        Raises:
            LimitExceeded: the peer has as many streams as it may.
        """
        self._streams = streams
        self._bell = streams.open(peer)
        self._repeat_at = 0.0
        self._ends_at = streams.soon(streams.settings.age, least=0.8)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._streams.close(self._bell)

    def words(self) -> GetMetricSpecResponse | None:
        """Return the spec if it is to be told now."""
        if self._streams.is_over(self._ends_at) or self._streams.now() < self._repeat_at:
            return None
        self._repeat_at = self._streams.soon(self._streams.settings.respec, least=0.8)
        return _SPEC

    def silence(self) -> asyncio.Future[None] | None:
        """Return what ends when the spec is to be told again, or the stream has to end."""
        if self._streams.is_over(self._ends_at):
            return None
        return self._bell.sleep_until(min(self._repeat_at, self._ends_at))
