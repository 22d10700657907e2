"""The watch over one live signal for demand that falls to near zero at once and for no known reason: an outage.

No I/O and no clock. What is usual at a time of the week comes from the history, and so does what the watch has learned
when it begins: nothing of it is stored.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from agent.coarse_past import rows_of
from agent.history.grid import History
from agent.local_time import LocalTime
from forecasters.falls import states, usual_at
from forecasters.outage import LONGEST, SETTLE, Outage, OutageWatch
from forecasters.past import Past
from forecasters.series import grid_index, grid_instant
from scalers.decision import Fall


class FallWatch:
    """Says of each sample whether replicas are to be held because demand has fallen away."""

    def __init__(self, history: History, *, most: float, local: LocalTime) -> None:
        """Look at a signal.

        Args:
            history: of the signal; read, never written.
            most: demand above this is seen as this: beside a metric's bug, everything is near zero.
            local: the clock that the demand follows.
        """
        self._history, self._most, self._local = history, most, local
        self._watch = OutageWatch(history.step)
        self._last: int | None = None  # grid index of the newest sample seen
        self._is_behind = False  # whether the history has grown otherwise than by samples
        self._since: datetime | None = None
        self._back: datetime | None = None

    @property
    def noticed_within(self) -> timedelta:
        """How long after demand was last there a fall is noticed, at most."""
        return self._watch.noticed_within

    @property
    def fall(self) -> Fall | None:
        """The fall that replicas are held for; None where there is none."""
        if self._watch.state is Outage.NONE or self._since is None:
            return None
        until = self._since + LONGEST
        if self._back is not None:
            until = min(until, self._back + SETTLE)
        return Fall(since=self._since, until=until, before=self._watch.level, is_back=self._back is not None)

    def learn_at_once(self) -> None:
        """Make it look at the whole history before the next sample."""
        self._is_behind = True

    def observe(self, at: datetime, demand: float) -> None:
        """Take in the newest sample, which the history has already."""
        index = grid_index(at, self._history.step)
        if self._is_behind:
            self._learn(until=index)
        if self._last is not None and index > self._last + 1:
            self._watch.skip(index - self._last - 1)
        self._last = index
        demand = min(demand, self._most)
        before = self._watch.state
        past = self._past() if self._watch.is_odd(demand) else None
        state = self._watch.observe(demand, None if past is None else usual_at(past, len(past)))
        self._note(at, before, state)

    def _learn(self, *, until: int) -> None:
        """Live through the history, up to a sample that is not part of it."""
        self._watch, self._since, self._back, self._is_behind = OutageWatch(self._history.step), None, None, False
        row, per_row = self._history.coarse_step, max(1, round(self._history.coarse_step / self._history.step))
        past, before = self._past(), self._watch.state
        for index, state in enumerate(states(self._watch, past, per_row=per_row), start=past.first):
            self._note(grid_instant(index, row), before, state)
            before = state
        end = grid_instant(past.first + len(past) - 1, row)
        self._last = min(until - 1, grid_index(end, self._history.step)) if len(past) else None

    def _note(self, at: datetime, before: Outage, state: Outage) -> None:
        """Note when a fall began, and when demand was back."""
        if state is before:
            return
        if before is Outage.NONE:
            self._since = at
        self._back = at if state is Outage.RETURNING else None

    def _past(self) -> Past:
        return rows_of(self._history.coarse(), self._history.coarse_step, most=self._most, local=self._local)
