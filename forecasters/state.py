"""A fitted model's state as bytes, for the store and the way between processes."""

from __future__ import annotations

from datetime import timedelta

from forecasters.forecaster import ModelState
from forecasters.packing import Packed, UnreadableState, pack, unpack
from forecasters.series import EPOCH

__all__ = ["UnreadableState", "decode_state", "encode_state"]

_KIND, _VERSION = "model state", 1
_MICROSECOND = timedelta(microseconds=1)


def encode_state(state: ModelState) -> bytes:
    """Return a state's bytes."""
    numbers = {
        "origin": (state.origin - EPOCH) // _MICROSECOND,  # exact in a double until the year 2255
        "step": state.step // _MICROSECOND,
        "value": state.value,
        "gaps": state.gaps,
    }
    return pack(Packed(_KIND, _VERSION, {"model": state.model}, numbers, state.arrays, {}))


def decode_state(body: bytes) -> ModelState:
    """Return the state that `encode_state` was given.

    Raises:
        UnreadableState: the bytes are damaged or of an unknown version.
    """
    packed = unpack(body, kind=_KIND, version=_VERSION)
    try:
        numbers = packed.numbers
        return ModelState(
            model=packed.texts["model"],
            origin=EPOCH + int(numbers["origin"]) * _MICROSECOND,
            step=int(numbers["step"]) * _MICROSECOND,
            value=numbers["value"],
            arrays=packed.doubles,
            gaps=int(numbers["gaps"]),
        )
    except (KeyError, ValueError, OverflowError) as error:
        raise UnreadableState(f"stored {_KIND} lacks or misstates a field ({error}): fit anew") from error
