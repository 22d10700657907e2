"""Many scores to few numbers: each model against persistence, over all series, every series counting the same."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from bench.forecasts.walk import Score

BASELINE = "last-value"  # persistence with a margin learned from its errors: what reactive scaling can be at best
DECIDING = (0.9, 0.95, 0.98)  # the highest levels that decisions follow


@dataclass(frozen=True, slots=True)
class Row:
    """One model over all series."""

    model: str
    is_peer: bool
    loss: Mapping[float, float]  # by level: pinball loss over the baseline's, geometric mean
    coverage: Mapping[float, float]  # by level, mean
    worst_coverage: float  # at the highest level, the lowest of a series
    mase: float | None  # mean over the series that have one
    refit_ms: float  # CPU, mean over the series
    update_ms: float  # likewise

    @property
    def overall(self) -> float:
        """The loss over the baseline's, all deciding levels together."""
        return geometric_mean(self.loss.values())


@dataclass(frozen=True, slots=True)
class Duel:
    """The best of ours on one series, chosen in hindsight, against the best of the peers, chosen in hindsight."""

    series: str
    ours: str
    peer: str
    ratio: float  # of the losses, geometric mean over the deciding levels; above 1 ours is worse


def rows(scores: Sequence[Score]) -> list[Row]:
    """Return a row per model, in the order in which they were measured."""
    baseline = {score.series: score for score in scores if score.model == BASELINE}
    return [_row([score for score in scores if score.model == model], baseline) for model in _models(scores)]


def duels(scores: Sequence[Score]) -> list[Duel]:
    """Return a duel per series; none where no peer was measured."""
    found = []
    for series in dict.fromkeys(score.series for score in scores):
        of_series = [score for score in scores if score.series == series]
        peers = [score for score in of_series if score.is_peer]
        if not peers:
            continue
        ours, peer = (min(group, key=_loss) for group in ([s for s in of_series if not s.is_peer], peers))
        found.append(Duel(series, ours.model, peer.model, _loss(ours) / _loss(peer)))
    return found


def _models(scores: Iterable[Score]) -> list[str]:
    return list(dict.fromkeys(score.model for score in scores))


def _row(scores: Sequence[Score], baseline: Mapping[str, Score]) -> Row:
    known = [score.mase for score in scores if score.mase is not None]
    return Row(
        model=scores[0].model,
        is_peer=scores[0].is_peer,
        loss={
            level: geometric_mean(score.pinball[level] / baseline[score.series].pinball[level] for score in scores)
            for level in DECIDING
        },
        coverage={level: float(np.mean([score.coverage[level] for score in scores])) for level in DECIDING},
        worst_coverage=min(score.coverage[DECIDING[-1]] for score in scores),
        mase=float(np.mean(known)) if known else None,
        refit_ms=float(np.mean([score.refit_ms for score in scores])),
        update_ms=float(np.mean([score.update_ms for score in scores])),
    )


def _loss(score: Score) -> float:
    return geometric_mean(score.pinball[level] for level in DECIDING)


def geometric_mean(values: Iterable[float]) -> float:
    """Return the mean that a ratio and its inverse cancel in."""
    return float(np.exp(np.mean(np.log(list(values)))))
