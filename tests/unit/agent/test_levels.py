from __future__ import annotations

from datetime import timedelta

import numpy as np

from agent.history.grid import History
from agent.levels import LevelWatch
from agent.sources.source import Sample
from forecasters.series import Series
from tests.fakes.loads import MONDAY, daily

MINUTE, DAY = timedelta(minutes=1), 1440
MOST = 1e6


def lived(values: np.ndarray, *, known: int) -> list[int]:
    """Return the minutes at which a change was noticed, by a watch that begins after so many known ones."""
    history = History(MINUTE, fine_span=timedelta(hours=6), coarse_span=timedelta(days=14))
    history.backfill_fine(Series(MONDAY, MINUTE, values[:known]))
    watch, noticed = LevelWatch(history, most=MOST), []
    for place in range(known, len(values)):
        at = MONDAY + place * MINUTE
        history.append(Sample(at, float(values[place])), at)
        if watch.has_changed():
            noticed.append(place)
    return noticed


def test_a_change_is_noticed_once_a_day_after_it() -> None:
    values = daily(12, step=MINUTE).values.copy()
    values[9 * DAY :] *= 2.0
    (noticed,) = lived(values, known=8 * DAY)
    assert 9 * DAY + 1200 <= noticed <= 10 * DAY + 61


def test_a_change_that_lies_before_the_first_sample_was_lived_through_elsewhere() -> None:
    values = daily(12, step=MINUTE).values.copy()
    values[8 * DAY :] *= 2.0
    assert lived(values, known=10 * DAY) == []
