"""What each part of a decision buys, as a page of the documentation; losses are shown like wins."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

from bench.decisions.play import Played
from bench.decisions.run import COARSEST, RISKS, SHORTEST, Results
from bench.decisions.summary import LEVELS, Row, row, saved, scores_of
from bench.decisions.ways import EVERYTHING, WAYS

COMMAND = "make bench-decisions ARGS='--markdown docs/benchmarks/decisions.md'"


def page(results: Results) -> str:
    """Return the page as Markdown."""
    return "\n\n".join(part.strip() for part in _parts(results)) + "\n"


def _parts(results: Results) -> Iterable[str]:
    yield _head(results)
    for start_up in results.made_up:
        yield f"## Start-up {start_up.total_seconds():.0f} s"
        yield from _section("Made-up loads", results.made_up[start_up])
        if results.real[start_up]:
            yield from _section("Real traces", results.real[start_up])


def _head(results: Results) -> str:
    risks = ", ".join(f"{100 * risk:g}" for risk in RISKS)
    real = next(iter(results.real.values()))
    which = (
        f"Real traces: {len(real)}, all there were with rows at most {COARSEST.total_seconds():.0f} s apart over at"
        f" least {SHORTEST.days} days."
        if real
        else "Real traces: there were none where this was measured."
    )
    return f"""# Decisions beside reactive scaling

Made by `{COMMAND}` on {results.began:%Y-%m-%d}, in {results.cpu_seconds:.0f} s of CPU; not edited by hand.

Each load is played as `foretide backtest` plays it: up to 14 days of history, then 3 scored days; the metric is a mean
over 60 s, 15 s late; what serves 99.9 % of the history is 30 replicas; the HPA has its defaults. Every way to decide is
played at the risks {risks} %. Where rows are 300 s apart the load between them is a straight line, which flatters
whoever extrapolates. {which}

- **saved**: cost below that of reactive scaling at the same unserved demand, its target (20 to 100 %) chosen for the
  load in hindsight; of the run with the most unserved demand not above the level. Median and worst over the loads that
  both bring to the level, and how many those are. Below 0 it is dearer.
- **kept**: share of runs short for at most 1.5 times the risk and 0.1 points.
- **actions/h**: changes of the number of replicas, median of the runs.

A way that lacks a part shows what the part buys. Without a learned margin the quantile that the risk names answers as
it was fitted: it is short for longer than it may be, so it hardly reaches a level."""


def _section(title: str, loads: Mapping[str, Played]) -> Iterable[str]:
    yield f"### {title}"
    heads = [f"saved at {level:g} %" for level in LEVELS]
    yield _table(["way", *heads, "kept", "actions/h"], [_cells(row(way.name, loads.values())) for way in WAYS])
    yield _table(
        ["load", *heads, "at risk 1 %: cost", "unserved %", "short %", "actions/h"],
        [_load_cells(name, played) for name, played in loads.items()],
    )


def _cells(way: Row) -> list[str]:
    found = [f"{_percent(middle)}, worst {_percent(worst)} ({count})" for middle, worst, count in way.saved.values()]
    return [way.way, *found, f"{way.kept:.0%}", f"{way.actions:.1f}"]


def _load_cells(name: str, played: Played) -> list[str]:
    score = scores_of(played, EVERYTHING)[0.01]
    found = [saved(played, EVERYTHING, level) for level in LEVELS]
    cells = [_percent(math.nan if each is None else each) for each in found]
    figures = [f"{score.cost:.2f}", f"{score.unserved_pct:.3f}", f"{score.short_pct:.2f}", f"{score.actions_per_h:.1f}"]
    return [name, *cells, *figures]


def _percent(value: float) -> str:
    return "–" if math.isnan(value) else f"{value:+.1f}"


def _table(heads: list[str], rows: list[list[str]]) -> str:
    lines = [heads, ["---"] + ["---:"] * (len(heads) - 1), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
