from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.sources.prometheus.answers import backfill, parted, single_point
from agent.sources.prometheus.client import Answer
from agent.sources.source import SignalState, SourceError

START = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
STEP = timedelta(seconds=15)


def _vector(*series: object) -> Answer:
    return Answer("source default: query q", "vector", list(series), ())


def _series(value: object, **labels: str) -> dict[str, object]:
    return {"metric": labels, "value": [START.timestamp(), value]}


def _matrix(*pieces: dict[int, str], warnings: tuple[str, ...] = ()) -> Answer:
    at = START.timestamp()
    series = [{"metric": {}, "values": [[at + 15 * index, value] for index, value in each.items()]} for each in pieces]
    return Answer("source default: query q", "matrix", list(series), warnings)


def test_one_series_is_a_demand() -> None:
    assert single_point(_vector(_series("12.5", app="chat"))).value == 12.5


def test_what_was_asked_for_at_once_is_told_apart_by_its_label() -> None:
    both = _vector(_series("12.5", app="chat", part="value"), _series("1764000000", part="0"))
    value, others = parted(both, "part", "value")
    assert value.result == [_series("12.5", app="chat")]
    assert others.result == [_series("1764000000", part="0")]
    assert value.subject == others.subject == both.subject


@pytest.mark.parametrize("answer", [Answer("q", "scalar", [1, "3"], ()), _vector("series")])
def test_what_is_no_vector_cannot_be_told_apart(answer: Answer) -> None:
    with pytest.raises(SourceError):
        parted(answer, "part", "value")


def test_a_scalar_is_a_demand() -> None:
    assert single_point(Answer("q", "scalar", [START.timestamp(), "3"], ())).value == 3.0


@pytest.mark.parametrize(
    ("answer", "state", "message"),
    [
        (_vector(), SignalState.EMPTY, "source default: query q: returns no series"),
        (_vector(_series("1", pod="a", app="x"), _series("2", pod="b", app="x")), SignalState.SEVERAL_SERIES,
         "source default: query q: returns 2 series (labels pod)"),
        (_vector(_series("NaN")), SignalState.NOT_A_NUMBER, "source default: query q: returns NaN"),
        (_vector(_series("+Inf")), SignalState.INFINITE, "source default: query q: returns inf"),
        (_vector(_series("-0.5")), SignalState.NEGATIVE, "source default: query q: returns -0.5"),
        (_vector("series"), SignalState.MALFORMED, "source default: query q: the result is not a list of series"),
        (_vector({"metric": {}, "value": [1]}), SignalState.MALFORMED,
         "source default: query q: the value is not a pair of time and number"),
        (Answer("q", "matrix", [], ()), SignalState.BAD_QUERY, "q: returns a range of raw samples"),
        (Answer("q", "string", [1, "x"], ()), SignalState.BAD_QUERY, "q: returns a string"),
    ],
)  # fmt: skip
def test_what_is_not_one_finite_number_is_named(answer: Answer, state: SignalState, message: str) -> None:
    with pytest.raises(SourceError) as caught:
        single_point(answer)

    assert caught.value.state is state
    assert str(caught.value) == message
    assert caught.value.mend


@given(value=st.floats(allow_nan=True, allow_infinity=True))
def test_a_value_is_either_itself_or_an_error_and_never_a_made_up_zero(value: float) -> None:
    answer = _vector(_series(repr(value)))
    if np.isfinite(value) and value >= 0:
        assert single_point(answer).value == value
    else:
        with pytest.raises(SourceError):
            single_point(answer)


def test_what_is_missing_is_a_gap_and_what_is_no_demand_is_counted() -> None:
    piece = _matrix({0: "1", 1: "NaN", 3: "-2", 4: "5"}, warnings=("one store is down",))
    found = backfill([piece], START, START + 5 * STEP, STEP)

    np.testing.assert_array_equal(found.series.values, [1, np.nan, np.nan, np.nan, 5, np.nan])
    assert found.dropped == 2
    assert found.warnings == ("one store is down",)


def test_series_that_follow_each_other_are_one_signal() -> None:
    found = backfill([_matrix({0: "1", 1: "2"}, {2: "3"})], START, START + 2 * STEP, STEP)

    assert found.series.values.tolist() == [1.0, 2.0, 3.0]


def test_series_that_overlap_are_refused() -> None:
    with pytest.raises(SourceError) as caught:
        backfill([_matrix({0: "1", 1: "2"}, {1: "3"})], START, START + 2 * STEP, STEP)

    assert caught.value.state is SignalState.SEVERAL_SERIES


def test_a_span_without_a_grid_point_is_an_empty_series() -> None:
    assert len(backfill([], START, START - STEP, STEP).series) == 0
