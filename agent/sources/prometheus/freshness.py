"""How old the raw samples under a query are, which its value does not tell.

Prometheus stamps the value of an instant query with the evaluation time, and computes it from samples that may be
five minutes old (the lookback), or as old as the query's own window is long. So `timestamp()` of every selector in
the query is asked for beside it.

A value is as fresh as the stalest selector that it cannot do without. Of several series under one selector (pods) the
newest counts: pods come and go; so it does of several metrics that one selector lists by name, each asked by itself.
What only `or` brings in, what `unless` takes away and what `absent()` asks for is not needed, and a time fixed by `@`
cannot be stale.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import promql_parser as promql

from agent.sources.prometheus.selectors import by_name, matcher_groups, selector_text

LABEL = "foretide_selector"  # carries a selector's number through the question
VALUE = "value"  # what it carries of the query itself, where both are asked at once
LOOKS_PER_WINDOW = 8
LEAST_LOOK = timedelta(seconds=1)
MOST_OPERATORS = 300  # and calls: the time to walk them grows with their square, 300 take 30 ms
_OPERATOR = re.compile(r"[-+*/%^(]|[=!<>]=|[<>]|\b(?:and|or|unless|atan2)\b", re.IGNORECASE)
_STRING = re.compile(r""""(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|`[^`]*`""")
_NEVER_NEEDED = {"absent", "absent_over_time"}
_NO_TIME = timedelta(0)


@dataclass(frozen=True, slots=True)
class Selector:
    """The raw samples that a part of the query reads."""

    text: str  # with its offset, without its range
    offset: timedelta  # how far behind the evaluation time it reads on purpose
    window: timedelta  # over which it and the subqueries around it reach back
    asked: tuple[str, ...]  # of one metric each, as the text otherwise; itself where its metrics are not listed
    is_listed: bool  # which metrics it gives can be told from it


@dataclass(frozen=True, slots=True)
class AllOf:
    """The parts that are all needed for a value."""

    parts: tuple[Need, ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    """Alternatives, of which one is enough and each that is there is used."""

    parts: tuple[Need, ...]


Need = Selector | AllOf | AnyOf


class Unparsable(ValueError):
    """The query is not PromQL as the parser knows it; the server may still understand it."""


@dataclass(frozen=True, slots=True)
class Freshness:
    """What to ask beside a query, and how to read the answer."""

    need: Need | None  # None: the query reads no sample, or only at fixed times
    selectors: tuple[Selector, ...]
    is_vector: bool = False  # whether the query gives a vector; a scalar cannot be asked for beside others

    @classmethod
    def of(cls, query: str) -> Freshness:
        """Return the freshness question of a query.

        Raises:
            Unparsable: the parser does not know this PromQL.
        """
        if has_too_many_operators(query):
            raise Unparsable(f"it has more than {MOST_OPERATORS} operators and calls")
        try:
            parsed = promql.parse(query)
            need = _need(parsed, _NO_TIME, _NO_TIME)
        except ValueError as error:
            raise Unparsable(str(error)) from error
        except RecursionError as error:
            raise Unparsable("it is nested too deeply") from error
        return cls(need, tuple(dict.fromkeys(_selectors(need))), _is_vector(parsed))

    @property
    def question(self) -> str:
        """PromQL that gives the newest timestamp under each selector; a selector without a sample is left out."""
        parts = (
            f'label_replace({_newest_of(selector)}, "{LABEL}", "{number}", "", "")'
            for number, selector in enumerate(self.selectors)
        )
        return " or ".join(parts)

    def beside(self, query: str) -> str | None:
        """Return PromQL that gives a query's value and the answer to the question at once, told apart by the label.

        None where it has to be asked apart. One request is half of what two cost both sides.
        """
        if not self.selectors or not self.is_vector:
            return None
        # a line of its own: the query may end with a comment
        return f'label_replace((\n{query}\n), "{LABEL}", "{VALUE}", "", "") or {self.question}'

    def newest(self, timestamps: Mapping[str, float]) -> datetime | None:
        """Return how fresh the query's value is: its needed selectors' stalest. None: a needed one has no sample.

        Args:
            timestamps: the question's answer, seconds since the epoch by selector number. A time that is read with an
                offset counts as if it were now.
        """
        found = {
            selector: datetime.fromtimestamp(timestamps[str(number)], UTC) + selector.offset
            for number, selector in enumerate(self.selectors)
            if str(number) in timestamps
        }
        return _newest(self.need, found) if self.need else None

    def missing(self, timestamps: Mapping[str, float]) -> tuple[Selector, ...]:
        """Return the selectors without a sample."""
        return tuple(each for number, each in enumerate(self.selectors) if str(number) not in timestamps)

    @property
    def unlisted(self) -> tuple[Selector, ...]:
        """Return the selectors that may give several metrics, whose timestamps a server may refuse to tell."""
        return tuple(each for each in self.selectors if not each.is_listed)


def has_too_many_operators(query: str) -> bool:
    """Whether walking a query's tree would take long."""
    return len(_OPERATOR.findall(_STRING.sub("", query))) > MOST_OPERATORS


def _newest(need: Need, found: Mapping[Selector, datetime]) -> datetime | None:
    if isinstance(need, Selector):
        return found.get(need)
    parts = [_newest(part, found) for part in need.parts]
    there = [part for part in parts if part is not None]
    if not there or (isinstance(need, AllOf) and len(there) < len(parts)):
        return None
    return min(there)


def _newest_of(selector: Selector) -> str:
    now = _newest_now(selector.asked)
    if not selector.window:
        return now
    # A target that is gone leaves a stale marker: its selector is empty at once, while a window still holds its
    # samples. So look at earlier instants too; coarsely, which makes lost data look older and never younger.
    window = max(selector.window, LEAST_LOOK)
    look = max(window / LOOKS_PER_WINDOW, LEAST_LOOK)
    return f"({now} or max_over_time({now}[{_written(window)}:{_written(look)}]))"


def _newest_now(selectors: Sequence[str]) -> str:
    newest = [f"max(timestamp({selector}))" for selector in selectors]
    if len(newest) == 1:
        return newest[0]
    # `or` leaves out what has the labels of something before it, so each has its number
    parts = (f'label_replace({each}, "{LABEL}", "{number}", "", "")' for number, each in enumerate(newest))
    return f"max({' or '.join(parts)})"


def _need(expression: promql.Expr, offset: timedelta, window: timedelta) -> Need | None:
    """Return what an expression reads, given the offsets and windows of the subqueries around it."""
    match expression:
        case promql.VectorSelector():
            return None if _is_fixed(expression.at) else _selector(expression, offset, window)
        case promql.MatrixSelector():
            return _need(expression.vector_selector, offset, window + expression.range)
        case promql.SubqueryExpr():
            return _need_of_subquery(expression, offset, window)
        case promql.BinaryExpr():
            return _need_of_both(expression, offset, window)
        case promql.Call() if expression.func.name in _NEVER_NEEDED:
            return None
        case promql.Call():
            return _joined(AllOf, expression.args, offset, window)
        case promql.AggregateExpr() | promql.ParenExpr() | promql.UnaryExpr():
            return _need(expression.expr, offset, window)
        case _:
            return None  # a number or a string


def _is_vector(expression: promql.Expr) -> bool:
    """Return whether an expression gives an instant vector for certain."""
    match expression:
        case promql.VectorSelector() | promql.AggregateExpr():
            return True
        case promql.Call():
            return bool(expression.func.return_type == promql.ValueType.Vector)
        case promql.BinaryExpr():
            return _is_vector(expression.lhs) or _is_vector(expression.rhs)
        case promql.ParenExpr() | promql.UnaryExpr():
            return _is_vector(expression.expr)
        case _:
            return False


def _need_of_subquery(expression: promql.SubqueryExpr, offset: timedelta, window: timedelta) -> Need | None:
    if _is_fixed(expression.at):
        return None
    further, longer = expression.offset or _NO_TIME, expression.range or _NO_TIME
    return _need(expression.expr, offset + further, window + longer)


def _need_of_both(expression: promql.BinaryExpr, offset: timedelta, window: timedelta) -> Need | None:
    operator = str(expression.op)
    if operator == "unless":
        return _need(expression.lhs, offset, window)
    if operator == "or":
        return _joined(AnyOf, (expression.lhs, expression.rhs), offset, window)
    return _joined(AllOf, _operands(expression), offset, window)


def _operands(expression: promql.Expr) -> list[promql.Expr]:
    """Return what a chain such as `a + b + c` needs, without a recursion per link."""
    operands = []
    while isinstance(expression, promql.BinaryExpr) and str(expression.op) not in {"or", "unless"}:
        operands.append(expression.rhs)
        expression = expression.lhs
    return [expression, *reversed(operands)]


def _joined(
    kind: type[AllOf] | type[AnyOf], expressions: Iterable[promql.Expr], offset: timedelta, window: timedelta
) -> Need | None:
    needs = (_need(expression, offset, window) for expression in expressions)
    parts = tuple(need for need in needs if need is not None)
    return kind(parts) if parts else None


def _selectors(need: Need | None) -> Iterator[Selector]:
    if isinstance(need, Selector):
        yield need
    elif need is not None:
        for part in need.parts:
            yield from _selectors(part)


def _selector(expression: promql.VectorSelector, offset: timedelta, window: timedelta) -> Selector:
    behind = offset + (expression.offset or _NO_TIME)
    later = f" offset {_written(behind)}" if behind else ""
    text, named = selector_text(expression.name, matcher_groups(expression)), by_name(expression)
    asked = tuple(f"{each}{later}" for each in named or (text,))
    return Selector(f"{text}{later}", behind, window, asked, is_listed=named is not None)


def _is_fixed(at: promql.AtModifier | None) -> bool:
    return at is not None and at.type == promql.AtModifierType.At


def _written(duration: timedelta) -> str:
    return f"{duration // timedelta(milliseconds=1)}ms"
