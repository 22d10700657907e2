"""Opens the store that the agent's settings ask for."""

from __future__ import annotations

from pathlib import Path

from agent.clock import Clock
from agent.history.data_dir import DataDir
from agent.history.fallback import FallbackStore
from agent.history.memory import MemoryStore
from agent.history.store import Store, StoreLimits


def open_store(data_dir: Path | None, *, clock: Clock, limits: StoreLimits | None = None) -> Store:
    """Return the store in a data directory, or one in memory where there is no directory.

    A directory that cannot be used now gives a store that works in memory, says so in its notes and tries again.

    Raises:
        DataDirInUse: another agent has the directory.
    """
    limits = StoreLimits() if limits is None else limits
    if data_dir is None:
        return MemoryStore(limits)
    return FallbackStore(DataDir(data_dir, limits), clock=clock, limits=limits)
