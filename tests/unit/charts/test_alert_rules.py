"""The alert rules that the chart ships: of metrics that there are, each tried, each with a mend."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from agent.telemetry import Telemetry
from tests.chart import CHART, the
from tests.real.prometheus.test_rules import CASES

ROOT = CHART.parents[1]
GROUPS: list[dict[str, Any]] = yaml.safe_load((CHART / "files/rules/foretide.yaml").read_text("utf-8"))["groups"]
RULES = {rule["alert"]: rule for group in GROUPS for rule in group["rules"]}
each_alert = pytest.mark.parametrize("alert", RULES)


def tried() -> Iterator[tuple[str, bool]]:
    """Yield each alert that promtool tries, and whether it should ring there."""
    for case in yaml.safe_load(CASES.read_text("utf-8"))["tests"]:
        for trial in case["alert_rule_test"]:
            yield trial["alertname"], bool(trial.get("exp_alerts"))


def test_the_chart_renders_the_rules_as_they_are() -> None:
    assert the("PrometheusRule", {"prometheusRule.enabled": True})["spec"]["groups"] == GROUPS


def test_a_scraped_series_keeps_the_namespace_of_its_policy() -> None:
    (endpoint,) = the("ServiceMonitor", {"serviceMonitor.enabled": True})["spec"]["endpoints"]
    assert endpoint["honorLabels"] is True


@each_alert
def test_an_alert_reads_metrics_that_the_agent_declares(alert: str) -> None:
    used = set(re.findall(r"foretide_\w+", RULES[alert]["expr"]))
    declared = {metric.name: metric.labels for metric in Telemetry(version="test").metrics.declared}
    assert used
    assert used <= declared.keys()
    grouped = {
        label for labels in re.findall(r"by \(([\w, ]+)\)", RULES[alert]["expr"]) for label in labels.split(", ")
    }
    of_target = {"namespace", "job", "pod"}
    assert grouped <= of_target.union(*(declared[name] for name in used))


@each_alert
def test_an_alert_says_how_bad_it_is_what_is_so_and_what_to_do(alert: str) -> None:
    rule = RULES[alert]
    assert rule["labels"]["severity"] in {"critical", "warning"}
    assert rule["annotations"].keys() == {"summary", "description"}


@each_alert
def test_an_alert_is_in_the_documentation(alert: str) -> None:
    assert f"| `{alert}` | {RULES[alert]['labels']['severity']} |" in (ROOT / "docs/operations.md").read_text("utf-8")


@each_alert
def test_an_alert_is_tried_in_trouble_and_on_a_good_day(alert: str) -> None:
    assert {(alert, True), (alert, False)} <= set(tried())
