"""What the largest demand of the coming look-ahead is told from: numbers of one instant, relative to the demand then.

Three parts: `recent` from the last hour, `usual` from days and weeks of outcomes, both joined by `features` for the
table that a model is fitted on, and by `RowOfNow` for the one row that a decision reads. Levels are given as their
distance from the demand of the instant, so that a model which leaves all of them out says "as now".
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from operator import mul

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from forecasters.past import Past
from forecasters.trailing import padded, trailing_largest
from forecasters.usual import Usual, UsualNow

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
USUAL_LEVELS = slice(_USUAL_RISES.stop, _USUAL_RISES.stop + 11)  # unlike rises, without anything to stand for them
_USUAL = slice(_USUAL_RISES.start, USUAL_LEVELS.stop)
_BY_LEVEL = 8  # of the usual levels, the one that today's level scales
FEATURES = USUAL_LEVELS.stop + 1  # the demand of now is the last


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
    levels = table[:, USUAL_LEVELS]
    levels[:, _BY_LEVEL] *= scale
    levels -= now
    if usual.gaps is not None:
        levels[usual.gaps] = 0.0
    table[:, -1:] = now
    return table


def _scale(quarter: NDArray[np.float64], usual: Usual) -> NDArray[np.float64]:
    """Return today's level over the usual one, within a half and twice; 1 where the usual one is not known."""
    with np.errstate(over="ignore"):  # of next to nothing: it is twice at most
        ratio: NDArray[np.float64] = np.minimum(np.maximum(quarter / usual.quarter, 0.5), 2.0)
    if usual.without_quarter is not None:
        ratio[usual.without_quarter] = 1.0
    return ratio


@lru_cache(maxsize=64)
def _weights(columns: int, look_ahead: float, minutes: float) -> tuple[NDArray[np.float64], int]:
    """Return what `recent` is multiplied by for means, lines, rises and falls, and the rows of a quarter of an hour."""
    newest = columns - 1
    rows = {span: min(newest, _rows(span, minutes)) for span in (*_MEANS, *_LINES, *_RISES, *_FALLS)}
    parts = [np.where(np.arange(columns) > newest - rows[span], 1.0 / rows[span], 0.0) for span in _MEANS]
    for span in _LINES:
        line = _line(rows[span], look_ahead / minutes)
        parts.append(np.concatenate([np.zeros(columns - len(line)), line]))
    for span in (*_RISES, *_FALLS):
        change = np.zeros(columns)
        change[newest] += 1.0
        change[newest - rows[span]] -= 1.0
        parts.append(change)
    return np.column_stack(parts), rows[15]


def _rows(span: float, minutes: float) -> int:
    return max(1, round(span / minutes))


def _line(rows: int, ahead: float) -> NDArray[np.float64]:
    """Return what so many rows and the one before them are multiplied by for a line through them, carried on."""
    places = np.arange(rows + 1) - rows / 2
    line: NDArray[np.float64] = 1.0 / (rows + 1) + (places[-1] + ahead) * places / (places @ places)
    return line


class RowOfNow:
    """Makes the row of one instant, as `features` makes it, of plain numbers.

    A decision needs one every few seconds, and to call numpy for sixty numbers takes longer than to add them up.
    """

    def __init__(self, *, look_ahead: float, minutes: float) -> None:
        """Take what is the same for all rows, as for `features`."""
        hour = _rows(RECENT_MINUTES, minutes)
        rows = {span: min(hour, _rows(span, minutes)) for span in (*_MEANS, *_LINES, *_RISES, *_FALLS)}
        self._means = [rows[span] for span in _MEANS]
        self._lines: list[list[float]] = [_line(rows[span], look_ahead / minutes).tolist() for span in _LINES]
        self._rises, self._falls = ([-1 - rows[span] for span in spans] for spans in (_RISES, _FALLS))
        self._quarter = rows[15]

    def of(self, recent: Sequence[float], maxima: Sequence[float], usual: UsualNow) -> list[float]:
        """Return the features, demand units.

        Args:
            recent: demand at the instant and at whole rows before it, the instant last: those of an hour, and one.
            maxima: largest demand of the last `MAXIMUM_MINUTES`.
            usual: what the past says of the instant.
        """
        now, quarter = recent[-1], recent[-self._quarter :]
        means = [sum(recent[-rows:]) / rows for rows in self._means]
        lines = [sum(map(mul, line, recent[-len(line) :])) for line in self._lines]
        deviations = [value - means[_QUARTER] for value in quarter]
        levels = usual.levels.copy()
        levels[_BY_LEVEL] *= min(max(means[_QUARTER] / usual.quarter, 0.5), 2.0) if usual.quarter else 1.0
        return [
            *[level - now for level in (*means, *lines)],
            *[max(now - recent[back], 0.0) for back in self._rises],
            *[min(now - recent[back], 0.0) for back in self._falls],
            min(quarter) - now,
            math.sqrt(sum(map(mul, deviations, deviations)) / self._quarter),
            *[largest - now for largest in maxima],
            *usual.rises,
            *[level - now if level == level else 0.0 for level in levels],  # noqa: PLR0124  the cheapest test for NaN
            now,
        ]


def recent_table(past: Past) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return `recent` and `maxima` of every row of a past; before its first row demand was as there."""
    hour = past.rows(RECENT_MINUTES)
    recent = sliding_window_view(padded(past.last, hour), hour + 1)
    maxima = np.column_stack([trailing_largest(past.largest, past.rows(span)) for span in MAXIMUM_MINUTES])
    return recent, maxima
