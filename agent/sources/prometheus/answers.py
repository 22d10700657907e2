"""From the text of an answer to numbers. Whatever is not one finite number of at least 0 is an error or a gap."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from agent.sources.prometheus.client import Answer
from agent.sources.prometheus.failures import malformed
from agent.sources.source import Backfill, SignalState, SourceError
from forecasters.series import Series

SHOWN_LABELS = 3


@dataclass(frozen=True, slots=True)
class Point:
    """One value and the instant that the server stamped it with."""

    seconds: float  # since the epoch
    value: float  # finite, not below 0


def single_point(answer: Answer) -> Point:
    """Return the one value of an instant query: a vector of one series, or a scalar.

    Raises:
        SourceError: there is none, there are several, or it is not a demand.
    """
    match answer.kind:
        case "scalar":
            seconds, value = _pair(answer, answer.result)
        case "vector":
            seconds, value = _pair(answer, _single_series(answer).get("value"))
        case _:
            raise _wrong_type(answer)
    _check_demand(answer, value)
    return Point(seconds, value)


def labelled_values(answer: Answer, label: str) -> dict[str, float]:
    """Return the values of a vector by one of their labels.

    Raises:
        SourceError: the answer is not such a vector.
    """
    return {_labels(series).get(label, ""): _pair(answer, series.get("value"))[1] for series in _series(answer)}


def parted(answer: Answer, label: str, of: str) -> tuple[Answer, Answer]:
    """Return the series whose label has a value, without the label, and the others.

    Raises:
        SourceError: the answer is not a vector.
    """
    if answer.kind != "vector":
        raise _wrong_type(answer)
    found = _series(answer)
    own: list[object] = [_without(series, label) for series in found if _labels(series).get(label) == of]
    others: list[object] = [series for series in found if _labels(series).get(label) != of]
    return replace(answer, result=own), replace(answer, result=others)


def backfill(answers: Sequence[Answer], start: datetime, end: datetime, step: timedelta) -> Backfill:
    """Return the values of range queries on the grid points of [start, end], gaps as NaN.

    Series that never overlap in time (a label changed with a restart) are one signal.

    Raises:
        SourceError: two series have a value at the same instant, or the answer is none of the query API's.
    """
    count = (end - start) // step + 1
    values = np.full(max(count, 0), np.nan)
    dropped = 0
    for answer in answers:
        if answer.kind != "matrix":
            raise _wrong_type(answer)
        for series in _series(answer):
            index, found = _on_grid(answer, series, start, step)
            is_usable = np.isfinite(found) & (found >= 0) & (index >= 0) & (index < count)
            index, found, unusable = index[is_usable], found[is_usable], int((~is_usable).sum())
            if np.isfinite(values[index]).any():
                raise _several(answer)
            values[index] = found
            dropped += unusable
    warnings = tuple(dict.fromkeys(warning for answer in answers for warning in answer.warnings))
    return Backfill(Series(start, step, values), dropped, warnings)


def _on_grid(
    answer: Answer, series: Mapping[str, object], start: datetime, step: timedelta
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    pairs = series.get("values", [])
    try:
        seconds = np.array([pair[0] for pair in pairs], dtype=np.float64)  # type: ignore[attr-defined]
        values = np.array([pair[1] for pair in pairs], dtype=np.float64)  # type: ignore[attr-defined]
    except (TypeError, ValueError, LookupError) as error:
        raise malformed(answer.subject, "the values are not pairs of time and number") from error
    index = np.rint((seconds - start.timestamp()) / step.total_seconds()).astype(np.int64)
    return index, values


def _single_series(answer: Answer) -> Mapping[str, object]:
    found = _series(answer)
    if not found:
        raise SourceError(
            SignalState.EMPTY,
            f"{answer.subject}: returns no series",
            mend="check the metric's name and labels, and that its target is scraped; no data is not zero demand",
            is_retriable=True,
        )
    if len(found) > 1:
        raise _several(answer)
    return found[0]


def _series(answer: Answer) -> list[Mapping[str, object]]:
    if any(not isinstance(series, dict) for series in answer.result):
        raise malformed(answer.subject, "the result is not a list of series")
    return answer.result  # type: ignore[return-value]  # each was looked at


def _labels(series: Mapping[str, object]) -> Mapping[str, str]:
    metric = series.get("metric")
    return metric if isinstance(metric, dict) else {}


def _without(series: Mapping[str, object], label: str) -> Mapping[str, object]:
    return {**series, "metric": {name: value for name, value in _labels(series).items() if name != label}}


def _pair(answer: Answer, pair: object) -> tuple[float, float]:
    match pair:
        case [int() | float() as seconds, str() as text]:
            try:
                return float(seconds), float(text)
            except ValueError as error:
                raise malformed(answer.subject, f"the value {text[:40]!r} is not a number") from error
        case None:
            raise _wrong_type(answer)  # a native histogram has no `value`
        case _:
            raise malformed(answer.subject, "the value is not a pair of time and number")


def _check_demand(answer: Answer, value: float) -> None:
    if math.isnan(value):
        state, what, mend = SignalState.NOT_A_NUMBER, "NaN", "0/0 is the usual cause: check the query's divisors"
    elif math.isinf(value):
        state, what, mend = SignalState.INFINITE, f"{value}", "x/0 is the usual cause: check the query's divisors"
    elif value < 0:
        state, what, mend = SignalState.NEGATIVE, f"{value:g}", "demand is never below 0: check for a difference"
    else:
        return
    raise SourceError(state, f"{answer.subject}: returns {what}", mend=mend, is_retriable=True)


def _several(answer: Answer) -> SourceError:
    labels = [_labels(series) for series in _series(answer)]
    names = sorted({name for each in labels for name in each})
    differing = [name for name in names if len({each.get(name) for each in labels}) > 1]
    shown = ", ".join(differing[:SHOWN_LABELS]) + ", …" * (len(differing) > SHOWN_LABELS)
    return SourceError(
        SignalState.SEVERAL_SERIES,
        f"{answer.subject}: returns {len(labels)} series (labels {shown or 'none'})",
        mend="wrap it in sum()",
        is_retriable=False,
    )


def _wrong_type(answer: Answer) -> SourceError:
    what, mend = {
        "matrix": ("a range of raw samples", "wrap it in rate() or another function over time"),
        "vector": ("a native histogram", "wrap it in histogram_count() or histogram_quantile()"),
        "string": ("a string", "demand is a number"),
    }.get(answer.kind, (f"a {answer.kind}", "demand is a number"))
    return SourceError(SignalState.BAD_QUERY, f"{answer.subject}: returns {what}", mend=mend, is_retriable=False)
