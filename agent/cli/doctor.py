"""`foretide doctor`: looks at everything the agent needs and says what to mend."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

import click
import requests
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from agent.cli import HELP
from agent.cli.addresses import reachable
from agent.cli.looking import ClusterLook, cluster_options
from agent.cli.security import grpc_security_options, keda_tls_options
from agent.configuration import Configuration, InvalidConfiguration, load_configuration
from agent.doctor.finding import Finding, Level
from agent.doctor.keda import play_keda_at
from agent.doctor.machine import check_addresses, check_data_dir
from agent.doctor.objectives import check_objectives
from agent.doctor.quota import check_quota
from agent.doctor.serving import check_serving
from agent.doctor.sources import check_policy, check_sources
from agent.doctor.tls import KedaTls
from agent.policy import ForecastPolicy, InvalidPolicy, load_policies, to_scaling_policy
from agent.sources.table import SourceTable
from scalers.policy import PolicyKey

_GRPC_ADDRESS = "127.0.0.1:6000"
_HTTP_ADDRESS = "127.0.0.1:8080"
_ASK_SECONDS = 5.0
_COLOURS = {Level.OK: "green", Level.WARN: "yellow", Level.FAIL: "red"}


@click.command(context_settings=HELP)
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
@grpc_security_options
@click.option("--http-address", metavar="HOST:PORT", help=f"As for `run`; {_HTTP_ADDRESS} by default.")
@click.option("--keda", "play_keda", is_flag=True, help="Ask a running agent all that KEDA asks, and only that.")
@keda_tls_options
@cluster_options
@click.option("--json", "as_json", is_flag=True, help="Findings as JSON: check, level, what, mend.")
def doctor_command(
    file: Path | None,
    policies: Path | None,
    data_dir: Path | None,
    prometheus_url: str | None,
    grpc_address: str | None,
    security: Mapping[str, object],
    http_address: str | None,
    play_keda: bool,
    keda_tls: KedaTls | None,
    cluster: ClusterLook | None,
    as_json: bool,
) -> None:
    """Check what the agent needs, and say what to mend.

    Sources: reached, let in, version, clock. Each policy's signals: what the query gives now, how old its samples are,
    how far back its history goes, how long it takes. The data folder and the addresses, or the agent that runs there.
    Takes the same options, configuration and FORETIDE_ variables as `run`, and changes nothing.

    With --keda it plays KEDA against an agent that runs at --grpc-address: every call, for every policy of --policies
    or else of the agent at --http-address, with its time and what KEDA would conclude. KEDA itself is not needed.
    Where the agent speaks TLS, --ca-cert, --client-cert and --client-key are what KEDA's TriggerAuthentication holds;
    what is wrong with a certificate is told before anything is asked.

    With --cluster it looks at a set-up in a cluster: the CRD and its version, every verb that the chart grants, the
    Lease, KEDA; each policy's status, target, triggers and what else acts on the target; where each scalerAddress
    leads. Where --config or --prometheus-url says how the sources are reached from here, queries are asked, too.

    \b
      foretide doctor --policies examples/policies --prometheus-url http://prometheus:9090
      foretide doctor --keda
      foretide doctor --cluster --service-account foretide/foretide
      foretide doctor --keda --grpc-address foretide.foretide:6000 --ca-cert ca.crt

    \b
    Exit codes: 0 nothing fails (there may be warnings), 1 something fails, 2 the command line, the configuration or a
    policy is wrong.
    """
    try:
        configuration = load_configuration(file, environment=os.environ, prometheus_url=prometheus_url, flags=security)
        folder = policies or configuration.policies
        documents = load_policies(folder) if folder else []
    except (InvalidConfiguration, InvalidPolicy) as error:
        raise click.UsageError(str(error)) from error
    asked = grpc_address or configuration.grpc_address or _GRPC_ADDRESS
    http = http_address or configuration.http_address or _HTTP_ADDRESS
    if cluster is not None:
        findings = _look_in_cluster(configuration, cluster)
    elif play_keda:
        asked_for = [to_scaling_policy(each).key for each in documents] if folder else _served_policies(http)
        is_tls = keda_tls is not None or configuration.grpc.tls is not None
        findings = play_keda_at(
            reachable(asked), asked_for, tls=(keda_tls or KedaTls()) if is_tls else None, jobs=_jobs(documents)
        )
    else:
        findings = check_data_dir(data_dir or configuration.data_dir)
        findings += check_serving(configuration.grpc, asked, now=datetime.now(UTC))
        findings += check_addresses(grpc=asked, http=http)
        findings += check_quota(documents, configuration.namespace_limits.policies)
        findings += asyncio.run(_look_at_sources(configuration, documents))
    if as_json:
        click.echo(json.dumps([asdict(finding) for finding in findings], indent=2))
    else:
        _show(findings)
    if any(finding.level is Level.FAIL for finding in findings):
        raise SystemExit(1)


def _look_in_cluster(configuration: Configuration, cluster: ClusterLook) -> list[Finding]:
    findings, policies = cluster.look(configuration.namespaces)
    if configuration.sources:
        return findings + asyncio.run(_look_at_sources(configuration, policies))
    mend = "give --prometheus-url URL as it is reached from here, or the agent's file with --config"
    return [*findings, Finding("sources", Level.WARN, "no query was asked", mend)]


async def _look_at_sources(configuration: Configuration, documents: Sequence[ForecastPolicy]) -> list[Finding]:
    findings = await check_sources(configuration)
    if not documents:
        mend = "give --policies FILE or FOLDER (see `foretide render examples`)"
        findings.append(Finding("policies", Level.WARN, "none are given", mend))
    with closing(SourceTable(configuration)) as sources:
        for document in documents:
            findings += await check_policy(document, sources, now=datetime.now(UTC))
            findings += await check_objectives(document, sources, now=datetime.now(UTC))
    return findings


def _jobs(documents: Sequence[ForecastPolicy]) -> frozenset[PolicyKey]:
    """Return the policies whose target is a ScaledJob."""
    return frozenset(
        to_scaling_policy(each).key for each in documents if each.spec.scale_target_ref.kind == "ScaledJob"
    )


def _served_policies(address: str) -> list[PolicyKey]:
    """Return the policies of the agent at an HTTP address.

    Raises:
        click.ClickException: no agent answers there.
    """
    url = f"http://{reachable(address)}/api/v1/policies"
    try:
        reply = requests.get(url, timeout=_ASK_SECONDS)
        reply.raise_for_status()
        return [PolicyKey(each["namespace"], each["name"]) for each in reply.json()["policies"]]
    except (requests.RequestException, ValueError, KeyError, TypeError) as error:
        raise click.ClickException(
            f"no list of policies at {url} ({type(error).__name__}): give --policies, or the agent's --http-address"
        ) from error


def _show(findings: Sequence[Finding]) -> None:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("", "check", "found"):
        table.add_column(name, overflow="fold")
    for finding in findings:
        colour = _COLOURS[finding.level]
        mend = f"\n[dim]→ {escape(finding.mend)}[/]" if finding.mend else ""
        table.add_row(f"[{colour}]{finding.level}[/]", escape(finding.check), f"{escape(finding.what)}{mend}")
    Console().print(table)
