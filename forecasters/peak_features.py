"""What the largest demand of the coming look-ahead is told from: numbers of one instant, relative to the demand then.

The table that a model is fitted on and the single row that a decision reads are made by the same code. Three parts:
`recent` from the last hour, `usual` from days and weeks of outcomes, both joined by `features`. Levels are given as
their distance from the demand of the instant, so that a model which leaves all of them out says "as now".
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from forecasters.past import Past
from forecasters.trailing import padded, trailing_largest
from forecasters.usual import Usual

RECENT_MINUTES = 60
MAXIMUM_MINUTES = (15, 60, 180)  # of the largest demand that `recent` is told
_MEANS = (5, 15, 60)
_LINES = (5, 10)
_RISES = (1, 2, 5, 20, 60)
_FALLS = (1, 20)

# Columns of the table, in order.
_LINEAR = slice(0, len(_MEANS) + len(_LINES) + len(_RISES) + len(_FALLS))
_LEVEL_LIKE = slice(0, len(_MEANS) + len(_LINES))  # means and lines
_QUARTER = _MEANS.index(15)
_ALL_RISES = slice(_LEVEL_LIKE.stop, _LEVEL_LIKE.stop + len(_RISES))
_ALL_FALLS = slice(_ALL_RISES.stop, _LINEAR.stop)
_LOWEST, _SPREAD = _LINEAR.stop, _LINEAR.stop + 1  # of the last quarter of an hour
_MAXIMA = slice(_SPREAD + 1, _SPREAD + 1 + len(MAXIMUM_MINUTES))
_USUAL_RISES = slice(_MAXIMA.stop, _MAXIMA.stop + 11)
_USUAL_LEVELS = slice(_USUAL_RISES.stop, _USUAL_RISES.stop + 11)
_USUAL = slice(_USUAL_RISES.start, _USUAL_LEVELS.stop)
_BY_LEVEL = 8  # of the usual levels, the one that today's level scales
FEATURES = _USUAL_LEVELS.stop + 1  # the demand of now is the last


def features(
    recent: NDArray[np.float64], maxima: NDArray[np.float64], usual: Usual, *, look_ahead: float, minutes: float
) -> NDArray[np.float64]:
    """Return the features of n instants, shape (n, features), demand units.

    Args:
        recent: demand at the instant and at whole rows before it, the instant last, shape (n, rows of an hour + 1).
        maxima: largest demand of the last `MAXIMUM_MINUTES`, shape (n, 3).
        usual: what the past says of the instants.
        look_ahead: minutes that a straight line is carried on.
        minutes: between two rows.
    """
    weights, quarter = _weights(recent.shape[1], look_ahead, minutes)
    now, lately = recent[:, -1:], recent[:, -quarter:]
    table = np.empty((len(recent), FEATURES))
    linear = table[:, _LINEAR]
    np.matmul(recent, weights, out=linear)  # as many products as there are features, in one
    quarter_mean = linear[:, _QUARTER]
    scale = _scale(quarter_mean, usual)
    deviations = lately - quarter_mean[:, None]
    table[:, _SPREAD] = np.sqrt(np.einsum("ij,ij->i", deviations, deviations) / quarter)
    table[:, _LEVEL_LIKE] -= now
    rises, falls = table[:, _ALL_RISES], table[:, _ALL_FALLS]
    np.maximum(rises, 0.0, out=rises)
    np.minimum(falls, 0.0, out=falls)
    np.subtract(np.minimum.reduce(lately, axis=1), now[:, 0], out=table[:, _LOWEST])
    np.subtract(maxima, now, out=table[:, _MAXIMA])
    table[:, _USUAL] = usual.columns
    levels = table[:, _USUAL_LEVELS]
    levels[:, _BY_LEVEL] *= scale
    levels -= now
    if usual.gaps is not None:
        levels[usual.gaps] = 0.0
    table[:, -1:] = now
    return table


def _scale(quarter: NDArray[np.float64], usual: Usual) -> NDArray[np.float64]:
    """Return today's level over the usual one, within a half and twice; 1 where the usual one is not known."""
    ratio: NDArray[np.float64] = np.minimum(np.maximum(quarter / usual.quarter, 0.5), 2.0)
    if usual.without_quarter is not None:
        ratio[usual.without_quarter] = 1.0
    return ratio


@lru_cache(maxsize=64)
def _weights(columns: int, look_ahead: float, minutes: float) -> tuple[NDArray[np.float64], int]:
    """Return what `recent` is multiplied by for means, lines, rises and falls, and the rows of a quarter of an hour."""
    newest = columns - 1

    def rows(span: float) -> int:
        return min(newest, max(1, round(span / minutes)))

    parts = [np.where(np.arange(columns) > newest - rows(span), 1.0 / rows(span), 0.0) for span in _MEANS]
    for span in _LINES:
        places = np.arange(rows(span) + 1) - rows(span) / 2
        reach = places[-1] + look_ahead / minutes
        line = np.full(len(places), 1.0 / len(places)) + reach * places / (places @ places)
        parts.append(np.concatenate([np.zeros(columns - len(places)), line]))
    for span in (*_RISES, *_FALLS):
        change = np.zeros(columns)
        change[newest] += 1.0
        change[newest - rows(span)] -= 1.0
        parts.append(change)
    return np.column_stack(parts), rows(15)


def recent_table(past: Past) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return `recent` and `maxima` of every row of a past; before its first row demand was as there."""
    hour = past.rows(RECENT_MINUTES)
    recent = sliding_window_view(padded(past.last, hour), hour + 1)
    maxima = np.column_stack([trailing_largest(past.largest, past.rows(span)) for span in MAXIMUM_MINUTES])
    return recent, maxima
