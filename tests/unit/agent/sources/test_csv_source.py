from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from agent.sources.csv import Columns
from agent.sources.csv_source import CsvSource
from agent.sources.source import SignalState, SourceError

STEP = timedelta(seconds=15)
NAN = float("nan")


def _at(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def _source(folder: Path, *lines: str) -> CsvSource:
    (folder / "demand.csv").write_text("\n".join(lines) + "\n")
    return CsvSource(folder / "demand.csv", columns=Columns(), step=STEP, delay=timedelta(0))


async def test_the_newest_row_up_to_now_is_read_with_its_own_time(tmp_path: Path) -> None:
    reading = await _source(tmp_path, "1500,1", "1515,2", "1530,3").latest(_at(1529))

    assert (reading.sample.at, reading.sample.value) == (_at(1515), 2.0)
    assert reading.newest == _at(1515)


async def test_a_row_that_was_appended_is_seen(tmp_path: Path) -> None:
    source = _source(tmp_path, "1500,1")
    await source.latest(_at(1515))
    _source(tmp_path, "1500,1", "1515,2")

    assert (await source.latest(_at(1515))).sample.value == 2.0


@pytest.mark.parametrize(("line", "state"), [("1600,1", SignalState.EMPTY), ("1500,-1", SignalState.NOT_A_NUMBER)])
async def test_no_usable_row_is_no_zero(tmp_path: Path, line: str, state: SignalState) -> None:
    with pytest.raises(SourceError) as caught:
        await _source(tmp_path, line).latest(_at(1515))

    assert caught.value.state is state


async def test_a_range_has_gaps_where_the_file_ends(tmp_path: Path) -> None:
    found = await _source(tmp_path, "1500,1", "1515,2", "1530,3").range(_at(1480), _at(1560), STEP)

    assert found.series.start == _at(1485)
    np.testing.assert_array_equal(found.series.values, [NAN, 1, 2, 3, NAN, NAN])


async def test_a_coarse_range_has_mean_and_largest_of_the_step_that_ends(tmp_path: Path) -> None:
    lines = [f"{1485 + 15 * index},{index}" for index in range(8)]
    mean, largest = await _source(tmp_path, *lines).coarse_range(_at(1480), _at(1630), timedelta(minutes=1))

    assert mean.series.start == _at(1500)
    np.testing.assert_array_equal(mean.series.values, [0.5, 3.5, 6.5])
    np.testing.assert_array_equal(largest.series.values, [1, 5, 7])
