"""`foretide backtest` on what a real Prometheus has, beside the same past from a file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from agent.cli import main
from forecasters.series import Series
from tests.real.prometheus import rig

pytestmark = pytest.mark.real

QUERY = 'sum(requests{app="chat"})'
AFTER_THE_GAP = 6200  # rows


def _run(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["backtest", "--json", *arguments])


def _from_server(history: rig.PrometheusServer, part: Series, query: str) -> Result:
    times = ["--from", part.start.isoformat(), "--until", part.end.isoformat()]
    return _run("--prometheus-url", history.url, "--query", query, *times)


def test_a_past_from_prometheus_gives_what_the_same_file_gives(
    history: rig.PrometheusServer, trace: Series, tmp_path: Path
) -> None:
    whole = trace.last(len(trace) - AFTER_THE_GAP)  # into a gap the server carries its last sample, and a file does not
    file = tmp_path / "demand.csv"
    rows = zip(whole.seconds().tolist(), whole.values.tolist(), strict=True)
    file.write_text("".join(f"{at:.0f},{value!r}\n" for at, value in rows))
    server, csv = _from_server(history, whole, QUERY), _run("--csv", str(file))

    assert server.exit_code == csv.exit_code == 0
    assert json.loads(server.stdout)["policies"] == json.loads(csv.stdout)["policies"]


def test_the_gap_is_told_and_the_query_is_in_the_manifest(history: rig.PrometheusServer, trace: Series) -> None:
    document = json.loads(_from_server(history, trace, QUERY).stdout)

    assert json.dumps(QUERY) in document["manifest"]
    assert any(notice["what"].startswith("25 min of 3 d have no value") for notice in document["notices"])


@pytest.mark.parametrize(
    ("query", "code", "told"),
    [
        ("several", 1, "returns 2 series (labels pod): wrap it in sum()"),
        ("sum(requests", 1, "HTTP 400"),
        ("sum(nobody)", 2, "there is no value between"),
    ],
)
def test_a_query_that_is_no_demand_says_what_to_mend(
    history: rig.PrometheusServer, trace: Series, query: str, code: int, told: str
) -> None:
    result = _from_server(history, trace, query)

    assert result.exit_code == code
    assert told in " ".join(result.stderr.split())
