"""The time that a PromQL query averages over, read from its text."""

from __future__ import annotations

import re
from datetime import timedelta

from agent.policy.quantities import parse_duration

# A text between quotes, a comment, or a range selector `[5m]` or subquery `[1h:1m]`, whichever begins first.
_TOKENS = re.compile(
    r""""(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|`[^`]*`|\#[^\n]*|\[\s*(?P<range>[0-9a-z]+)\s*(?::\s*[0-9a-z]*\s*)?\]"""
)


def rate_window(query: str) -> timedelta:
    """Return the longest range selector of a query; 0 where there is none.

    A range that is not a plain duration (a template's variable, an expression) counts as none: the query's own errors
    are Prometheus' to tell.
    """
    ranges = (match.group("range") for match in _TOKENS.finditer(query))
    return max((_length(text) for text in ranges if text), default=timedelta(0))


def _length(text: str) -> timedelta:
    try:
        return parse_duration(f"{text}s" if text.isdecimal() else text)
    except ValueError:
        return timedelta(0)
