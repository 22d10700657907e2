from datetime import timedelta

import pytest

from agent.policy.window import rate_window


@pytest.mark.parametrize(
    ("query", "seconds"),
    [
        ("demand", 0),
        ("sum(rate(http_requests_total[1m]))", 60),
        ("rate(a[30s]) + rate(b[1m30s])", 90),
        ("max_over_time(rate(a[1m])[10m:15s])", 600),
        ("avg_over_time(a[5m:])", 300),
        ("rate(a[ 2m ])", 120),
        ("rate(a[300])", 300),
        ('a{path="[1h]"}', 0),
        ("a{path='x\\'[1h]'} + rate(b[1m])", 60),
        ("a{path=`[1h]`}", 0),
        ("a # not [1h]\n + rate(b[1m])", 60),
        ("rate(a[$__rate_interval])", 0),
    ],
)
def test_the_window_is_the_longest_range_of_the_query(query, seconds):
    assert rate_window(query) == timedelta(seconds=seconds)
