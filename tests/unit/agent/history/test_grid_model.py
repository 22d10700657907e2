"""`History` against a model made of dicts, over any mix of appends, jumps, late samples and backfills."""

import math
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.history.grid import History, Taken
from agent.sources.source import Sample
from forecasters.series import Series, grid_index, grid_instant
from tests.fakes.history import NaiveHistory

MINUTE = timedelta(minutes=1)
START = datetime(2026, 11, 22, tzinfo=UTC)
VALUES = st.one_of(st.floats(0, 1000, width=32), st.just(float("nan")))
HOPS = st.one_of(st.integers(-15, 6), st.integers(20, 60))
OPERATIONS = st.lists(
    st.one_of(
        st.tuples(st.just("append"), HOPS, st.lists(st.floats(0, 1000, width=32), min_size=1, max_size=1)),
        st.tuples(st.just("backfill_fine"), st.integers(-60, 10), st.lists(VALUES, max_size=40)),
        st.tuples(st.just("backfill_coarse"), st.integers(-30, 10), st.lists(VALUES, max_size=25)),
    ),
    max_size=30,
)


def as_dict(series: Series) -> dict[int, float]:
    return by_index(grid_index(series.start, series.step), series.values)


def by_index(first: int, values: np.ndarray) -> dict[int, float]:
    return {first + i: value for i, value in enumerate(values.tolist()) if not math.isnan(value)}


@pytest.mark.parametrize("seconds", [15, 45, 60])
@given(operations=OPERATIONS)
def test_history_is_what_the_plain_model_says(seconds: int, operations: list[tuple[str, int, list[float]]]):
    step = timedelta(seconds=seconds)
    history = History(step, fine_span=12 * step if seconds < 60 else 6 * step, coarse_span=20 * MINUTE)
    model = NaiveHistory(seconds, 60, fine_slots=12 if seconds < 60 else 6, coarse_slots=20)
    now = grid_index(START, step)
    for kind, hop, values in operations:
        coarse = grid_index(grid_instant(now, step), MINUTE) + hop
        if kind == "append":
            now += max(hop, 0)
            index = now + min(hop, 0)
            taken = history.append(Sample(grid_instant(index, step), values[0]), grid_instant(now, step))
            assert (taken is Taken.ACCEPTED) == model.append(index, values[0])
        elif kind == "backfill_fine":
            history.backfill_fine(Series(grid_instant(now + hop, step), step, np.array(values, dtype=float)))
            model.backfill_fine(now + hop, values)
        else:
            series = Series(grid_instant(coarse, MINUTE), MINUTE, np.array(values, dtype=float))
            history.backfill_coarse(series, series)
            model.backfill_coarse(coarse, values)

    assert as_dict(history.fine()) == model.fine
    assert as_dict(history.coarse_mean()) == pytest.approx({at: pair[0] for at, pair in model.coarse.items()}, rel=1e-6)
    # kept beside the mean with 11 bits; of a mean at the edge of float32 even less is left
    largest = {at: pair[1] for at, pair in model.coarse.items()}
    kept = history.coarse()
    assert by_index(kept.first, kept.largest) == pytest.approx(largest, rel=1 / 2000, abs=1e-37)
