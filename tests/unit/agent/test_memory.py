from __future__ import annotations

import gc

import psutil

from agent.memory import give_back, set_aside_what_stays


class Loaded:
    """Something that a library made and keeps."""


def test_what_has_been_loaded_is_looked_through_no_more_and_what_comes_later_is() -> None:
    before = Loaded()
    set_aside_what_stays()
    try:
        after = Loaded()
        looked_through = {id(each) for each in gc.get_objects()}
        assert (id(before) in looked_through, id(after) in looked_through) == (False, True)
    finally:
        gc.unfreeze()


def test_what_is_free_is_given_back() -> None:
    process = psutil.Process()
    kept = []
    pieces = [bytearray(60_000) for _ in range(2000)]
    kept.append(bytearray(60_000))  # the last one, so that the heap cannot end before it
    full = process.memory_info().rss
    del pieces
    give_back()
    assert process.memory_info().rss < full - 80_000_000
