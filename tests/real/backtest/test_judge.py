"""The judge's own program over `foretide replay`, and `foretide backtest`: two simulators, one outcome."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests import judge

pytestmark = pytest.mark.real
FORETIDE = f"{sys.executable} -c 'from agent.cli import main; main()'"
ROWS = 2 * 5760  # half a day of history, a day and a half that is scored
FIGURES = {
    "cost": "cost",
    "replica_hours": "replica_hours",
    "unserved_pct": "unserved_pct",
    "under_time_pct": "short_pct",
    "actions_per_h": "actions_per_h",
}


@pytest.fixture
def traces(tmp_path: Path) -> Path:
    """A folder with the beginning of a real trace, as the judge wants it."""
    with gzip.open(judge.trace("cloud/crane_15a_15s.csv.gz"), "rt") as file:
        lines = [line for _, line in zip(range(ROWS + 1), file, strict=False)]
    (tmp_path / "crane.csv").write_text("".join(lines))
    record = {"file": "crane.csv", "type": "series", "step_s": 15, "n": ROWS, "max": 1.0}
    (tmp_path / "index.json").write_text(json.dumps([record]))
    return tmp_path


def _judged(traces: Path, *, start_up: int, risk: str) -> dict[str, float]:
    out = traces / "out.jsonl"
    subprocess.run(
        [sys.executable, str(judge.program()), "--traces", str(traces), "--command", f"{FORETIDE} replay",
         "--startup", str(start_up), "--risks", risk, "--days", "14", "--min-history", "0", "--json", str(out)],
        check=True, capture_output=True, timeout=300, env=os.environ | {"PYTHONDONTWRITEBYTECODE": "1"},
    )  # fmt: skip
    row: dict[str, float] = json.loads(out.read_text())["rows"][0]
    return row


def _played(traces: Path, *, start_up: int, risk: str) -> dict[str, float]:
    done = subprocess.run(
        f"{FORETIDE} backtest --json --csv {traces / 'crane.csv'} --startup {start_up}s --risk {risk}%",
        shell=True, check=True, capture_output=True, timeout=300,
    )  # fmt: skip
    figures: dict[str, float] = json.loads(done.stdout)["policies"]["foretide"]
    return figures


@pytest.mark.parametrize(("start_up", "risk"), [(120, "1"), (600, "5")])
def test_the_judge_and_the_backtest_agree_on_foretide(traces: Path, start_up: int, risk: str) -> None:
    theirs, ours = (play(traces, start_up=start_up, risk=risk) for play in (_judged, _played))

    for judged, played in FIGURES.items():
        assert ours[played] == pytest.approx(theirs[judged], rel=0.02), played
