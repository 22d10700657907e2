"""Numbers for JSON, which knows neither NaN nor infinity: both become null, never a zero."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from pydantic import JsonValue

# A chart of 300 px height shows three digits; five keep a table of the same numbers honest.
SIGNIFICANT_DIGITS = 5


def finite(value: float | None) -> float | None:
    """Return a finite number as it is, anything else as None."""
    return value if value is not None and math.isfinite(value) else None


def finite_list(values: NDArray[np.float64]) -> list[float | None]:
    """Return a row of numbers rounded to what a reader can use, shape (n,), None where one is not finite."""
    present = np.abs(values[np.isfinite(values)])
    largest = float(present.max()) if present.size else 0.0
    digits = SIGNIFICANT_DIGITS - 1 - math.floor(math.log10(largest)) if largest > 0 else 0
    rounded = np.round(values, min(max(digits, 0), 300))
    return [value if math.isfinite(value) else None for value in rounded.tolist()]


def finite_json(value: object) -> JsonValue:
    """Return a document as JSON, numbers that JSON does not know as None.

    Raises:
        TypeError: the document holds something that is not JSON.
    """
    match value:
        case None | bool() | int() | str():
            return value
        case float():
            return finite(value)
        case Mapping():
            return {str(name): finite_json(each) for name, each in value.items()}
        case Sequence():
            return [finite_json(each) for each in value]
        case _:
            raise TypeError(f"a {type(value).__name__} is not JSON")
