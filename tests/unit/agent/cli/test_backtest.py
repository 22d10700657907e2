"""`foretide backtest` as people type it: what it prints, and what it says where nothing can be played."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result
from numpy.typing import NDArray

from agent.cli import main
from tests.fakes.backtest import hours

START = 1_767_571_200


def write(folder: Path, values: NDArray[np.float64], *, step: int = 15, extra: dict[int, str] | None = None) -> Path:
    """A file of values; `extra` puts lines in the place of rows, by row."""
    lines = [f"{START + step * row},{value:.2f}" for row, value in enumerate(values.tolist())]
    for row, line in (extra or {}).items():
        lines[row] = line
    file = folder / "demand.csv"
    file.write_text("\n".join(["timestamp,value", *lines, ""]))
    return file


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, ["backtest", *(str(each) for each in arguments)])


def test_json_is_all_that_standard_output_gets(tmp_path: Path) -> None:
    result = run("--csv", write(tmp_path, hours(6)), "--capacity", "10", "--json")

    assert result.exit_code == 0
    assert set(json.loads(result.stdout)) == {"policies", "manifest", "assumed", "notices"}
    assert result.stderr == ""


def test_a_report_is_written_beside_the_table(tmp_path: Path) -> None:
    report = tmp_path / "report.html"
    result = run("--csv", write(tmp_path, hours(6)), "--html", report, "--name", "chat", "-n", "ml")

    assert result.exit_code == 0
    assert report.read_text().startswith("<!doctype html>")
    assert "The same load under each policy" in result.stdout
    assert 'policy: "chat"' in result.stdout


def test_part_of_a_file_is_played_by_its_times(tmp_path: Path) -> None:
    file = write(tmp_path, hours(12))
    since = ["--from", "2026-01-05T06:00:00Z"]
    begin = [json.loads(run("--csv", file, "--json", *span).stdout)["assumed"]["scored_since"] for span in (since, [])]

    assert begin == ["2026-01-05T07:30:00+00:00", "2026-01-05T03:00:00+00:00"]
    last = json.loads(run("--csv", file, "--json", "--until", "2026-01-05T06:00:00", "--days", "0.2").stdout)
    assert last["assumed"]["scored_until"] == "2026-01-05T06:00:15+00:00"


@pytest.mark.parametrize(
    ("extra", "told"),
    [
        ({7: "nonsense"}, "demand.csv:9: has 1 columns and needs 2: mend the line or take it out"),
        ({7: f"{START},abc"}, "demand.csv:9: value 'abc' is not a number: mend the line"),
        ({7: "yesterday,3"}, "demand.csv:9: time 'yesterday' is not one like '1767571200': mend the line"),
    ],
)
def test_a_line_that_is_no_row_is_named_and_nothing_is_played(tmp_path: Path, extra: dict[int, str], told: str) -> None:
    result = run("--csv", write(tmp_path, hours(1), extra=extra))

    assert result.exit_code == 2
    assert told in " ".join(result.stderr.split())


def test_rows_that_cannot_be_load_are_left_out_and_told_with_their_lines(tmp_path: Path) -> None:
    odd = {
        400: f"{START + 15 * 400},NaN",
        401: f"{START + 15 * 401},-5",
        402: f"{START + 15 * 402},1e18",
        403: f"{START + 15 * 300},7",  # a time that is there already, and before the one before
    }
    result = run("--csv", write(tmp_path, hours(6), extra=odd), "--capacity", "10", "--json")
    told = [notice["what"] for notice in json.loads(result.stdout)["notices"]]

    assert result.exit_code == 0
    assert [what.partition(".csv: ")[2] for what in told if ".csv: " in what] == [
        f"dropped rows that have no value: 1, the first is line 402: {START + 6000},NaN",
        f"dropped rows that are below 0: 1, the first is line 403: {START + 6015},-5",
        f"dropped rows that repeat a time: 1, the first is line 405: {START + 4500},7",
        f"rows earlier than the one before them, put in order: 1, the first is line 405: {START + 4500},7",
        "left out as a fault of the metric, 1 above 1.97e+05, a thousand times what demand is in 99 % of its time; the"
        " largest is 1e+18, in line 404. Mend the query or take it out",
    ]


def test_order_and_faulty_rows_change_no_figure(tmp_path: Path) -> None:
    values = hours(6)
    clean = run("--csv", write(tmp_path, values), "--capacity", "10", "--json")
    swapped = {700: f"{START + 15 * 701},{values[701]:.2f}", 701: f"{START + 15 * 700},{values[700]:.2f}"}
    mixed = run("--csv", write(tmp_path, values, extra=swapped), "--capacity", "10", "--json")

    assert json.loads(mixed.stdout)["policies"] == json.loads(clean.stdout)["policies"]


@pytest.mark.parametrize(
    ("values", "told"),
    [
        (hours(2), "the history reaches over 2 h 0 min, of which a quarter is history"),
        (np.zeros(1440), "no demand above 0, so nothing can go unserved: check the query or the file"),
        (np.where(np.arange(1440) < 800, 0.0, 9.0), "it does not say what one replica serves: give --capacity"),
    ],
)
def test_a_past_that_cannot_be_played_says_why_and_what_to_give(
    tmp_path: Path, values: NDArray[np.float64], told: str
) -> None:
    result = run("--csv", write(tmp_path, values))

    assert result.exit_code == 2
    assert told in " ".join(result.stderr.split())


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ([], "give the past once: --csv FILE, or --prometheus-url URL with --query PROMQL"),
        (["--prometheus-url", "http://127.0.0.1:9"], "--prometheus-url needs --query PROMQL"),
        (["--query", "up"], "--query needs a server"),
        (["--jobs", "jobs.csv"], "queues of jobs cannot be played yet, they come with a later version"),
        (["--csv", "FILE", "--query", "up"], "give the past once"),
        (["--csv", "FILE", "--risk", "1"], "must be a share with a percent sign, such as 1%"),
        (["--csv", "FILE", "--risk", "0%"], "--risk between 0% and 100%, got 70.000% and 0.000%"),
        (["--csv", "FILE", "--startup", "120"], "must be a duration"),
        (["--csv", "FILE", "--capacity", "0"], "must be above 0"),
        (["--csv", "FILE", "--min", "5", "--max", "4"], "--min 5 must be at most --max 4"),
        (["--csv", "FILE", "--from", "noon"], "must be ISO 8601 or unix seconds"),
        (
            ["--csv", "FILE", "--from", "2030-01-01"],
            "no usable row in the time asked for; its rows reach from 2026-01-05",
        ),
        (["--csv", "FILE", "--name", "My Service"], "metadata.name"),
        (["--csv", "FILE", "--startup", "2d"], "spec.leadTime.declared"),
        (["--csv", "FILE", "--html", "absent/report.html"], "there is no folder absent"),
    ],
)
def test_a_wrong_command_line_is_told_before_anything_is_played(
    tmp_path: Path, arguments: list[str], told: str
) -> None:
    file = write(tmp_path, hours(300))
    result = run(*(str(file) if each == "FILE" else each for each in arguments))

    assert result.exit_code == 2
    assert told in " ".join(result.stderr.split())


def test_a_server_that_does_not_answer_is_no_fault_of_the_command_line() -> None:
    result = run("--prometheus-url", "http://127.0.0.1:9", "--query", "up", "--capacity", "10")

    assert result.exit_code == 1
    assert "source default" in result.stderr
