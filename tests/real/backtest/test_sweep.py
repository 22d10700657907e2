"""A sweep as people start it: processes of its own for every risk, one outcome, nothing left behind."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fakes.backtest import hours

pytestmark = pytest.mark.real
FORETIDE = (sys.executable, "-c", "from agent.cli import main; main()")


@pytest.fixture
def past(tmp_path: Path) -> Path:
    file = tmp_path / "demand.csv"
    rows = enumerate(hours(6).tolist())
    file.write_text("".join(f"{1_767_571_200 + 15 * row},{value!r}\n" for row, value in rows))
    return file


def _played(*arguments: str) -> dict[str, dict[str, object]]:
    done = subprocess.run(
        [*FORETIDE, "backtest", "--json", "--capacity", "10", *arguments],
        capture_output=True, text=True, timeout=180, check=True,
    )  # fmt: skip
    assert done.stderr == ""
    document: dict[str, dict[str, object]] = json.loads(done.stdout)
    return document


def test_a_sweep_draws_the_curve_and_changes_no_figure(past: Path, tmp_path: Path) -> None:
    report = tmp_path / "report.html"
    swept = _played("--csv", str(past), "--sweep", "--html", str(report))
    curve = swept["sweep"]["foretide"]
    assert isinstance(curve, list)

    assert [row["risk_pct"] for row in curve] == pytest.approx([20, 10, 5, 2, 1, 0.5, 0.2, 0.1, 0.05])
    assert swept["policies"] == _played("--csv", str(past))["policies"]
    assert "Foretide at risks of" in report.read_text()
