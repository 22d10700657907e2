from __future__ import annotations

import gzip
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.sources.csv import Columns, InvalidCsv, read_csv_series
from agent.sources.source import SignalState

STEP = timedelta(seconds=15)
NAN = float("nan")


def _write(folder: Path, *lines: str) -> Path:
    file = folder / "demand.csv"
    file.write_text("\n".join(lines) + "\n")
    return file


def test_a_regular_file_is_its_own_grid(tmp_path: Path) -> None:
    found = read_csv_series(_write(tmp_path, "timestamp,value", "1500,1", "1515,2", "1530,3"), STEP)

    assert found.series.start == datetime(1970, 1, 1, 0, 25, tzinfo=UTC)
    assert found.series.values.tolist() == [1.0, 2.0, 3.0]
    assert (found.dropped, found.warnings) == (0, ())


def test_a_packed_file_without_a_header_is_read(tmp_path: Path) -> None:
    file = tmp_path / "demand.csv.gz"
    file.write_bytes(gzip.compress(b"1500,1\r\n1515,2\r\n"))

    assert read_csv_series(file, STEP).series.values.tolist() == [1.0, 2.0]


def test_iso_times_without_an_offset_are_utc(tmp_path: Path) -> None:
    file = _write(tmp_path, "when,load", "2026-11-24T12:00:00,1", "2026-11-24T13:00:15+01:00,2")
    series = read_csv_series(file, STEP, columns=Columns("when", "load")).series

    assert series.start == datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
    assert series.values.tolist() == [1.0, 2.0]


def test_rows_within_a_step_are_its_mean_at_its_end(tmp_path: Path) -> None:
    series = read_csv_series(_write(tmp_path, "1500,1", "1501,2", "1510,4", "1515,6", "1516,9"), STEP).series

    assert series.values.tolist() == [1.0, 4.0, 9.0]


def test_a_value_holds_until_the_next_row_but_not_over_a_gap(tmp_path: Path) -> None:
    series = read_csv_series(_write(tmp_path, "1500,1", "1530,2", "1560,3", "1650,4"), STEP).series

    np.testing.assert_array_equal(series.values, [1, 1, 2, 2, 3, 3, 3, NAN, NAN, NAN, 4][: len(series)])


def test_what_cannot_be_used_is_counted_and_told(tmp_path: Path) -> None:
    lines = ["1500,1", "1515,", "1530,NaN", "1545,inf", "1560,-1", "1500,9", "1590,2", "1575,3", "9000,5"]
    found = read_csv_series(_write(tmp_path, *lines), STEP, now=datetime.fromtimestamp(2000, UTC))

    np.testing.assert_array_equal(found.series.values, [1, NAN, NAN, NAN, NAN, 3, 2])
    assert found.dropped == 6
    assert [warning.partition(".csv: ")[2] for warning in found.warnings] == [
        "dropped rows that have no value: 2, the first is line 2: 1515,",
        "dropped rows that are infinite: 1, the first is line 4: 1545,inf",
        "dropped rows that are below 0: 1, the first is line 5: 1560,-1",
        "dropped rows that lie in the future: 1, the first is line 9: 9000,5",
        "dropped rows that repeat a time: 1, the first is line 6: 1500,9",
        "rows earlier than the one before them, put in order: 2, the first is line 6: 1500,9",
    ]


def test_the_line_of_what_is_dropped_counts_header_and_empty_lines(tmp_path: Path) -> None:
    found = read_csv_series(_write(tmp_path, "timestamp,value", "", "1500,1", "1515,-7"), STEP)

    assert found.warnings[0].endswith("dropped rows that are below 0: 1, the first is line 4: 1515,-7")


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (["timestamp,value", "1500,1", "1515,abc"], "demand.csv:3: value 'abc' is not a number"),
        (["timestamp,value", "1500,1", "yesterday,2"], "demand.csv:3: time 'yesterday' is not one like '1500'"),
        (["timestamp,value", "1500,1", "", "2026-11-24T12:00:00Z,2"], "demand.csv:4: time '2026-11-24T12:00:00Z'"),
        (["timestamp,value", "1500,1", "1515"], "demand.csv:3: has 1 columns and needs 2"),
        (["timestamp,valeu", "1500,1"], "has no column 'value' but timestamp, valeu; did you mean 'valeu'?"),
        (["1500000000000,1"], "has the time 1500000000000"),
        (["0,1", "4000000000,1"], "266666668 steps"),
        (["timestamp,value"], "holds no usable row"),
        (["1500,nan"], "holds no usable row"),
    ],
)
def test_a_file_that_is_no_series_is_refused_with_its_place(tmp_path: Path, lines: list[str], message: str) -> None:
    with pytest.raises(InvalidCsv) as caught:
        read_csv_series(_write(tmp_path, *lines), STEP)

    assert message in str(caught.value)
    assert caught.value.state is SignalState.MALFORMED


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidCsv, match=r"absent\.csv: cannot be read: No such file"):
        read_csv_series(tmp_path / "absent.csv", STEP)


@given(rows=st.dictionaries(st.integers(0, 2000), st.floats(0, 1e9), min_size=1, max_size=40))
def test_no_point_knows_a_row_after_it(tmp_path_factory: pytest.TempPathFactory, rows: dict[int, float]) -> None:
    file = tmp_path_factory.mktemp("csv") / "demand.csv"
    file.write_text("".join(f"{at},{value!r}\n" for at, value in rows.items()))
    series = read_csv_series(file, STEP).series

    for instant, value in zip(series.seconds(), series.values, strict=True):
        known = [each for at, each in rows.items() if at <= instant]
        assert np.isnan(value) or min(known) * (1 - 1e-9) <= value <= max(known) * (1 + 1e-9)
