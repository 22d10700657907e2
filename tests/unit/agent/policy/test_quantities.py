from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.policy.quantities import (
    DURATION_MAX,
    format_duration,
    format_quantity,
    format_share,
    parse_duration,
    parse_quantity,
    parse_share,
)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90s", 90),
        ("1500ms", 1.5),
        ("1d2h30m", 95_400),
        ("14d", 1_209_600),
        ("2w", 1_209_600),
        ("1y", 31_536_000),
        ("0s", 0),
    ],
)
def test_a_duration_is_read_as_prometheus_reads_it(text, seconds):
    assert parse_duration(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize("text", ["", "90", "s", "1h 30m", "30m1h", "1.5h", "-5m", "90s\n", "5M", "٣s", "1h1h"])
def test_what_prometheus_would_not_read_is_no_duration(text):
    with pytest.raises(ValueError, match="as Prometheus writes it, such as 90s"):
        parse_duration(text)


def test_a_number_is_no_duration_and_the_error_writes_it_right():
    with pytest.raises(ValueError, match="write 120s"):
        parse_duration(120)


def test_a_duration_beyond_a_year_is_refused_before_it_overflows():
    with pytest.raises(ValueError, match="at most 366d"):
        parse_duration("999999999y")


@given(st.integers(0, DURATION_MAX // timedelta(milliseconds=1)))
def test_a_duration_that_was_written_reads_the_same(milliseconds):
    duration = timedelta(milliseconds=milliseconds)
    assert parse_duration(format_duration(duration)) == duration


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0s"), (90, "1m30s"), (1.5, "1s500ms"), (1_209_600, "14d"), (86_401, "1d1s")]
)
def test_a_duration_is_written_in_the_largest_units(seconds, text):
    assert format_duration(timedelta(seconds=seconds)) == text


@pytest.mark.parametrize(("text", "share"), [("1%", 0.01), ("0.05%", 0.0005), ("100%", 1.0), ("0%", 0.0)])
def test_a_share_is_a_number_with_a_percent_sign(text, share):
    assert parse_share(text) == share
    assert format_share(share) == text


@pytest.mark.parametrize("value", ["1", "0.01", ".5%", "-1%", "1 %", "1%%", "nan%", "1%\n", "1e-3%"])
def test_a_share_without_a_plain_number_and_a_percent_sign_is_refused(value):
    with pytest.raises(ValueError, match="such as 1%"):
        parse_share(value)


def test_a_bare_number_is_no_share_and_the_error_writes_it_right():
    with pytest.raises(ValueError, match="write 1%"):
        parse_share(1)


@given(st.decimals(0, 999, places=9))
def test_a_share_that_was_written_reads_the_same(percent):
    share = parse_share(f"{percent:f}%")
    assert parse_share(format_share(share)) == share


@pytest.mark.parametrize(
    ("value", "number"),
    [(12, 12.0), (404.33, 404.33), ("250m", 0.25), ("2k", 2000.0), ("1Ki", 1024.0), ("1e-12", 1e-12), ("1E", 1e18)],
)
def test_a_quantity_is_read_as_kubernetes_reads_it(value, number):
    assert parse_quantity(value) == number


@pytest.mark.parametrize(
    "value", [-1, float("nan"), float("inf"), 10**400, 1e-300, True, None, "", "-1", "1K", "1 k", ".", "1e999", "NaN"]
)
def test_a_negative_endless_or_misspelt_quantity_is_refused(value):
    with pytest.raises(ValueError, match="must be"):
        parse_quantity(value)


@given(st.floats(1e-90, 1e90) | st.just(0.0))
def test_a_quantity_that_was_written_reads_the_same(number):
    assert parse_quantity(format_quantity(number)) == number
