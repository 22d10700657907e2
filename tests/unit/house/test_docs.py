"""The documents for people name what is there: metrics, conditions, commands, files."""

from __future__ import annotations

import re
from pathlib import Path

import click
import pytest

from agent.cli import main
from agent.configuration.loading import PROMETHEUS_URL_VARIABLE
from agent.configuration.overriding import ENVIRONMENT
from agent.sources.source import SignalState
from agent.telemetry import Telemetry

ROOT = Path(__file__).parents[3]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")])
OPERATIONS = (ROOT / "docs" / "operations.md").read_text()


def table_under(heading: str) -> list[list[str]]:
    """Return the cells of the rows of the first table under a heading, without its head."""
    section = OPERATIONS.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    table = section[section.index("\n|") :].strip().split("\n\n")[0]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()[2:]]


def codes(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_link_inside_the_repository_leads_somewhere(document: Path) -> None:
    targets = re.findall(r"\]\((?!https?:)([^)#]+)", document.read_text())

    assert [name for name in targets if not (document.parent / name).exists()] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_command_and_flag_that_is_shown_exists(document: Path) -> None:
    context = click.Context(main)
    # of a release, a Lease or a namespace it is the name
    text = re.sub(r"\bhelm [a-z]+ foretide\b|k8s\.io/foretide\b|\bnamespace foretide\b", "", document.read_text())
    for name, words in re.findall(r"\bforetide ([a-z]+)((?: [-\w./:=]+)*)", text):
        command = main.get_command(context, name)
        assert command is not None, name
        if isinstance(command, click.Group) and (below := command.get_command(context, (words.split() or [""])[0])):
            command = below
        known = {option for parameter in command.params for option in parameter.opts}
        shown = {word for word in words.split() if word.startswith("-")}
        assert shown <= known, f"foretide {name}"


def test_the_table_of_metrics_is_the_telemetry() -> None:
    rows = [(codes(name)[0], kind, labels, about) for name, kind, labels, about in table_under("Metrics")]

    assert rows == [
        (metric.name, metric.kind, ", ".join(metric.labels), metric.documentation.removesuffix("."))
        for metric in Telemetry(version="0").metrics.declared
    ]


def test_the_alerts_ask_for_metrics_that_exist() -> None:
    declared = {metric.name for metric in Telemetry(version="0").metrics.declared}

    assert set(re.findall(r"foretide_[a-z_]+", OPERATIONS)) <= declared


def test_the_table_of_states_is_the_enum() -> None:
    text = OPERATIONS.split("The states of `DataFresh`")[1].split("\n## ")[0]
    named = [state for line in text.splitlines() if line.startswith("| `") for state in codes(line.split("|")[1])]

    assert named == [state.value for state in SignalState]


def test_the_table_of_settings_is_the_configuration() -> None:
    rows = table_under("Settings")
    variables = {codes(variable)[0]: codes(field)[0] for _, variable, field in rows}

    assert variables == ENVIRONMENT | {PROMETHEUS_URL_VARIABLE: "sources.default.prometheus.url"}


def test_the_flags_of_the_settings_are_those_of_run() -> None:
    run = main.get_command(click.Context(main), "run")
    assert run is not None
    options = {option for parameter in run.params for option in parameter.opts}

    assert {codes(flag)[0] for flag, _, _ in table_under("Settings")} == options - {"--config", "--kubeconfig"}
