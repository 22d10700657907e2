"""Rolling origin, out of sample: a predictor is handed one value after the other and asked before the next.

It is fitted before the first value, walks over the days in which it may learn its errors, is fitted again, and is
scored over the last days (Tashman, Out-of-sample tests of forecasting accuracy, Int. J. Forecasting 16 (2000)). What it
is handed are copies that end at the origin, so there is no way from them to what comes after.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta

import numpy as np
from numpy.typing import NDArray

from bench.forecasts.losses import coverage, mean_absolute_scaled_error, mean_pinball_loss
from bench.forecasts.predictor import LEVELS, PeakPredictor, Quantiles
from forecasters.series import Series

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Plan:
    """How a series is split."""

    look_ahead: int  # steps
    learning: timedelta  # before the scored part: calibrations learn, nothing is scored
    scored: timedelta  # the newest part


@dataclass(slots=True)
class Walked:
    """What a predictor answered in the scored part, and what it cost."""

    origins: list[int] = field(default_factory=list)  # rows of the series
    answers: dict[str, list[Quantiles]] = field(default_factory=dict)  # by row of the table, one per origin
    refit_ms: list[float] = field(default_factory=list)  # CPU
    update_ms: list[float] = field(default_factory=list)  # CPU of a value taken in and a peak foretold


@dataclass(frozen=True, slots=True)
class Score:
    """How one model did on one series."""

    series: str
    model: str
    is_peer: bool  # another project's
    origins: int
    pinball: Mapping[float, float]  # by level, as a share of the series' mean
    coverage: Mapping[float, float]  # by level
    mase: float | None  # of the median, over the error of yesterday's peak at this time; None where that is 0
    refit_ms: float  # CPU, the dearest fit
    update_ms: float  # CPU, mean


def walk(predictor: PeakPredictor, series: Series, plan: Plan) -> Walked:
    """Return what a predictor says at each origin whose look-ahead ends within the series."""
    walked = Walked()
    scored_from = len(series) - plan.scored // series.step
    fitted_at = scored_from - plan.learning // series.step
    walked.refit_ms.append(_cpu_ms(lambda: predictor.fit(_up_to(series, fitted_at))))
    for row in range(fitted_at + 1, len(series) - plan.look_ahead):
        value, answer = float(series.values[row]), dict[str, Quantiles]()
        walked.update_ms.append(_cpu_ms(lambda: _step(predictor, value, answer)))  # noqa: B023 - called at once
        if row == scored_from:
            walked.refit_ms.append(_cpu_ms(lambda: predictor.fit(_up_to(series, scored_from))))
        elif row > scored_from:
            walked.origins.append(row)
            for name, quantiles in answer.items():
                walked.answers.setdefault(name, []).append(quantiles)
    return walked


def scores(name: str, series: Series, walked: Walked, plan: Plan, *, is_peer: bool = False) -> list[Score]:
    """Return how each row of the table did on a series; what cannot be told is left out or None."""
    actual = largest_ahead(series.values, plan.look_ahead)
    day = _DAY // series.step
    known = actual[: walked.origins[0] - plan.look_ahead]  # peaks that were over when the scored part began
    found = []
    for model, answers in walked.answers.items():
        foretold, happened = np.stack(answers), actual[walked.origins]
        losses = zip(LEVELS, foretold.T, strict=True)
        found.append(
            Score(
                series=name,
                model=model,
                is_peer=is_peer,
                origins=len(happened),
                pinball=_known({level: _share(mean_pinball_loss(happened, q, level), series) for level, q in losses}),
                coverage=_known({level: coverage(happened, foretold[:, i]) for i, level in enumerate(LEVELS)}),
                mase=mean_absolute_scaled_error(happened, foretold[:, LEVELS.index(0.5)], known, day),
                refit_ms=max(walked.refit_ms),
                update_ms=float(np.mean(walked.update_ms)),
            )
        )
    return found


def largest_ahead(values: NDArray[np.float64], steps: int) -> NDArray[np.float64]:
    """Return the largest of the next `steps` values at each row; NaN where the end is past."""
    largest = np.full(len(values), np.nan)
    if len(values) > steps:
        largest[: len(values) - steps] = np.lib.stride_tricks.sliding_window_view(values[1:], steps).max(axis=1)
    return largest


def peeking(make: Callable[[Series], PeakPredictor], series: Series, plan: Plan, *, row: int) -> list[str]:
    """Return the rows of the table whose answers up to a row change when only what comes after it does.

    Args:
        make: gives a fresh predictor for a walk over a series.
        series: what it walks over.
        plan: how.
        row: the last row that stays as it is.

    Raises:
        ValueError: nothing is scored up to that row, so nothing would be compared.
    """
    other = series.values.copy()
    other[row + 1 :] = 3.0 * other[row + 1 :][::-1] + 1.0
    changed = Series(series.start, series.step, other)
    before, after = walk(make(series), series, plan), walk(make(changed), changed, plan)
    shared = sum(origin <= row for origin in before.origins)
    if not shared:
        raise ValueError(f"no origin up to row {row}: nothing would be compared")
    return [
        name
        for name, answers in before.answers.items()
        if not np.array_equal(np.stack(answers[:shared]), np.stack(after.answers[name][:shared]))
    ]


def _step(predictor: PeakPredictor, value: float, answer: dict[str, Quantiles]) -> None:
    predictor.observe(value)
    answer.update(predictor.peaks())


def _up_to(series: Series, row: int) -> Series:
    """Return a copy of the history with the row as its last: a view would lead to the rest by its `base`."""
    return Series(series.start, series.step, series.values[: row + 1].copy())


def _cpu_ms(call: Callable[[], None]) -> float:
    began = time.process_time()
    call()
    return 1000 * (time.process_time() - began)


def _share(loss: float | None, series: Series) -> float | None:
    mean = float(series.values.mean())
    return None if loss is None or not mean > 0.0 else loss / mean


def _known(found: Mapping[float, float | None]) -> dict[float, float]:
    return {level: value for level, value in found.items() if value is not None}
