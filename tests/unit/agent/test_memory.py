from __future__ import annotations

import gc

from agent.memory import set_aside_what_stays


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
