"""The newest part of a signal's past at the step of its decisions."""

from __future__ import annotations

from datetime import timedelta

import numpy as np

from agent.history.coarse import CoarseValues
from agent.history.grid import History
from forecasters.series import grid_index
from scalers.walk import Fine


def fine_past(history: History, coarse: CoarseValues, step: timedelta, *, most: float) -> Fine:
    """Return the past at the step of decisions: as sampled where that is kept, else drawn between coarse steps.

    Args:
        history: of the signal.
        coarse: its coarse past.
        step: a whole part of the coarse step.
        most: demand above this, in demand units, is taken as this.
    """
    per_row = history.coarse_step // step
    rows = np.arange(len(coarse.last))
    known = np.isfinite(coarse.last)
    places = np.arange(len(rows) * per_row) / per_row - (per_row - 1) / per_row
    values = np.interp(places, rows[known], coarse.last[known]) if known.any() else np.full(len(places), np.nan)
    values[~np.repeat(known, per_row)] = np.nan
    sampled = history.fine()
    every = step // history.step
    if not len(sampled) or step % history.step:  # else no sample lies where a step does
        return Fine(np.minimum(values, most), per_row)
    first = grid_index(sampled.start, history.step)
    skip = -first % every
    taken = sampled.values[skip::every]
    begin = (first + skip) // every - ((coarse.first - 1) * per_row + 1)  # place of the first sample among the values
    after = max(0, begin + len(taken) - len(values))
    values = np.concatenate([values, np.full(after, np.nan)])
    laid = taken[max(0, -begin) :]
    inside = slice(max(0, begin), max(0, begin) + len(laid))
    values[inside] = np.where(np.isfinite(laid), laid, values[inside])
    return Fine(np.minimum(values, most), per_row, after)
