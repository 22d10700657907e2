from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import promql_parser
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.sources.prometheus.freshness import Freshness, Unparsable

NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
AT = NOON.timestamp()


def _texts(query: str) -> list[str]:
    return [selector.text for selector in Freshness.of(query).selectors]


def _newest(query: str, *ages: float | None) -> float | None:
    """Return the age of a query's value, given the age of each selector's newest sample, None where it has none."""
    found = {str(number): AT - age for number, age in enumerate(ages) if age is not None}
    newest = Freshness.of(query).newest(found)
    return None if newest is None else (NOON - newest).total_seconds()


@pytest.mark.parametrize(
    ("query", "texts"),
    [
        ('sum(rate(http_requests_total{app="chat"}[1m]))', ['http_requests_total{app="chat"}']),
        ("a / on(pod) group_left b", ["a", "b"]),
        ("a + a", ["a"]),
        ('{__name__=~"http_.*",x!="1"}', ['{__name__=~"http_.*",x!="1"}']),
        ('x{path="C:\\\\d \\"q\\""}', ['x{path="C:\\\\d \\"q\\""}']),
        ('{"http.requests","app.name"="chat"}', ['{__name__="http.requests","app.name"="chat"}']),
        ("rate(a[5m] offset 1h)", ["a offset 3600000ms"]),
        ("max_over_time(rate(a[5m])[1h:15s] offset 10m)", ["a offset 600000ms"]),
        ("a @ 100", []),
        ("a @ end()", ["a"]),
        ("a unless b", ["a"]),
        ("absent(a)", []),
        ("vector(1) + time()", []),
        ("histogram_quantile(0.9, sum by (le) (rate(a_bucket[5m])))", ["a_bucket"]),
    ],
)
def test_the_selectors_that_a_value_rests_on_are_found(query: str, texts: list[str]) -> None:
    assert _texts(query) == texts


@pytest.mark.parametrize(
    "query",
    ["a", "sum(a)", "rate(a[1m])", "2 * (a)", "-a", "a > bool scalar(b)", "a or vector(0)", "absent(a) or b"],
)
def test_a_vector_and_its_freshness_are_asked_for_at_once(query: str) -> None:
    freshness = Freshness.of(query)
    both = freshness.beside(query)
    assert both is not None
    assert both == f'label_replace((\n{query}\n), "foretide_selector", "value", "", "") or {freshness.question}'
    promql_parser.parse(both)


@pytest.mark.parametrize("query", ["scalar(a)", "1 + scalar(a)", "-(scalar(a))", "vector(1)", "time()", "absent(a)"])
def test_a_scalar_and_what_reads_no_sample_are_asked_for_alone(query: str) -> None:
    assert Freshness.of(query).beside(query) is None


def test_a_comment_at_the_end_of_a_query_takes_nothing_away() -> None:
    query = "sum(a)  # per second"
    both = Freshness.of(query).beside(query)
    assert both is not None
    assert isinstance(promql_parser.parse(both), promql_parser.BinaryExpr)


def test_a_value_is_as_fresh_as_its_stalest_needed_selector() -> None:
    assert _newest("a / b", 10, 90) == 90


def test_a_value_without_a_needed_selector_has_no_age() -> None:
    assert _newest("a / b", 10, None) is None


def test_an_alternative_that_is_missing_does_not_count() -> None:
    assert _newest("a or b", None, 20) == 20


def test_alternatives_that_are_both_there_are_as_fresh_as_the_stalest() -> None:
    assert _newest("a or b", 10, 20) == 20


def test_a_fallback_to_a_constant_does_not_hide_that_data_are_missing() -> None:
    assert _newest("sum(a) or vector(0)", None) is None


def test_a_time_read_with_an_offset_counts_as_now() -> None:
    assert _newest("a offset 1h", 3600 + 15) == 15


def test_an_instant_selector_is_asked_for_its_newest_timestamp() -> None:
    question = Freshness.of("sum(a)").question

    assert question == 'label_replace(max(timestamp(a)), "foretide_selector", "0", "", "")'


def test_a_window_is_also_looked_into_where_the_newest_sample_is_gone() -> None:
    question = Freshness.of("rate(a[80s])").question

    assert "max(timestamp(a)) or max_over_time(max(timestamp(a))[80000ms:10000ms])" in question


def test_metrics_that_a_selector_lists_are_asked_each_by_itself_and_told_apart() -> None:
    question = Freshness.of('sum({__name__=~"a|b"} offset 1m)').question

    first = 'label_replace(max(timestamp({__name__="a"} offset 60000ms)), "foretide_selector", "0", "", "")'
    second = 'label_replace(max(timestamp({__name__="b"} offset 60000ms)), "foretide_selector", "1", "", "")'
    assert question == f'label_replace(max({first} or {second}), "foretide_selector", "0", "", "")'
    promql_parser.parse(question)


def test_a_window_over_listed_metrics_is_looked_into_for_each() -> None:
    freshness = Freshness.of('sum(last_over_time({__name__=~"a|b"}[80s]))')

    each = r'label_replace\(max\(timestamp\(\{__name__="[ab]"\}\)\), "foretide_selector", "[01]", "", ""\)'
    assert re.search(rf"max_over_time\(max\({each} or {each}\)\[80000ms:10000ms\]\)", freshness.question)
    promql_parser.parse(freshness.question)


@pytest.mark.parametrize(
    ("query", "unlisted"),
    [
        ('sum({__name__=~"a|b"}) / c', []),
        ('sum({__name__=~"a.*"}) / c', ['{__name__=~"a.*"}']),
        ('sum({job="x"} offset 1s) / c', ['{job="x"} offset 1000ms']),
    ],
)
def test_selectors_that_may_give_several_metrics_are_known(query: str, unlisted: list[str]) -> None:
    assert [selector.text for selector in Freshness.of(query).unlisted] == unlisted


@pytest.mark.parametrize(
    "query", ["sum(", "a{", "no_such_function(a)", "+".join("a" * 400), "(" * 8000 + "a" + ")" * 8000]
)
def test_a_query_that_cannot_be_parsed_says_so(query: str) -> None:
    with pytest.raises(Unparsable):
        Freshness.of(query)


def test_a_long_sum_is_followed_to_its_end() -> None:
    query = " + ".join(f"a{number}" for number in range(250))

    assert len(_texts(query)) == 250
    assert _newest(query, *range(250)) == 249


def test_signs_within_label_values_are_no_operators() -> None:
    assert _texts('a{x="' + "+-or " * 400 + '"}') == ['a{x="' + "+-or " * 400 + '"}']


LABEL_VALUES = st.text(alphabet=st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=20)


@given(value=LABEL_VALUES)
def test_any_label_value_survives_into_the_question(value: str) -> None:
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    freshness = Freshness.of(f'sum(rate(a{{x="{escaped}"}}[5m])) / b')

    parsed = promql_parser.parse(freshness.selectors[0].text)
    assert [matcher.value for matcher in parsed.matchers.matchers] == [value]
    promql_parser.parse(freshness.question)


@given(st.lists(st.floats(0, 1e6), min_size=2, max_size=2))
def test_no_value_is_fresher_than_any_selector_it_needs(ages: list[float]) -> None:
    age = _newest("rate(a[1m]) * b", *ages)

    assert age is not None
    assert age == pytest.approx(max(ages), abs=1e-3)
    assert timedelta(seconds=age) >= timedelta(0)
