"""Keeps the serving process small, and its pauses short.

glibc would give every thread a heap of its own, and never return its holes of itself. Python's collector would look
through all that the libraries consist of, a tenth of a second in which no thread runs and KEDA waits.
"""

from __future__ import annotations

import ctypes
import gc

# From glibc's malloc.h. Other C libraries have no such parameter, or no mallopt at all.
_M_ARENA_MAX = -8


def share_one_heap() -> None:
    """Make all threads share one heap. Ours allocate little and hold the interpreter lock when they do."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_M_ARENA_MAX, 1)


def give_back() -> None:
    """Give the system what is free: some 30 ms after thousands of connections have gone, else next to nothing."""
    malloc_trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if malloc_trim is not None:
        malloc_trim(0)


def set_aside_what_stays() -> None:
    """Take all that has been loaded and built out of the collector's sight; what is made from now on is collected."""
    gc.collect()
    gc.freeze()
