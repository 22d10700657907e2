"""Public holidays, by the library `holidays`; it is loaded when a calendar first names a country, and not before."""

from __future__ import annotations

from datetime import date
from functools import lru_cache
from types import ModuleType


def countries() -> list[str]:
    """Return the ISO codes, two letters each, of the countries that are known."""
    return sorted(code for code in _library().list_supported_countries(include_aliases=True) if len(code) == 2)


def subdivisions(country: str) -> list[str]:
    """Return the codes of the parts of a known country that have holidays of their own, as ISO 3166-2 has them."""
    return [code for code in _library().country_holidays(country).subdivisions if code.isupper() or code.isdigit()]


@lru_cache(maxsize=256)
def holidays_of(country: str, subdivision: str | None, year: int) -> tuple[date, ...]:
    """Return the public holidays of a known country, and of one part of it, in a year, ascending."""
    return tuple(sorted(_library().country_holidays(country, subdiv=subdivision, years=year)))


def _library() -> ModuleType:
    import holidays  # noqa: PLC0415 - 20 MiB that a policy without a country needs not

    return holidays
