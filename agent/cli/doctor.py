"""`foretide doctor`: looks at everything the agent needs and says what to mend."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Sequence
from contextlib import closing
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

import click
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from agent.configuration import Configuration, InvalidConfiguration, load_configuration
from agent.doctor.finding import Finding, Level
from agent.doctor.machine import check_addresses, check_data_dir
from agent.doctor.sources import check_policy, check_sources
from agent.policy import ForecastPolicy, InvalidPolicy, load_policies
from agent.sources.table import SourceTable

_GRPC_ADDRESS = "127.0.0.1:6000"
_HTTP_ADDRESS = "127.0.0.1:8080"
_COLOURS = {Level.OK: "green", Level.WARN: "yellow", Level.FAIL: "red"}


@click.command()
@click.option(
    "--config", "file", type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The agent's configuration, YAML.",
)  # fmt: skip
@click.option(
    "--policies", type=click.Path(exists=True, path_type=Path), help="File or folder of ForecastPolicy documents."
)
@click.option("--data-dir", type=click.Path(file_okay=False, path_type=Path), help="As for `run`.")
@click.option("--prometheus-url", metavar="URL", help="The Prometheus that policies mean by `source: default`.")
@click.option("--grpc-address", metavar="HOST:PORT", help=f"As for `run`; {_GRPC_ADDRESS} by default.")
@click.option("--http-address", metavar="HOST:PORT", help=f"As for `run`; {_HTTP_ADDRESS} by default.")
@click.option("--json", "as_json", is_flag=True, help="Findings as JSON: check, level, what, mend.")
def doctor_command(
    file: Path | None,
    policies: Path | None,
    data_dir: Path | None,
    prometheus_url: str | None,
    grpc_address: str | None,
    http_address: str | None,
    as_json: bool,
) -> None:
    """Check what the agent needs, and say what to mend.

    Sources: reached, let in, version, clock. Each policy's signals: what the query gives now, how old its samples are,
    how far back its history goes, how long it takes. The data folder and the addresses, or the agent that runs there.
    Takes the same options, configuration and FORETIDE_ variables as `run`, and changes nothing.

    \b
      foretide doctor --policies examples/policies --prometheus-url http://prometheus:9090

    \b
    Exit codes: 0 nothing fails (there may be warnings), 1 something fails, 2 the command line, the configuration or a
    policy is wrong.
    """
    try:
        configuration = load_configuration(file, environment=os.environ, prometheus_url=prometheus_url)
        folder = policies or configuration.policies
        documents = load_policies(folder) if folder else []
    except (InvalidConfiguration, InvalidPolicy) as error:
        raise click.UsageError(str(error)) from error
    findings = check_data_dir(data_dir or configuration.data_dir)
    findings += check_addresses(
        grpc=grpc_address or configuration.grpc_address or _GRPC_ADDRESS,
        http=http_address or configuration.http_address or _HTTP_ADDRESS,
    )
    findings += asyncio.run(_look_at_sources(configuration, documents))
    if as_json:
        click.echo(json.dumps([asdict(finding) for finding in findings], indent=2))
    else:
        _show(findings)
    if any(finding.level is Level.FAIL for finding in findings):
        raise SystemExit(1)


async def _look_at_sources(configuration: Configuration, documents: Sequence[ForecastPolicy]) -> list[Finding]:
    findings = await check_sources(configuration)
    if not documents:
        mend = "give --policies FILE or FOLDER (see `foretide render examples`)"
        findings.append(Finding("policies", Level.WARN, "none are given", mend))
    with closing(SourceTable(configuration)) as sources:
        for document in documents:
            findings += await check_policy(document, sources, now=datetime.now(UTC))
    return findings


def _show(findings: Sequence[Finding]) -> None:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("", "check", "found"):
        table.add_column(name, overflow="fold")
    for finding in findings:
        colour = _COLOURS[finding.level]
        mend = f"\n[dim]→ {escape(finding.mend)}[/]" if finding.mend else ""
        table.add_row(f"[{colour}]{finding.level}[/]", escape(finding.check), f"{escape(finding.what)}{mend}")
    Console().print(table)
