"""Selectors as PromQL writes them, and one for each metric where a selector gives several by name.

`timestamp()`, `rate()` and most functions drop the metric's name, and Prometheus refuses what then has the labels of
another: `{__name__=~"a|b"}` cannot be asked for its timestamps, `{__name__="a"}` and `{__name__="b"}` each can.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

import promql_parser as promql

MOST_NAMES = 16  # of one selector: each is a selector of its own in what is asked
_NAME = "__name__"
_OPERATORS = {"Equal": "=", "NotEqual": "!=", "Re": "=~", "NotRe": "!~"}
# what a list of words is written with: groups, alternatives, escaped punctuation, and what stands for itself
_TOKEN = re.compile(r"\(\?:|[(|)]|\\[^\w\s]|[^\\.+*?()|\[\]{}^$]+")


def matcher_groups(expression: promql.VectorSelector) -> list[list[promql.Matcher]]:
    """Return a selector's matchers; of several groups, joined by `or`, one is enough."""
    return expression.matchers.or_matchers or [expression.matchers.matchers]


def selector_text(name: str | None, groups: Iterable[Iterable[promql.Matcher]], *, further: Iterable[str] = ()) -> str:
    """Return a selector as PromQL, without offset, with further matchers in each of its groups."""
    matchers = " or ".join(",".join([*(_written(matcher) for matcher in group), *further]) for group in groups)
    return (name or "") + (f"{{{matchers}}}" if matchers else "")


def quoted(text: str) -> str:
    """Return a string as PromQL writes it."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def by_name(expression: promql.VectorSelector) -> tuple[str, ...] | None:
    """Return selectors of one metric each, without offset, that together give what a selector gives.

    None where its metrics are not listed in it: it has no name, or a regular expression that is no list of at most
    `MOST_NAMES` names.
    """
    groups = matcher_groups(expression)
    if expression.name is not None:
        return (selector_text(expression.name, groups),)
    texts: list[str] = []
    for group in groups:
        named = _group_by_name(group)
        if named is None:
            return None
        texts += named
    return tuple(dict.fromkeys(texts)) if len(texts) <= MOST_NAMES else None


def words(pattern: str) -> tuple[str, ...] | None:
    """Return all that a regular expression matches from end to end, in its order.

    None where that is not a list of at most `MOST_NAMES` words, written with groups and `|`. Some that are lists count
    as none: classes, repetitions and anchors are not looked into.
    """
    tokens = _TOKEN.findall(pattern)
    if "".join(tokens) != pattern:
        return None
    around: list[tuple[list[str], list[str]]] = []  # alternatives and beginnings of each open group
    found: list[str] = []
    begun = [""]
    for part in tokens:
        if part in {"(", "(?:"}:
            around.append((found, begun))
            found, begun = [], [""]
        elif part == "|":
            found, begun = found + begun, [""]
        elif part == ")":
            if not around:
                return None
            ends = found + begun
            found, begun = around.pop()
            begun = [beginning + end for beginning in begun for end in ends]
        else:
            begun = [beginning + part.removeprefix("\\") for beginning in begun]
        if len(found) + len(begun) > MOST_NAMES:
            return None
    return None if around else tuple(dict.fromkeys(found + begun))


def _group_by_name(group: Sequence[promql.Matcher]) -> list[str] | None:
    if any(matcher.name == _NAME and matcher.op == promql.MatchOp.Equal for matcher in group):
        return [selector_text(None, [group])]
    listed = next(_lists_of_names(group), None)
    if listed is None:
        return None
    matcher, names = listed
    others = [other for other in group if other is not matcher]
    return [selector_text(None, [others], further=[f"{_NAME}={quoted(name)}"]) for name in names]


def _lists_of_names(group: Sequence[promql.Matcher]) -> Iterator[tuple[promql.Matcher, list[str]]]:
    for matcher in group:
        names = words(matcher.value) if matcher.name == _NAME and matcher.op == promql.MatchOp.Re else None
        if names and (named := [name for name in names if name]):  # no stored series has an empty name
            yield matcher, named


def _written(matcher: promql.Matcher) -> str:
    # the parser's own text leaves quotes inside a value as they are
    name = matcher.name if re.fullmatch("[a-zA-Z_][a-zA-Z0-9_]*", matcher.name) else quoted(matcher.name)
    return f"{name}{_OPERATORS[str(matcher.op).removeprefix('MatchOp.')]}{quoted(matcher.value)}"
