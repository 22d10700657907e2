"""The dashboard that the chart ships: metrics that there are, PromQL that parses, panels that say what they show."""

from __future__ import annotations

import json
import re
from typing import Any

import promql_parser as promql
import pytest

from agent.telemetry import Telemetry
from tests.chart import CHART, of_kind

FILE = CHART / "files/dashboards/foretide.json"
DASHBOARD: dict[str, Any] = json.loads(FILE.read_text("utf-8"))
PANELS = {panel["title"]: panel for panel in DASHBOARD["panels"] if panel["type"] != "row"}
OF_THE_PROCESS = {"process_cpu_seconds_total", "process_resident_memory_bytes"}
each_panel = pytest.mark.parametrize("title", PANELS)


def expressions(title: str) -> list[str]:
    """Return a panel's queries as Prometheus gets them."""
    filled = {"$__rate_interval": "1m", "$namespace": ".*", "$policy": ".*"}
    asked = [target["expr"] for target in PANELS[title]["targets"]]
    for name, value in filled.items():
        asked = [expression.replace(name, value) for expression in asked]
    return asked


def test_the_chart_renders_it_as_it_is() -> None:
    shown = [each["data"] for each in of_kind("ConfigMap", {"dashboards.enabled": True})]
    (text,) = [data["foretide.json"] for data in shown if "foretide.json" in data]
    assert json.loads(text) == DASHBOARD


@each_panel
def test_a_panels_queries_parse_and_read_metrics_that_the_agent_exports(title: str) -> None:
    declared = {metric.name for metric in Telemetry(version="test").metrics.declared} | OF_THE_PROCESS
    for expression in expressions(title):
        promql.parse(expression)
        named = set(re.findall(r"(?:foretide|process)_\w+", expression))
        assert named
        assert {name.removesuffix("_bucket") for name in named} <= declared


@each_panel
def test_a_panel_says_what_it_shows_in_which_unit_and_of_which_source(title: str) -> None:
    panel = PANELS[title]
    assert panel["description"].endswith(".")
    assert panel["fieldConfig"]["defaults"]["unit"]
    assert all(target["datasource"]["uid"] == "${datasource}" for target in panel["targets"])
    assert all(target["legendFormat"] for target in panel["targets"])


def test_no_panel_lies_upon_another() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in DASHBOARD["panels"]:
        at = panel["gridPos"]
        cells = {(at["x"] + column, at["y"] + line) for column in range(at["w"]) for line in range(at["h"])}
        assert not taken & cells
        assert at["x"] + at["w"] <= 24
        taken |= cells
