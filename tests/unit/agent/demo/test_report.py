"""What `foretide demo --once` prints."""

import io
import json

from rich.console import Console

from agent.demo.report import as_json, as_table
from agent.demo.tally import Result

RESULTS = {
    "reactive": Result(replica_hours=270.0, unserved_pct=0.08, short_pct=0.0, actions_per_h=1.9),
    "foretide": Result(replica_hours=216.0, unserved_pct=0.04, short_pct=0.5, actions_per_h=1.9),
}


def printed(days: int) -> str:
    out = io.StringIO()
    Console(file=out, width=100, no_color=True).print(as_table(RESULTS, days=days))
    return out.getvalue()


def test_the_json_has_both_sides_and_the_four_figures_of_each() -> None:
    assert json.loads(as_json(RESULTS)) == {
        "reactive": {"replica_hours": 270.0, "unserved_pct": 0.08, "short_pct": 0.0, "actions_per_h": 1.9},
        "foretide": {"replica_hours": 216.0, "unserved_pct": 0.04, "short_pct": 0.5, "actions_per_h": 1.9},
    }


def test_the_table_names_both_sides_and_the_difference() -> None:
    text = printed(days=1)

    assert "one simulated day" in text
    assert "HPA at 70 %" in text
    assert "−20 %" in text
    assert "0.040 %" in text


def test_a_difference_from_nothing_is_not_a_number() -> None:
    short = next(line for line in printed(days=3).splitlines() if "time short" in line)

    assert "–" in short
    assert "inf" not in short
