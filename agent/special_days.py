"""From a policy's calendar to the kinds of local days."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date

import numpy as np
from numpy.typing import NDArray

from agent.public_holidays import holidays_of
from scalers.policy import SpecialDays

_EPOCH = date(1970, 1, 1).toordinal()


def kinds_of_days(calendar: Sequence[SpecialDays], first: int, count: int) -> NDArray[np.int8]:
    """Return the kinds of local days: 0 is a usual one, else the place of the first entry that names it, from 1.

    Args:
        calendar: at most 127 entries.
        first: the first day, counted from 1970-01-01.
        count: of days.
    """
    kinds = np.zeros(count, np.int8)
    years = range(_date(first).year - 1, _date(first + count).year + 1)  # a span may begin in the year before
    for kind, entry in reversed(list(enumerate(calendar, start=1))):
        for begin, end in _spans(entry, years):
            kinds[max(0, _day(begin) - first) : max(0, _day(end) + 1 - first)] = kind
    return kinds


def _spans(entry: SpecialDays, years: range) -> Iterator[tuple[date, date]]:
    """Return the spans of an entry, first and last day of each; those that come back each year, for some years."""
    if entry.country is not None:
        for year in years:
            yield from ((day, day) for day in holidays_of(entry.country, entry.subdivision, year))
    for begin, end in entry.spans:
        for year in years if entry.is_yearly else (begin.year,):
            yield _in_year(begin, year), _in_year(end, year + end.year - begin.year)


def _in_year(day: date, year: int) -> date:
    """Return the day in another year; for the 29th of February, the 1st of March where there is none."""
    try:
        return day.replace(year=year)
    except ValueError:
        return date(year, 3, 1)


def _day(day: date) -> int:
    return day.toordinal() - _EPOCH


def _date(day: int) -> date:
    return date.fromordinal(day + _EPOCH)
