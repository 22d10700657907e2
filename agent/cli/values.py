"""Durations, shares, quantities and instants on the command line, written as in a policy."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import click

from agent.policy.quantities import parse_duration, parse_quantity, parse_share


class Written(click.ParamType[object]):
    """A value that one of the policy's own parsers reads."""

    def __init__(self, name: str, parse: Callable[[str], object]) -> None:
        """Take the name that help shows, and a parser that raises ValueError with the rule."""
        self.name = name
        self._parse = parse

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> object:
        """Return what a text means; what is parsed already passes."""
        if not isinstance(value, str):
            return value
        try:
            return self._parse(value)
        except ValueError as error:
            self.fail(f"{value!r}: {error}", param, ctx)


def _positive(text: str) -> float:
    number = parse_quantity(text)
    if number == 0:
        raise ValueError("must be above 0")
    return number


def _instant(text: str) -> datetime:
    try:
        if text.replace(".", "", 1).isdecimal():
            return datetime.fromtimestamp(float(text), UTC)
        at = datetime.fromisoformat(text)
    except (ValueError, OverflowError) as error:
        raise ValueError("must be ISO 8601 or unix seconds, such as 2026-03-02T08:00:00Z") from error
    return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)


DURATION = Written("duration", parse_duration)
SHARE = Written("share", parse_share)
QUANTITY = Written("quantity", _positive)
INSTANT = Written("time", _instant)
