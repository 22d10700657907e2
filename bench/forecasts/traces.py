"""Real traces, chosen by a rule that was fixed before any result was seen.

The rule: the first two of each folder, by name, that have a fortnight at 5 min or finer.

A folder of traces has one folder per family, and in it files `<name>_<step>s.csv.gz` with columns timestamp, value.
"""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from forecasters.series import Series

STEP = timedelta(minutes=5)
PER_FOLDER = 2
LEAST = timedelta(days=14)
MOST = timedelta(days=21)  # the newest part of a longer trace
BESIDE = Path(__file__).resolve().parents[3] / "shared" / "traces"  # beside the checkout, where there is one

_NAME = re.compile(r"(?P<name>.+?)_(?P<seconds>\d+)s(_\w+)?\.csv\.gz")


def traces(folder: Path) -> dict[str, Series]:
    """Return the chosen traces at 5 min by name; none where there is no such folder."""
    found: dict[str, Series] = {}
    for family in sorted(path for path in folder.glob("*") if path.is_dir()):
        chosen = (series for path in sorted(family.iterdir()) for series in _long_enough(path))
        for (name, series), _ in zip(chosen, range(PER_FOLDER), strict=False):
            found[f"{family.name}/{name}"] = series
    return found


def _long_enough(path: Path) -> Iterator[tuple[str, Series]]:
    parts = _NAME.fullmatch(path.name)
    if parts is None or timedelta(seconds=int(parts["seconds"])) > STEP:
        return
    step = timedelta(seconds=int(parts["seconds"]))
    with gzip.open(path, "rt") as lines:
        if next(lines).strip() != "timestamp,value":
            return  # a list of jobs
        rows = np.loadtxt(lines, delimiter=",")
    start = datetime.fromtimestamp(int(rows[0, 0]) // step.total_seconds() * step.total_seconds(), tz=UTC)
    series = Series(start, step, rows[:, 1]).coarsened(STEP)
    if len(rows) * step >= LEAST:
        yield path.name.removesuffix(".csv.gz"), series.last(MOST // STEP)
