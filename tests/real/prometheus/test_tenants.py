"""What a namespace may ask, asked of a real server: with and without another's samples the answer is the same."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
import requests

from agent.sources.prometheus.scope import OutOfScope, check_scope
from forecasters.series import Series, grid_index, grid_instant
from tests.real.prometheus import rig

pytestmark = pytest.mark.real

STEP = timedelta(seconds=15)
END = grid_instant(grid_index(datetime.now(UTC) - timedelta(minutes=5), STEP), STEP)
REQUIRED = {"namespace": "team-a"}
QUERIES = [
    'sum(a{namespace="team-a"})',
    "sum(a{namespace='team-a'})",
    'sum(a{namespace="team-\\x61"})',
    'sum({__name__=~".+", namespace="team-a"})',
    'sum(a{namespace=~"team-a"})',
    'sum(a{namespace="team-a", namespace=~".+"})',
    'sum(a{namespace="team-a", pod=~".*"} offset 1m)',
    'sum(rate(a{namespace="team-a"}[5m]))',
    'max_over_time(sum(a{namespace="team-a"})[5m:15s])',
    'a{namespace="team-a"} or a{namespace="team-a",pod="x"}',
    'count(label_replace(a{namespace="team-a"}, "namespace", "team-b", "", ""))',
    'sum(a{namespace="team-a"} * on () group_left () sum(a{namespace="team-a"}))',
    'topk(scalar(count(a{namespace="team-a"})), a{namespace="team-a"})',
    'absent(a{namespace="team-a", pod="none"})',
    "vector(1)",
]


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[rig.PrometheusServer, rig.PrometheusServer]]:
    """A server with the samples of one team, and one with those of two."""
    if reason := rig.missing_binary():
        pytest.skip(reason)
    alone, both = (rig.PrometheusServer(tmp_path_factory.mktemp(name)) for name in ("alone", "both"))
    past = Series(END - 79 * STEP, STEP, np.arange(80.0))
    for server in (alone, both):
        server.load_series("a", past, {"namespace": "team-a", "pod": "x"})
    both.load_series("a", Series(past.start, STEP, past.values + 1000.0), {"namespace": "team-b", "pod": "y"})
    with ExitStack() as stack:
        yield stack.enter_context(rig.running(alone)), stack.enter_context(rig.running(both))


def answer(server: rig.PrometheusServer, query: str) -> object:
    reply = requests.get(
        f"{server.url}/api/v1/query", params={"query": query, "time": str(END.timestamp())}, timeout=10
    )
    assert reply.status_code == 200, reply.text
    return reply.json()["data"]


@pytest.mark.parametrize("query", QUERIES)
def test_a_query_that_passes_reads_nothing_of_another_namespace(
    servers: tuple[rig.PrometheusServer, rig.PrometheusServer], query: str
) -> None:
    check_scope(query, REQUIRED)
    alone, both = servers

    assert answer(alone, query) == answer(both, query)


@pytest.mark.parametrize(
    "query",
    ["sum(a)", 'sum(a{namespace!="team-c"})', 'sum(a{namespace=~"team-.*"})', 'a{namespace="team-a"} or a',
     'sum(a{namespace="team-a"}) + scalar(sum(a))', 'sum({__name__=~"a.*"})', 'sum(a # {namespace="team-a"}\n)'],
)  # fmt: skip
def test_a_query_that_would_read_of_another_is_refused(
    servers: tuple[rig.PrometheusServer, rig.PrometheusServer], query: str
) -> None:
    alone, both = servers
    assert answer(alone, query) != answer(both, query)

    with pytest.raises(OutOfScope):
        check_scope(query, REQUIRED)
