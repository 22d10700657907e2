"""Days that are unlike others, each entry a text: a country for its public holidays, or days and spans of days.

A text has room for both, and stays what it was while nothing acted on it: a document keeps its form.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Final

from pydantic import AfterValidator

from agent import public_holidays
from agent.policy.fields import Written
from agent.policy.part import unknown_name
from scalers.policy import SpecialDays

_DAY: Final = r"([0-9]{4}-)?(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])"
_SPAN: Final = f"{_DAY}(/{_DAY})?"
CALENDAR_PATTERN: Final = f"^([A-Za-z]{{2}}(-[A-Za-z0-9]{{1,3}})?|{_SPAN}(, ?{_SPAN})*)$"
_RULE: Final = (
    "a country for its public holidays, such as DE or DE-BY, or days, such as 2026-12-24 or 2026-11-27/2026-11-30, "
    "without the year for each year, several with commas between them"
)
_A_LEAP_YEAR: Final = 2000  # stands for each year


def special_days(entry: str) -> SpecialDays:
    """Return the days that an entry of the right form names.

    Raises:
        ValueError: it names a day that no calendar has, or a span that ends before it begins.
    """
    if entry[0].isalpha():
        country, _, subdivision = entry.upper().partition("-")
        return SpecialDays(country, subdivision or None)
    parts = [part.strip() for part in entry.split(",")]
    is_yearly = [len(day) == len("12-24") for part in parts for day in part.split("/")]
    if any(is_yearly) and not all(is_yearly):
        raise ValueError("must have a year for each of its days or for none")
    return SpecialDays(spans=tuple(_span(part) for part in parts), is_yearly=all(is_yearly))


def _span(part: str) -> tuple[date, date]:
    first, _, last = part.partition("/")
    begin, end = _date(first), _date(last or first)
    if end < begin and len(last) == len("01-01"):
        end = end.replace(year=end.year + 1)  # from one year into the next
    if end < begin:
        raise ValueError(f"must not have a span that ends before it begins, as {part} does")
    return begin, end


def _date(day: str) -> date:
    try:
        return date.fromisoformat(day if len(day) > len("12-24") else f"{_A_LEAP_YEAR}-{day}")
    except ValueError:
        raise ValueError(f"must be days of the calendar: there is no {day}") from None


def _known(entry: str) -> str:
    """Return an entry whose days are known; the API server checks its form only."""
    days = special_days(entry)
    if days.country is None:
        return entry
    if days.country not in (countries := public_holidays.countries()):
        raise unknown_name(countries, rule="must be a country whose holidays are known")
    if days.subdivision is not None:
        parts = [f"{days.country}-{part}" for part in public_holidays.subdivisions(days.country)]
        if f"{days.country}-{days.subdivision}" not in parts:
            known = ", ".join(parts) or "none has"
            raise unknown_name(parts, rule=f"must be a part of {days.country} that has holidays of its own: {known}")
    return entry


CalendarEntry = Annotated[str, Written(CALENDAR_PATTERN, _RULE, 253), AfterValidator(_known)]
