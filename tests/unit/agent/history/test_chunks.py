from datetime import UTC, datetime, timedelta

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from agent.history.chunks import chunk_of, chunks, instant_of, microseconds, points_of, series_of, tick_rows
from agent.history.store import StoredSample

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
SECOND = 1_000_000
FLOATS = st.floats(0, 1e6, width=32)


def pairs(at: list[int], values: list[float]) -> list[tuple[int, float]]:
    chunk = chunk_of(1, np.array(at, dtype=np.int64), np.array(values, dtype=np.float32))
    points = points_of(chunk.start_us, chunk.step_us, chunk.body)
    known = points[~np.isnan(points["value"])]
    return list(zip(known["at"].tolist(), known["value"].tolist(), strict=True))


def test_an_instant_survives_to_the_microsecond():
    instant = NOON + timedelta(microseconds=123_457)

    assert instant_of(microseconds(instant)) == instant


def test_a_regular_chunk_takes_four_bytes_a_sample():
    chunk = chunk_of(1, np.arange(240) * 15 * SECOND, np.ones(240, dtype=np.float32))

    assert (chunk.step_us, len(chunk.body)) == (15 * SECOND, 960)


def test_scattered_instants_are_kept_one_by_one():
    chunk = chunk_of(1, np.array([0, 7, 10 * SECOND]), np.ones(3, dtype=np.float32))

    assert (chunk.step_us, len(chunk.body)) == (0, 36)


def test_ticks_become_one_chunk_per_signal():
    ticks = [
        tick_rows([7, 3], [StoredSample("b", NOON + i * timedelta(seconds=15), i), StoredSample("a", NOON, 9.0)])
        for i in range(3)
    ]

    made = list(chunks(np.concatenate(ticks)))

    assert [chunk.signal for chunk in made] == [3, 7]
    assert points_of(made[0].start_us, made[0].step_us, made[0].body)["value"].tolist() == [9.0]
    assert points_of(made[1].start_us, made[1].step_us, made[1].body)["value"].tolist() == [0.0, 1.0, 2.0]


@given(taken=st.lists(st.tuples(st.integers(0, 200), FLOATS), min_size=1, max_size=60), step=st.sampled_from([1, 15]))
def test_a_chunk_gives_back_what_a_dict_would_hold(taken: list[tuple[int, float]], step: int):
    at = [index * step * SECOND for index, _ in taken]
    values = [value for _, value in taken]

    assert pairs(at, values) == sorted(dict(zip(at, values, strict=True)).items())


@given(at=st.lists(st.integers(0, 10**9), min_size=1, max_size=30, unique=True))
def test_no_spacing_of_instants_makes_a_chunk_large(at: list[int]):
    chunk = chunk_of(1, np.array(at, dtype=np.int64), np.ones(len(at), dtype=np.float32))

    assert len(chunk.body) <= 12 * len(at)


def test_samples_between_grid_points_count_for_the_one_before():
    points = points_of(
        14 * SECOND, 17 * SECOND, chunk_of(1, np.array([14, 31]) * SECOND, np.ones(2, dtype=np.float32)).body
    )

    series = series_of(points, since=datetime(1970, 1, 1, tzinfo=UTC), step=timedelta(seconds=15))

    np.testing.assert_array_equal(series.values, [1.0, np.nan, 1.0])
