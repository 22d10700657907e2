"""Notices that a signal's demand came to another level for good. No I/O and no clock."""

from __future__ import annotations

from datetime import timedelta

from agent.coarse_past import rows_of
from agent.history.grid import History
from forecasters.level_change import level_changes

_HOUR = timedelta(hours=1)


class LevelWatch:
    """Looks at the history once an hour."""

    def __init__(self, history: History, *, most: float) -> None:
        """Look at a signal.

        Args:
            history: of the signal; read, never written.
            most: demand above this is seen as this.
        """
        self._history, self._most = history, most
        self._per_hour = max(1, round(_HOUR / history.coarse_step))
        self._row: int | None = None  # the coarse step that was looked at last

    def has_changed(self) -> bool:
        """Return whether a change of level has become certain since this was last asked; ask at every sample."""
        newest = self._history.newest_coarse
        if newest is None:
            return False
        row = newest - newest % self._per_hour
        before, self._row = self._row, row
        if before is None or row <= before:  # what lies before the first sample was lived through in the walk
            return False
        past = rows_of(self._history.coarse(), self._history.coarse_step, most=self._most)
        return bool((level_changes(past) + past.first > before).any())
