"""What `make bench` prints of the forecast benchmark."""

from __future__ import annotations

from collections.abc import Sequence

from bench.figures import Figure
from bench.forecasts.peers import IS_INSTALLED, PEERS_ABSENT
from bench.forecasts.run import Results
from bench.forecasts.summary import Row, duels, rows
from bench.forecasts.walk import Score

CPU_LIMIT_SECONDS = 720.0  # 6 min of two cores


def figures(results: Results) -> list[Figure]:
    """Return the summary of each model, how often ours is the best, and what must hold of the benchmark itself."""
    found = [
        Figure("rows that change with the future", float(len(results.peeking)), "rows", 0.0),
        Figure("the whole benchmark", results.cpu_seconds, "s CPU", CPU_LIMIT_SECONDS),
    ]
    for kind, scores in (("generated", results.made_up), ("traces", results.real)):
        if not scores:
            found.append(Figure(f"{kind}: not measured, there are none", None, ""))
            continue
        for row in rows(scores):
            found += _of_model(kind, row)
        found.append(_duels(kind, scores))
    return found


def _of_model(kind: str, row: Row) -> list[Figure]:
    title = f"{kind}: {row.model}{' (statsforecast)' if row.is_peer else ''}"
    level = max(row.loss)
    return [
        Figure(f"{title}: pinball loss over last-value's", row.overall, "ratio"),
        Figure(f"{title}: coverage at {level:.0%}", 100 * row.coverage[level], "%"),
        Figure(f"{title}: refit", row.refit_ms, "ms CPU"),
        Figure(f"{title}: update with forecast", row.update_ms, "ms CPU"),
    ]


def _duels(kind: str, scores: Sequence[Score]) -> Figure:
    if not IS_INSTALLED:
        return Figure(f"{kind}: statsforecast not measured: {PEERS_ABSENT}", None, "")
    fought = duels(scores)
    lost = sum(duel.ratio > 1 for duel in fought)
    return Figure(f"{kind}: statsforecast's best beats our best, of {len(fought)}", float(lost), "series")
