"""Stored states come back as they were, or are refused."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from forecasters.forecaster import ModelState
from forecasters.state import UnreadableState, decode_state, encode_state

STATE = ModelState(
    model="harmonic",
    origin=datetime(2026, 3, 4, 5, 6, tzinfo=UTC),
    step=timedelta(minutes=1),
    value=12.5,
    arrays={"phi": np.array([0.5, 0.25]), "empty": np.empty(0)},
    gaps=3,
)


@given(
    model=st.text(max_size=20),
    second=st.integers(0, 4_000_000_000),
    value=st.floats(allow_nan=False),
    held=st.dictionaries(st.text(max_size=8), arrays(np.float64, array_shapes(max_dims=3, max_side=4)), max_size=3),
    gaps=st.integers(0, 10**6),
)
def test_what_was_stored_comes_back(
    model: str, second: int, value: float, held: dict[str, np.ndarray], gaps: int
) -> None:
    origin = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=second)
    found = decode_state(encode_state(ModelState(model, origin, timedelta(seconds=15), value, held, gaps)))
    assert (found.model, found.origin, found.step) == (model, origin, timedelta(seconds=15))
    assert (found.value, found.gaps) == (value, gaps)
    assert list(found.arrays) == list(held)
    for name, array in held.items():
        np.testing.assert_array_equal(found.arrays[name], array)


@given(cut=st.integers(0, len(encode_state(STATE)) - 1))
def test_bytes_that_were_cut_short_are_refused(cut: int) -> None:
    with pytest.raises(UnreadableState):
        decode_state(encode_state(STATE)[:cut])


@given(where=st.integers(0, len(encode_state(STATE)) - 1), bit=st.integers(0, 7))
def test_a_flipped_bit_is_refused_or_changes_a_number_only(where: int, bit: int) -> None:
    body = bytearray(encode_state(STATE))
    body[where] ^= 1 << bit
    try:
        found = decode_state(bytes(body))
    except UnreadableState:
        return
    assert sorted(array.size for array in found.arrays.values()) == [0, 2]


@given(st.binary(max_size=200))
def test_foreign_bytes_are_refused(body: bytes) -> None:
    with pytest.raises(UnreadableState):
        decode_state(body)


def test_another_version_is_refused_by_its_number() -> None:
    body = encode_state(STATE).replace(b'"version":1', b'"version":2')
    with pytest.raises(UnreadableState, match="has version 2"):
        decode_state(body)


def test_a_missing_field_is_refused() -> None:
    body = encode_state(STATE).replace(b'"gaps"', b'"gips"')
    with pytest.raises(UnreadableState, match="gaps"):
        decode_state(body)


def test_there_is_no_pickle_in_it() -> None:
    body = encode_state(STATE)
    length = int.from_bytes(body[4:8], "little")
    assert json.loads(body[8 : 8 + length])["texts"] == {"model": "harmonic"}
    assert body[8 + length :] == np.array([0.5, 0.25]).tobytes()
