"""How people write durations, shares and quantities, and what they mean; the same grammar for files and for the CRD."""

from __future__ import annotations

import re
from datetime import timedelta
from decimal import Decimal
from typing import Final

DURATION_MAX: Final = timedelta(days=366)  # nothing in a policy lasts longer; keeps sums far from overflow
DURATION_LENGTH: Final = 32  # characters
_MILLISECOND: Final = timedelta(milliseconds=1)
QUANTITY_LENGTH: Final = 32
QUANTITY_LEAST: Final = 1e-90  # these two keep a quantity writable with an exponent of two digits
QUANTITY_MOST: Final = 1e90
SHARE_LENGTH: Final = 16

# Units and their order as in Prometheus' model.ParseDuration: a year is 365 days, each unit at most once.
_UNITS: Final = {
    "y": timedelta(days=365),
    "w": timedelta(weeks=1),
    "d": timedelta(days=1),
    "h": timedelta(hours=1),
    "m": timedelta(minutes=1),
    "s": timedelta(seconds=1),
    "ms": timedelta(milliseconds=1),
}
# Patterns serve Python and the API server's RE2. The empty text matches this one; a least length of 1 goes with it.
DURATION_PATTERN: Final = f"^{''.join(f'([0-9]{{1,9}}{unit})?' for unit in _UNITS)}$"
SHARE_PATTERN: Final = r"^[0-9]{1,3}(\.[0-9]{1,9})?%$"
_DECIMAL: Final = {"n": -9, "u": -6, "m": -3, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_BINARY: Final = ("Ki", "Mi", "Gi", "Ti", "Pi", "Ei")
_FACTORS: Final = {
    **{suffix: Decimal(10) ** power for suffix, power in _DECIMAL.items()},
    **{suffix: Decimal(1024) ** (place + 1) for place, suffix in enumerate(_BINARY)},
}
_SCALE: Final = r"([KMGTPE]i|[numkMGTPE]|[eE][+-]?[0-9]{1,2})?"
QUANTITY_PATTERN: Final = rf"^([0-9]+(\.[0-9]*)?|\.[0-9]+){_SCALE}$"
# With an exponent of at most two digits nothing underflows to 0 or overflows: a digit above 0 says "positive".
POSITIVE_PATTERN: Final = rf"^(0*[1-9][0-9]*(\.[0-9]*)?|[0-9]*\.[0-9]*[1-9][0-9]*){_SCALE}$"
_DURATION: Final = re.compile(DURATION_PATTERN)
_SHARE: Final = re.compile(SHARE_PATTERN)
_QUANTITY: Final = re.compile(QUANTITY_PATTERN)


def parse_duration(text: object) -> timedelta:
    """Return the time that a duration such as `90s` or `1d2h30m` spans; a `timedelta` passes unchanged.

    Raises:
        ValueError: not a duration in Prometheus' grammar, or longer than `DURATION_MAX`.
    """
    if isinstance(text, timedelta):
        return text
    if not isinstance(text, str):
        example = f"{text:g}s" if isinstance(text, (int, float)) and text > 1 else "90s"
        raise ValueError(f"must be a duration with its unit: write {example}")  # noqa: TRY004 - pydantic's way
    match = _DURATION.fullmatch(text)
    if not text or match is None:
        raise ValueError("must be a duration as Prometheus writes it, such as 90s, 1h30m or 14d")
    parts = zip(_UNITS.values(), match.groups(), strict=True)
    milliseconds = sum(int(part.rstrip("ywdhms")) * (unit // _MILLISECOND) for unit, part in parts if part)
    if milliseconds > DURATION_MAX // _MILLISECOND:
        raise ValueError(f"must be at most {format_duration(DURATION_MAX)}")
    return milliseconds * _MILLISECOND


def format_duration(duration: timedelta) -> str:
    """Return a duration as a person writes it: `1h30m`, `14d`; weeks and years are written in days."""
    left = duration // _MILLISECOND
    written = ""
    for unit in ("d", "h", "m", "s", "ms"):
        count, left = divmod(left, _UNITS[unit] // _MILLISECOND)
        written += f"{count}{unit}" if count else ""
    return written or "0s"


def parse_share(text: object) -> float:
    """Return a share such as `0.5%` as a ratio.

    Raises:
        ValueError: not a number with a percent sign.
    """
    if isinstance(text, bool) or not isinstance(text, str):
        raise ValueError(f"must be a share with a percent sign: write {text}%")  # noqa: TRY004 - pydantic's way
    if _SHARE.fullmatch(text) is None:
        raise ValueError("must be a share with a percent sign, such as 1% or 0.05%")
    return float(Decimal(text[:-1]) / 100)


def format_share(share: float) -> str:
    """Return a ratio as a share with a percent sign; `parse_share` gives the same ratio back."""
    return f"{_plain(Decimal(repr(share)) * 100)}%"


def parse_quantity(value: object) -> float:
    """Return a number, or a Kubernetes quantity such as `250m` or `2k`, as a float.

    Raises:
        ValueError: not a quantity, negative, not finite, or too large or small for any demand.
    """
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        raise ValueError("must be a number or a quantity, such as 12 or 250m")  # noqa: TRY004 - pydantic's way
    number = _parse_written_quantity(value) if isinstance(value, str) else value
    if not (number == 0 or QUANTITY_LEAST <= number <= QUANTITY_MOST):
        raise ValueError(f"must be 0 or between {QUANTITY_LEAST:g} and {QUANTITY_MOST:g}")
    return float(number)


def format_quantity(number: float) -> int | str:
    """Return a quantity in the form that files and the API server both take: whole numbers bare, others as text."""
    if number == int(number) and number < 2**53:
        return int(number)
    return repr(number)


def _parse_written_quantity(text: str) -> float:
    match = _QUANTITY.fullmatch(text)
    if match is None or len(text) > QUANTITY_LENGTH:
        raise ValueError("must be a number or a quantity, not below 0, such as 12, 0.5, 250m or 2k")
    scale = match.group(3) or ""
    factor = _FACTORS.get(scale) or Decimal(f"1{scale}")
    return float(Decimal(text.removesuffix(scale)) * factor)


def _plain(number: Decimal) -> str:
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
