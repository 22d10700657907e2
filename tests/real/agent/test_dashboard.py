"""The chart's dashboard over an agent that a real Prometheus scrapes: each query is answered, each panel has data."""

from __future__ import annotations

from pathlib import Path

import pytest
import requests

from tests.real.agent.process import AgentProcess
from tests.real.prometheus import rig
from tests.unit.charts.test_dashboards import PANELS, expressions

pytestmark = pytest.mark.real

# Replicas and roles are a cluster's, and of a policy that is well no condition is told.
WITHOUT_DATA = {"Short replicas", "Roles", "Policies by condition"}


def test_each_panel_has_data_once_the_agent_is_scraped(agent: AgentProcess, tmp_path: Path) -> None:
    folder = tmp_path / "scraping"
    folder.mkdir()
    with agent:
        agent.until(lambda each: each.condition("ForecastTrusted")["status"] is True, "the forecast is trusted")
        agent.replicas()
        scraping = rig.PrometheusServer(folder, targets=[agent.http.removeprefix("http://")])
        with rig.running(scraping):
            agent.until(lambda _: len(answered(scraping, "foretide_grpc_handled_total[1m] offset 2s")), "it is scraped")
            agent.replicas()
            found = {title: [len(answered(scraping, each)) for each in expressions(title)] for title in PANELS}
    assert {title for title, counts in found.items() if not any(counts)} == WITHOUT_DATA


def answered(server: rig.PrometheusServer, query: str) -> list[object]:
    """Return the series of an instant query; a query that Prometheus refuses fails the test with its words."""
    reply = requests.post(f"{server.url}/api/v1/query", data={"query": query}, timeout=10)
    assert reply.ok, f"{query}: {reply.text}"
    return list(reply.json()["data"]["result"])
