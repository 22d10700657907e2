from __future__ import annotations

import re
from itertools import product

import promql_parser
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.sources.prometheus.selectors import by_name, words


def _by_name(query: str) -> tuple[str, ...] | None:
    selector = promql_parser.parse(query)
    assert isinstance(selector, promql_parser.VectorSelector)
    return by_name(selector)


@pytest.mark.parametrize(
    ("pattern", "listed"),
    [
        ("a", ("a",)),
        ("a|b", ("a", "b")),
        ("vllm:num_requests_(running|waiting)", ("vllm:num_requests_running", "vllm:num_requests_waiting")),
        ("(?:a|b)_(c|d(e|f))", ("a_c", "a_de", "a_df", "b_c", "b_de", "b_df")),
        ("http_requests(_total|)", ("http_requests_total", "http_requests")),
        (r"http\.server\.(a|b)", ("http.server.a", "http.server.b")),
        ("a|a", ("a",)),
        ("", ("",)),
        ("|".join(f"m{number}" for number in range(16)), tuple(f"m{number}" for number in range(16))),
    ],
)
def test_a_list_of_words_is_told_in_its_order(pattern: str, listed: tuple[str, ...]) -> None:
    assert words(pattern) == listed


@pytest.mark.parametrize(
    "pattern",
    [
        ".*", "vllm:.+", "a.b", "a?", "a*", "(a|b)+", "[ab]", "a{2}", "^a$", r"\w", r"a\d", r"\Qa.b\E", "(?i)a|b",
        "(?P<x>a|b)", "(a", "a)", "|".join(f"m{number}" for number in range(17)), "(a|b)(a|b)(a|b)(a|b)(a|b)",
        "(a|b)" * 4000, "(" * 4000 + "a" + ")" * 4000 + "*",
    ],
)  # fmt: skip
def test_what_is_no_short_list_is_none(pattern: str) -> None:
    assert words(pattern) is None


PARTS = st.sampled_from(["", "a", "b", "ba"])
PATTERNS = st.recursive(
    PARTS,
    lambda inner: st.builds(
        str.format, st.sampled_from(["({0}|{1})", "(?:{0}){1}", "{0}|{1}", "{0}{1}", "({0})*{1}"]), inner, inner
    ),
    max_leaves=4,
)


@given(PATTERNS)
def test_a_list_has_all_that_the_expression_matches_and_nothing_else(pattern: str) -> None:
    listed = words(pattern)

    if listed is not None:
        all_words = ("".join(letters) for length in range(9) for letters in product("ab", repeat=length))
        assert set(listed) == {word for word in all_words if re.fullmatch(pattern, word)}


@pytest.mark.parametrize(
    ("query", "texts"),
    [
        ("a", ("a",)),
        ('a{x=~"1|2"}', ('a{x=~"1|2"}',)),
        ('{__name__="a"}', ('{__name__="a"}',)),
        ('{"http.requests",x="1"}', ('{__name__="http.requests",x="1"}',)),
        ('{__name__=~"a|b"}', ('{__name__="a"}', '{__name__="b"}')),
        ('{__name__=~"a|b",x!="1"}', ('{x!="1",__name__="a"}', '{x!="1",__name__="b"}')),
        ('{__name__=~"a|b|",x="1"}', ('{x="1",__name__="a"}', '{x="1",__name__="b"}')),
        ('{__name__=~".+",__name__=~"a|b"}', ('{__name__=~".+",__name__="a"}', '{__name__=~".+",__name__="b"}')),
        ('{__name__=~"a|b",__name__!="a"}', ('{__name__!="a",__name__="a"}', '{__name__!="a",__name__="b"}')),
        ('{__name__="a",__name__=~"a|b"}', ('{__name__="a",__name__=~"a|b"}',)),
        ('{__name__=~"a|b" or __name__="c",x="1"}', ('{__name__="a"}', '{__name__="b"}', '{__name__="c",x="1"}')),
        ('a{x="1" or y="2"}', ('a{x="1" or y="2"}',)),
    ],
)
def test_a_selector_that_lists_metrics_is_one_for_each(query: str, texts: tuple[str, ...]) -> None:
    assert _by_name(query) == texts
    assert all(len(_by_name(text) or ()) == 1 for text in texts)


@pytest.mark.parametrize(
    "query",
    [
        '{__name__=~"http_.*"}',
        '{__name__!="a",x="1"}',
        '{__name__!~"a|b",x="1"}',
        '{x="1"}',
        '{__name__=~"a|b" or x="1"}',
        '{__name__=~"' + "|".join(f"m{number}" for number in range(17)) + '"}',
    ],
)
def test_a_selector_that_does_not_list_its_metrics_is_told_from_one_that_does(query: str) -> None:
    assert _by_name(query) is None
