"""Keeps the serving process small: glibc would give every thread a heap of its own and never return its holes."""

from __future__ import annotations

import ctypes

# From glibc's malloc.h. Other C libraries have no such parameter, or no mallopt at all.
_M_ARENA_MAX = -8


def share_one_heap() -> None:
    """Make all threads share one heap. Ours allocate little and hold the interpreter lock when they do."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_M_ARENA_MAX, 1)
