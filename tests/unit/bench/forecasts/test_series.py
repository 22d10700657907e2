"""What the models are measured on: generated loads, and traces by a fixed rule."""

from __future__ import annotations

import gzip
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from bench.forecasts.loads import DAY, generated
from bench.forecasts.traces import traces


def test_loads_are_the_same_on_every_run() -> None:
    first, second = generated(), generated()

    assert all(np.array_equal(first[name].values, second[name].values) for name in first)


@pytest.mark.parametrize("name", list(generated()))
def test_a_load_has_three_weeks_without_gaps_or_negative_demand(name: str) -> None:
    load = generated()[name]

    assert (len(load), load.present) == (21 * DAY, 21 * DAY)
    assert load.values.min() >= 0.0


@pytest.mark.parametrize(("name", "days"), [("level shift", 19.4), ("flash crowd", 18.55), ("flash crowd", 20.2)])
def test_what_is_sudden_happens_in_the_scored_days_too(name: str, days: float) -> None:
    values = generated()[name].values
    first = round(days * DAY)

    assert values[first + 4 : first + 8].mean() > 1.4 * values[first - 6 : first - 1].mean()


def trace(path: Path, *, days: float, step: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = round(days * 86_400 / step)
    with gzip.open(path, "wt") as lines:
        lines.write("timestamp,value\n")
        lines.writelines(f"{1_700_006_400 + row * step},{row % 7}\n" for row in range(rows))


def test_the_first_two_of_each_folder_that_are_long_and_fine_enough_are_taken(tmp_path: Path) -> None:
    trace(tmp_path / "web" / "a_short_300s.csv.gz", days=13.9, step=300)
    trace(tmp_path / "web" / "b_coarse_600s.csv.gz", days=20, step=600)
    trace(tmp_path / "web" / "c_fine_60s_semi.csv.gz", days=14, step=60)
    trace(tmp_path / "web" / "d_long_300s.csv.gz", days=30, step=300)
    trace(tmp_path / "web" / "e_third_300s.csv.gz", days=20, step=300)
    trace(tmp_path / "llm" / "f_other_300s.csv.gz", days=14, step=300)
    found = traces(tmp_path)

    assert list(found) == ["llm/f_other_300s", "web/c_fine_60s_semi", "web/d_long_300s"]
    assert {series.step for series in found.values()} == {timedelta(minutes=5)}
    assert len(found["web/d_long_300s"]) == 21 * 288


def test_a_list_of_jobs_is_no_series(tmp_path: Path) -> None:
    (tmp_path / "jobs").mkdir()
    with gzip.open(tmp_path / "jobs" / "a_300s.csv.gz", "wt") as lines:
        lines.write("submit_time,duration_s,gpus\n1,2,3\n")

    assert traces(tmp_path) == {}


def test_where_there_is_no_folder_there_are_no_traces(tmp_path: Path) -> None:
    assert traces(tmp_path / "none") == {}
