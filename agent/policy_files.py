"""Policies from files: read at start, read again when a file changes, the last good ones kept when it is wrong."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from agent.engine import Assignment
from agent.log import logger
from agent.policy import ForecastPolicy, InvalidPolicy, load_policies


class PolicyFiles:
    """A folder, or one file, of ForecastPolicy documents."""

    def __init__(self, path: Path, assigned: Callable[[ForecastPolicy], Assignment]) -> None:
        """Watch a path.

        Args:
            path: file or folder.
            assigned: makes of a document what the engine works on.
        """
        self._path = path
        self._assigned = assigned
        self._seen: object = None
        self._log = logger("policies")

    def first(self) -> Sequence[Assignment]:
        """Return the policies at start.

        Raises:
            InvalidPolicy: a document is wrong; all its faults are named.
        """
        self._seen = self._fingerprint()
        return [self._assigned(policy) for policy in load_policies(self._path)]

    def changed(self) -> Sequence[Assignment] | None:
        """Return all policies if a file has changed; None if not, or if one is wrong now, which is logged once."""
        fingerprint = self._fingerprint()
        if fingerprint == self._seen:
            return None
        self._seen = fingerprint
        try:
            return [self._assigned(policy) for policy in load_policies(self._path)]
        except InvalidPolicy as error:
            self._log.error(
                "policies_refused", path=str(self._path), faults=str(error), effect="the last good ones stay"
            )
            return None

    def _fingerprint(self) -> object:
        files = sorted(self._path.iterdir()) if self._path.is_dir() else [self._path]
        seen = []
        for file in files:
            try:
                status = file.stat()
            except OSError:
                continue  # gone between the listing and the look; the next look sees it so
            seen.append((file.name, status.st_mtime_ns, status.st_size, status.st_ino))
        return seen
