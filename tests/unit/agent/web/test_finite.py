from __future__ import annotations

import json
import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.web.charts import forecast_view, trend
from agent.web.finite import finite_json, finite_list
from agent.web.views import detail
from forecasters.series import Series
from scalers.policy import PolicyKey
from tests.fakes.book import NOON, InventedBook, SteppedClock

JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.floats(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@given(JSON_VALUES)
def test_what_goes_out_is_strict_json(value: object) -> None:
    json.dumps(finite_json(value), allow_nan=False)


@given(st.lists(st.floats(), max_size=50))
def test_a_row_keeps_its_length_and_its_gaps(values: list[float]) -> None:
    row = finite_list(np.array(values))
    assert [value is None for value in row] == [not math.isfinite(value) for value in values]


def test_a_row_is_rounded_to_what_a_reader_can_use() -> None:
    assert finite_list(np.array([123.456789, np.nan, 0.000123456])) == [123.46, None, 0.0]


def test_what_is_not_json_is_refused() -> None:
    with pytest.raises(TypeError, match="a set is not JSON"):
        finite_json({"models": {"harmonic"}})


@pytest.mark.parametrize("wrong", [math.nan, math.inf, -math.inf])
def test_numbers_that_json_does_not_know_become_null(wrong: float) -> None:
    snapshot = InventedBook(SteppedClock()).snapshot(PolicyKey("ml", "chat"))
    assert snapshot is not None
    assert snapshot.decision is not None
    decision = snapshot.decision
    signal = replace(decision.signals[0], demand=wrong)
    decision = replace(decision, answer=wrong, need=wrong, raw_need=wrong, for_keda=wrong, signals=(signal,))
    demand = {"demand": Series(snapshot.demand["demand"].start, snapshot.demand["demand"].step, np.full(9, wrong))}
    broken = replace(snapshot, decision=decision, demand=demand, document={"spec": {"odd": wrong}})
    documents = (
        detail(broken, now=NOON, has_comparison=False),
        forecast_view(broken, broken.policy.signals[0], (), since=demand["demand"].start, now=NOON),
        trend(broken, now=NOON),
    )
    texts = [document.model_dump_json() for document in documents]
    assert not [word for word in ("NaN", "Infinity", "inf,") for text in texts if word in text]
    assert json.loads(texts[0])["answer"] is None
