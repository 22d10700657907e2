"""Whether a query reads only what carries the labels that its namespace must name.

The query is parsed, and every selector of the tree must have each label as an equality: one without it reads
everybody's samples. What cannot be parsed is refused, and so is the little that PromQL's dialects read differently: the
server must not see another query than the one that was looked at.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import promql_parser as promql

from agent.sources.prometheus.freshness import MOST_OPERATORS, Unparsable, has_too_many_operators
from agent.sources.prometheus.selectors import matcher_groups, quoted, selector_text

# a regular expression of these alone matches itself and nothing else: it is anchored at both ends
_LITERAL = re.compile(r"[A-Za-z0-9_-]+")
# comments end at a carriage return or not, a backtick's string has escapes or not, by who reads
_AMBIGUOUS = re.compile(r"[#`]|[^\S \n\t]|[\x00-\x08\x0e-\x1f\x7f]")
_READS = (promql.VectorSelector,)
_READS_NOTHING_ITSELF = (
    promql.AggregateExpr,
    promql.BinaryExpr,
    promql.Call,
    promql.MatrixSelector,  # its vector selector is a node of its own
    promql.NumberLiteral,
    promql.ParenExpr,
    promql.StringLiteral,
    promql.SubqueryExpr,
    promql.UnaryExpr,
)
_LEAST_INFO_ARGUMENTS = 2  # with one, info() reads everybody's target_info


class OutOfScope(ValueError):
    """A query reads, or may read, what its namespace may not.

    Attributes:
        mend: what to write instead, one sentence without a full stop.
    """

    def __init__(self, message: str, *, mend: str) -> None:
        super().__init__(message)
        self.mend = mend


def check_scope(query: str, required: Mapping[str, str]) -> None:
    """Accept a query whose every selector carries all the labels, each with its value.

    Args:
        query: PromQL.
        required: the value of each label.

    Raises:
        OutOfScope: a selector does not, or that cannot be known.
    """
    for selector in _selectors_of(_tree(query)):
        lacking = {
            label: value
            for label, value in required.items()
            if not all(_carries(group, label, value) for group in matcher_groups(selector))
        }
        if lacking:
            raise _unscoped(selector, lacking)


def _tree(query: str) -> promql.Expr:
    found = _AMBIGUOUS.search(query)
    if found is not None:
        raise OutOfScope(
            f"the query holds {found.group()!r}, which servers read differently",
            mend="write it without comments and control characters, and strings in \"…\" or '…'",
        )
    try:
        if has_too_many_operators(query):
            raise Unparsable(f"it has more than {MOST_OPERATORS} operators and calls")
        return promql.parse(query)
    except ValueError as error:
        raise OutOfScope(
            f"what the query selects cannot be told: {error}", mend="write it in PromQL, or as a recording rule"
        ) from error


def _selectors_of(tree: promql.Expr) -> list[promql.VectorSelector]:
    nodes: list[promql.Expr] = []
    promql.walk(tree, nodes.append)
    for node in nodes:
        if not isinstance(node, _READS + _READS_NOTHING_ITSELF):
            raise OutOfScope(
                f"what a {type(node).__name__} selects cannot be told", mend="write the query in plain PromQL"
            )
        if isinstance(node, promql.Call) and node.func.name == "info" and len(node.args) < _LEAST_INFO_ARGUMENTS:
            raise OutOfScope(
                "info() without a second argument reads the target_info of every namespace",
                mend="give it a selector with the required labels as second argument",
            )
    return [node for node in nodes if isinstance(node, promql.VectorSelector)]


def _carries(group: list[promql.Matcher], label: str, value: str) -> bool:
    return any(matcher.name == label and matcher.value == value and _is_exact(matcher) for matcher in group)


def _is_exact(matcher: promql.Matcher) -> bool:
    if matcher.op == promql.MatchOp.Equal:
        return True
    return matcher.op == promql.MatchOp.Re and _LITERAL.fullmatch(matcher.value) is not None


def _unscoped(selector: promql.VectorSelector, lacking: Mapping[str, str]) -> OutOfScope:
    missing = [f"{label}={quoted(value)}" for label, value in lacking.items()]
    kept = [[matcher for matcher in group if matcher.name not in lacking] for group in matcher_groups(selector)]
    return OutOfScope(
        f"the selector {selector_text(selector.name, matcher_groups(selector))} has no {' and no '.join(missing)}",
        mend=f"write it as {selector_text(selector.name, kept, further=missing)}",
    )
