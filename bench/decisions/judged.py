"""The page of what an independent judge found: `python -m bench.decisions.judged RUNS.jsonl … > FILE`.

The judge plays traces against `foretide replay` beside reactive scaling and writes one JSON object per trace: its
start-up, the reactive curve, and for each risk the run's cost, unserved demand, short time, actions and CPU.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import mean, median
from typing import Any

LEVELS = (0.1, 1.0)  # unserved demand, percent
FINE = 60  # seconds; coarser traces are straight lines between their rows
CALM = 8.0  # actions an hour
_FLOOR = 1e-3  # percent unserved, as good as none

Record = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Level:
    """What a trace's runs come to at a level of unserved demand."""

    saved: float | None  # percent of reactive scaling's cost; None where one of both does not get there
    is_missed: bool = False  # whether reactive scaling gets there and no run does


def at_level(record: Record, level: float) -> Level:
    """Return what the run with the most unserved demand not above a level saves."""
    reach = [run for run in record["rows"] if run["unserved_pct"] <= level]
    if not reach:
        return Level(None, is_missed=min(unserved for _, unserved in record["reactive"]) <= level)
    best = max(reach, key=lambda run: (run["unserved_pct"], -run["cost"]))
    if best["saved_pct"] is not None and best["unserved_pct"] >= _FLOOR:
        return Level(float(best["saved_pct"]))
    most = max(best["unserved_pct"], _FLOOR)
    cheapest = min((cost for cost, unserved in record["reactive"] if unserved <= most), default=None)
    return Level(None if cheapest is None else 100 * (1 - best["cost"] / cheapest))


def page(records: Sequence[Record]) -> str:
    """Return the page as Markdown."""
    return "\n\n".join(_parts(records)) + "\n"


def _parts(records: Sequence[Record]) -> Iterable[str]:
    yield _HEAD
    for start_up in sorted({record["startup_s"] for record in records}):
        of_start_up = [record for record in records if record["startup_s"] == start_up]
        yield f"## Start-up {start_up} s"
        yield _summary(of_start_up)
        yield _table(of_start_up)


_HEAD = """# Judged by another program

Real traces, up to 14 days of history and 3 scored days each, played by a judge that knows nothing of the policy's
inside against `foretide replay`, one line per 15 s, at seven risks from 20 % to 0.05 %. The rival is reactive scaling
with its target chosen for each trace in hindsight.

- **saved**: cost below the rival's at the same unserved demand, of the run with the most unserved demand not above the
  level; below 0 it is dearer, *missed* where the rival gets to the level and no run does, – where nobody does.
- **kept**: share of runs short for at most 1.5 times the risk and 0.1 points.
- **actions/h** and **CPU per line**: median of a trace's runs; the CPU has start and priming in it."""


def _summary(records: Sequence[Record]) -> str:
    heads = ["traces", *(f"saved at {level:g} %" for level in LEVELS), "kept", "actions/h", f"<= {CALM:g}/h", "CPU"]
    groups = {"all": records, f"{FINE} s and finer": [each for each in records if each["step_s"] <= FINE]}
    return _markdown(heads, [_group(name, group) for name, group in groups.items() if group])


def _group(name: str, records: Sequence[Record]) -> list[str]:
    runs = [run for record in records for run in record["rows"]]
    calm = mean(_median(record, "actions_per_h") <= CALM for record in records)
    return [
        f"{name}, {len(records)}",
        *(_spread([at_level(record, level) for record in records]) for level in LEVELS),
        f"{mean(run['kept'] for run in runs):.0%}",
        f"{median(run['actions_per_h'] for run in runs):.1f}",
        f"{calm:.0%}",
        f"{median(run['cpu_ms_per_step'] for run in runs):.2f} ms",
    ]


def _spread(levels: Sequence[Level]) -> str:
    saved = [level.saved for level in levels if level.saved is not None]
    missed = sum(level.is_missed for level in levels)
    if not saved:
        return "–"
    told = f"{median(saved):+.1f}, worst {min(saved):+.1f}, best {max(saved):+.1f} ({len(saved)}"
    return f"{told}, {missed} missed)" if missed else f"{told})"


def _table(records: Sequence[Record]) -> str:
    heads = ["trace", *(f"saved at {level:g} %" for level in LEVELS), "kept", "actions/h", "CPU per line"]
    rows = [
        [
            str(record["trace"]).removesuffix(".csv.gz"),
            *(_shown(at_level(record, level)) for level in LEVELS),
            f"{sum(run['kept'] for run in record['rows'])} of {len(record['rows'])}",
            f"{_median(record, 'actions_per_h'):.1f}",
            f"{_median(record, 'cpu_ms_per_step'):.2f} ms",
        ]
        for record in records
    ]
    return _markdown(heads, rows)


def _shown(level: Level) -> str:
    if level.saved is None:
        return "missed" if level.is_missed else "–"
    return f"{level.saved:+.1f}"


def _median(record: Record, name: str) -> float:
    return float(median(run[name] for run in record["rows"]))


def _markdown(heads: list[str], rows: list[list[str]]) -> str:
    lines = [heads, ["---"] + ["---:"] * (len(heads) - 1), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


if __name__ == "__main__":
    lines = [line for name in sys.argv[1:] for line in Path(name).read_text("utf-8").splitlines()]
    print(page([json.loads(line) for line in lines]), end="")
