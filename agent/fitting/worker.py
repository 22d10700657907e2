"""The child process in which fits run. Imports nothing heavy: it is loaded before the limits below are set."""

from __future__ import annotations

import multiprocessing
import os
import sys
import threading
from contextlib import contextmanager
from multiprocessing.context import SpawnContext, SpawnProcess
from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_NICENESS = 10  # answers to KEDA go first: a fit at normal priority doubles the gRPC p99
_THREAD_LIMITS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS")

_starting = threading.Lock()


def prepare() -> None:
    """Make this process polite: lower priority, one thread for linear algebra, and no longer life than its agent's.

    Call before numpy is imported.
    """
    threading.Thread(target=_end_with_parent, name="parent", daemon=True).start()
    os.nice(_NICENESS)
    for name in _THREAD_LIMITS:
        os.environ[name] = "1"


def _end_with_parent() -> None:
    """Leave when the agent is gone, also in the midst of a fit: one that hangs would stay for ever."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


class FitProcess(SpawnProcess):
    """A spawned process that does not run the parent's main script again.

    `multiprocessing` imports the parent's `__main__` in a spawned child so that functions defined there can be
    unpickled. Ours is the console script: it would load the whole command line into every worker.
    """

    def start(self) -> None:
        """Start the child."""
        with _without_main_script():
            super().start()


class FitContext(SpawnContext):
    """The `multiprocessing` context that a pool makes its workers from."""

    Process = FitProcess


@contextmanager
def _without_main_script() -> Iterator[None]:
    with _starting:
        main = sys.modules["__main__"]
        sys.modules["__main__"] = ModuleType("__main__")
        try:
            yield
        finally:
            sys.modules["__main__"] = main
