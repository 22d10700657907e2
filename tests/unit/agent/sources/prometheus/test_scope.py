from __future__ import annotations

from collections.abc import Iterator

import promql_parser
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from agent.sources.prometheus.freshness import Freshness
from agent.sources.prometheus.scope import OutOfScope, check_scope

REQUIRED = {"namespace": "team-a"}
CHILDREN = ("lhs", "rhs", "expr", "param", "args", "vector_selector")


def refusal(query: str, **required: str) -> OutOfScope:
    with pytest.raises(OutOfScope) as caught:
        check_scope(query, required or REQUIRED)
    return caught.value


@pytest.mark.parametrize(
    "query",
    [
        'up{namespace="team-a"}',
        "up{namespace='team-a', job!=\"x\"} offset 5m",
        '{"up", "namespace"="team-a"}',
        '{__name__=~"http_.+", namespace="team-a"}',
        'up{namespace=~"team-a"}',  # anchored at both ends: the same
        'up{namespace="team-a", namespace=~".+"}',  # both must match
        'up{namespace="team-a" or namespace="team-a",job="x"}',
        'sum by (pod) (rate(a{namespace="team-a"}[5m])) / on (pod) group_left b{namespace="team-a"}',
        'max_over_time(sum(a{namespace="team-a"})[1h:1m] @ end())',
        'label_replace(a{namespace="team-a"}, "namespace", "team-b", "", "")',
        'quantile(scalar(a{namespace="team-a"}), b{namespace="team-a"})',
        'info(a{namespace="team-a"}, {namespace="team-a"})',
        "vector(1) + time()",
    ],
)
def test_a_query_with_the_matcher_in_every_selector_is_asked(query: str) -> None:
    check_scope(query, REQUIRED)


@pytest.mark.parametrize(
    ("query", "selector", "mended"),
    [
        ("up", "up", 'up{namespace="team-a"}'),
        ('sum(up{job="x"})', 'up{job="x"}', 'up{job="x",namespace="team-a"}'),
        ('up{namespace="team-b"}', 'up{namespace="team-b"}', 'up{namespace="team-a"}'),
        ('up{namespace!="team-a"}', 'up{namespace!="team-a"}', 'up{namespace="team-a"}'),
        ('up{namespace=~"team-a|team-b"}', 'up{namespace=~"team-a|team-b"}', 'up{namespace="team-a"}'),
        ('up{namespace!~"team-b"}', 'up{namespace!~"team-b"}', 'up{namespace="team-a"}'),
        ('{__name__=~".+"}', '{__name__=~".+"}', '{__name__=~".+",namespace="team-a"}'),
        ('a{namespace="team-a"} or b', "b", 'b{namespace="team-a"}'),
        ('a{namespace="team-a"} unless b', "b", 'b{namespace="team-a"}'),
        ('absent(b) or a{namespace="team-a"}', "b", 'b{namespace="team-a"}'),
        ('a{namespace="team-a"} * on () group_left () b', "b", 'b{namespace="team-a"}'),
        ('max_over_time(sum(b)[1h:1m]) + a{namespace="team-a"}', "b", 'b{namespace="team-a"}'),
        ('topk(scalar(b), a{namespace="team-a"})', "b", 'b{namespace="team-a"}'),
        ('label_replace(b, "namespace", "team-a", "", "")', "b", 'b{namespace="team-a"}'),
        ('info(a{namespace="team-a"}, {x="y"})', '{x="y"}', '{x="y",namespace="team-a"}'),
        ('a{namespace="team-a"} + b @ 0', "b", 'b{namespace="team-a"}'),
        ('up{namespace="team-a" or job="x"}', 'up{namespace="team-a" or job="x"}',
         'up{namespace="team-a" or job="x",namespace="team-a"}'),
    ],
)  # fmt: skip
def test_a_selector_without_the_matcher_is_named_with_what_to_write(query: str, selector: str, mended: str) -> None:
    error = refusal(query)

    assert str(error) == f'the selector {selector} has no namespace="team-a"'
    assert error.mend == f"write it as {mended}"


def test_every_label_that_is_required_is_asked_for() -> None:
    error = refusal('up{namespace="team-a"}', namespace="team-a", cluster="eu.1")

    assert str(error) == 'the selector up{namespace="team-a"} has no cluster="eu.1"'
    assert error.mend == 'write it as up{namespace="team-a",cluster="eu.1"}'


def test_a_regular_expression_that_matches_more_than_the_value_does_not_count() -> None:
    assert "has no" in str(refusal('up{cluster=~"eu.1"}', cluster="eu.1"))


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ('b # \r {namespace="team-a"}', "the query holds '#', which servers read differently"),
        ("a{namespace=`team-a`}", "the query holds '`', which servers read differently"),
        ('b\r{namespace="team-a"}', r"the query holds '\r', which servers read differently"),
        ('WITH (x = b) x{namespace="team-a"}', "what the query selects cannot be told"),
        ('info(a{namespace="team-a"})', "info() without a second argument reads the target_info of every namespace"),
        ("(" * 301 + 'a{namespace="team-a"}' + ")" * 301, "it has more than 300 operators and calls"),
    ],
)
def test_what_may_be_read_as_another_query_is_refused(query: str, message: str) -> None:
    error = refusal(query)

    assert message in str(error)
    assert error.mend


SELECTORS = st.sampled_from([
    'a{namespace="team-a"}', "b{namespace='team-a',x=~\".+\"}", '{__name__=~"c.*",namespace="team-a"}',
    '{__name__=~"l|m(n|o)",namespace="team-a"}', '{__name__=~"p|q",namespace=~"team-.*"}',
    'd{namespace="team-a" or y="1",namespace="team-a"}', "e", 'f{namespace="team-b"}', 'g{namespace=~"team-.*"}',
    '{__name__="h"}', 'i{namespace!="team-b"}', 'j{namespace="team-a" or y="1"}', 'k{x="namespace=\\"team-a\\""}',
])  # fmt: skip


def _around(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    one = st.sampled_from([
        "sum({0})", "-({0})", "sum by (x) ({0})", "max_over_time(({0})[1h:1m])", "abs({0})", "absent({0})",
        'label_replace({0}, "namespace", "team-a", "", "")', "topk(scalar({0}), {0})", "timestamp({0})",
        "avg_over_time(({0})[1h:1m] @ end() offset 5m)",
    ])  # fmt: skip
    two = st.sampled_from([
        "({0}) + ({1})", "({0}) or ({1})", "({0}) unless ({1})", "({0}) * on (x) group_left (y) ({1})",
        "({0}) and ({1})", "quantile(scalar({0}), {1})", "({0}) > bool ({1})",
    ])  # fmt: skip
    return st.builds(str.format, one, inner) | st.builds(str.format, two, inner, inner)


QUERIES = st.recursive(SELECTORS | SELECTORS.map(lambda each: f"rate({each}[5m])"), _around, max_leaves=6)


def selectors_in(node: object) -> Iterator[promql_parser.VectorSelector]:
    """Every selector of a tree, by a walk that knows nothing of kinds of nodes."""
    if isinstance(node, promql_parser.VectorSelector):
        yield node
    elif isinstance(node, list):
        for each in node:
            yield from selectors_in(each)
    else:
        for name in CHILDREN:
            if (child := getattr(node, name, None)) is not None:
                yield from selectors_in(child)


def is_scoped(selector: promql_parser.VectorSelector) -> bool:
    groups = selector.matchers.or_matchers or [selector.matchers.matchers]
    return all(
        ("namespace", "team-a") in [(m.name, m.value) for m in group if "Equal" in str(m.op)] for group in groups
    )


@given(QUERIES)
@example('quantile(scalar(e), a{namespace="team-a"})')
def test_what_passes_has_the_matcher_in_each_selector_of_the_tree_and_what_does_not_lacks_one(query: str) -> None:
    try:
        check_scope(query, REQUIRED)
        has_passed = True
    except OutOfScope:
        has_passed = False

    assert has_passed is all(is_scoped(each) for each in selectors_in(promql_parser.parse(query)))


@given(QUERIES)
@example('last_over_time({__name__=~"a|b",namespace="team-a"}[1m])')
def test_what_is_asked_beside_a_query_that_passes_passes_too(query: str) -> None:
    try:
        check_scope(query, REQUIRED)
    except OutOfScope:
        return
    freshness = Freshness.of(query)
    if freshness.selectors:
        check_scope(freshness.question, REQUIRED)


@given(st.text(alphabet="ab{}()[]\"'\\=~!,#`\n\r 5m:or@-+team-namespace", max_size=60))
def test_no_text_passes_that_reads_without_the_matcher(text: str) -> None:
    try:
        check_scope(text, REQUIRED)
    except OutOfScope:
        return
    assert all(is_scoped(each) for each in selectors_in(promql_parser.parse(text)))
