"""`foretide adopt`: what scales a workload today, and the way to Foretide and back."""

from __future__ import annotations

import asyncio
import json
import shlex
from dataclasses import asdict, dataclass
from datetime import timedelta
from pathlib import Path

import click
from rich.console import Console
from rich.text import Text

from agent.adopt.cannot import CannotAdopt
from agent.adopt.demand import demand_of
from agent.adopt.finding import Kind, find, others
from agent.adopt.printing import as_json, commands_text, file_text, stream, table_of
from agent.adopt.proposal import Around, Proposal, Wish, propose
from agent.adopt.today import today_of
from agent.backtest.backtest import Outcome, Question
from agent.backtest.notices import Notice
from agent.backtest.printing import policies_table
from agent.backtest.reading import Span
from agent.backtest.trial import View
from agent.backtest.words import percent, verdict
from agent.cli import HELP
from agent.cli.backtest import past_of_server, played
from agent.cli.reaching import choose_cluster
from agent.cli.values import DURATION, QUANTITY, SHARE
from agent.cluster.access import api_client
from agent.cluster.documents import Document
from agent.cluster.reaching import Unreachable
from agent.cluster.reading import KubernetesReader, NotRead, Reader
from agent.policy import InvalidPolicy
from agent.policy.document import API_VERSION, KIND
from scalers.hpa_rules import MOST_REPLICAS, HpaRules

_HPAS = ("autoscaling/v2", "HorizontalPodAutoscaler", "horizontalpodautoscalers")
_SCALED_OBJECTS = ("keda.sh/v1alpha1", "ScaledObject", "scaledobjects")
_POLICIES = (API_VERSION, KIND, "forecastpolicies")
_NOT_FOUND, _FORBIDDEN = 404, 403


@dataclass(frozen=True, slots=True)
class Scalers:
    """What scales the workloads of a namespace."""

    hpas: tuple[Document, ...]
    scaled_objects: tuple[Document, ...] | None  # None where the cluster has no KEDA
    policies: tuple[Document, ...] = ()  # none where they cannot be read, or are of no known kind yet


# fmt: off
@click.command(context_settings=HELP)
@click.argument("name")
@click.option("-n", "--namespace", default="default", show_default=True, help="Of the workload.")
@click.option("--kind", type=click.Choice([*Kind]), help="Which is meant, where both have the name.")
@click.option(
    "--kubeconfig", type=click.Path(exists=True, dir_okay=False, path_type=Path), metavar="FILE",
    help="How to reach the cluster; KUBECONFIG, the pod's service account, or ~/.kube/config by default.",
)
@click.option("--prometheus-url", metavar="URL", help="Play the past of its query under today's HPA and Foretide.")
@click.option("--query", metavar="PROMQL", help="Demand as one series; what it is scaled by today, by default.")
@click.option("--capacity", type=QUANTITY, metavar="N", help="Demand that one replica serves; today's target.")
@click.option("--risk", type=SHARE, default="1%", show_default=True, help="Share of time Foretide may be short.")
@click.option("--startup", type=DURATION, default="2m", show_default=True, help="A pod's start, until it is measured.")
@click.option(
    "--scaler-address", default="foretide.foretide:6000", show_default=True, metavar="HOST:PORT",
    help="Where KEDA reaches the agent: Service, namespace and port.",
)
@click.option("--json", "is_json", is_flag=True, help="Print JSON.")
@click.option(
    "--out", type=click.Path(file_okay=False, path_type=Path), metavar="DIR",
    help="Write the files into this folder, made where it is missing.",
)
def adopt_command(
    name: str,
    namespace: str,
    kind: str | None,
    kubeconfig: Path | None,
    prometheus_url: str | None,
    query: str | None,
    capacity: float | None,
    risk: float,
    startup: timedelta,
    scaler_address: str,
    is_json: bool,
    out: Path | None,
) -> None:
    """Propose the way from an HPA or a ScaledObject to Foretide, and back.

    NAME is an HPA's, a ScaledObject's, or that of what one of them scales. The cluster is read and never written: what
    is printed (or written to --out) is a policy in Shadow, the document that hands over, the one that leads back to
    exactly what is there now, and the commands in their order. Bounds and behavior stay. A ScaledObject with a
    prometheus trigger gives the query and the capacity; where an HPA follows cpu, give --query and --capacity.

    \b
      foretide adopt chat -n ml --query 'sum(rate(http_requests_total{app="chat"}[1m]))' --capacity 12
      foretide adopt chat -n ml --prometheus-url http://prometheus:9090 --out chat

    \b
    Exit codes: 0 done, 1 the cluster or the server did not answer, 2 the command line does not fit what is there.
    """
    choose_cluster(kubeconfig)
    wish = Wish(risk, startup, scaler_address)
    meant = None if kind is None else Kind(kind)
    proposal = _proposed(name, namespace, kind=meant, query=query, capacity=capacity, wish=wish)
    outcome = None if prometheus_url is None else _what_if(proposal, prometheus_url, risk, startup)
    figures = None if outcome is None else _figures(outcome)
    if out is not None:
        _write(proposal, out)
    if is_json:
        click.echo(as_json(proposal, folder=_folder(out), what_if=figures))
    else:
        _show(proposal, outcome, out)


# fmt: on
def _proposed(
    name: str, namespace: str, *, kind: Kind | None, query: str | None, capacity: float | None, wish: Wish
) -> Proposal:
    """Read the cluster, and propose.

    Raises:
        click.UsageError: there is nothing of that name, or not enough is known of its demand.
        click.ClickException: the cluster did not answer.
    """
    try:
        scalers = asyncio.run(_read(namespace))
        there = scalers.scaled_objects or ()
        found = find(name, namespace=namespace, kind=kind, hpas=scalers.hpas, scaled_objects=there)
        today = today_of(found)
        return propose(
            today,
            demand_of(today, query=query, capacity=capacity),
            wish,
            around=Around(
                hpas=tuple(others(found, scalers.hpas)),
                scaled_objects=tuple(there),
                policies=frozenset(str(each["metadata"]["name"]) for each in scalers.policies),
                has_keda=scalers.scaled_objects is not None,
            ),
        )
    except (CannotAdopt, InvalidPolicy) as error:
        raise click.UsageError(str(error)) from error
    except (NotRead, Unreachable) as error:
        raise click.ClickException(str(error)) from error


async def read_scalers(reader: Reader, namespace: str) -> Scalers:
    """Return what scales the workloads of a namespace.

    Raises:
        NotRead: it was refused, or nobody answered.
    """
    hpas = await _listed(reader, namespace, *_HPAS)
    scaled_objects = await _listed_if(reader, namespace, *_SCALED_OBJECTS, passed_over=(_NOT_FOUND,))
    policies = await _listed_if(reader, namespace, *_POLICIES, passed_over=(_NOT_FOUND, _FORBIDDEN))
    return Scalers(hpas, scaled_objects, policies or ())


async def _listed_if(
    reader: Reader, namespace: str, version: str, kind: str, plural: str, *, passed_over: tuple[int, ...]
) -> tuple[Document, ...] | None:
    """Return all objects of a kind; None where the answer is a status that is passed over."""
    try:
        return await _listed(reader, namespace, version, kind, plural)
    except NotRead as error:
        if error.status in passed_over:
            return None
        raise


async def _listed(reader: Reader, namespace: str, version: str, kind: str, plural: str) -> tuple[Document, ...]:
    """Return all objects of a kind, each with version and kind, which lists of Kubernetes leave out."""
    body = json.loads(await reader.get(f"/apis/{version}/namespaces/{namespace}/{plural}"))
    return tuple({"apiVersion": version, "kind": kind, **each} for each in body["items"])


async def _read(namespace: str) -> Scalers:
    async with await api_client() as api:
        return await read_scalers(KubernetesReader(api), namespace)


def _what_if(proposal: Proposal, prometheus_url: str, risk: float, startup: timedelta) -> Outcome:
    """Play the past of the query.

    Raises:
        click.UsageError: the query has no past that can be played.
        click.ClickException: the server did not answer.
    """
    query = proposal.demand.query
    past = past_of_server(None, prometheus_url, query, Span(None, None, None))
    try:
        return played(past, question(proposal, risk, startup))
    except click.UsageError as error:
        claim = f"the past of {query} cannot be played: {error.message}"
        raise click.UsageError(f"{claim}; give another with --query, or leave --prometheus-url out") from error


def question(proposal: Proposal, risk: float, startup: timedelta) -> Question:
    """Return what is asked of the past: today's HPA with its own target and rules beside Foretide."""
    today, demand = proposal.today, proposal.demand
    least = min(max(today.minimum, 1), MOST_REPLICAS)
    return Question(
        target=demand.target,
        risk=risk,
        start_up=startup,
        capacity=demand.capacity,
        hpa=HpaRules(
            minimum=least,
            maximum=min(today.maximum, MOST_REPLICAS),
            tolerance_up=today.tolerance,
            tolerance_down=today.tolerance_down,
            stabilization=today.stabilization,
        ),
        view=View(),
        swept=(),
        name=proposal.policy.metadata.name,
        namespace=proposal.policy.metadata.namespace,
        query=demand.query,
        origin="Prometheus",
        is_maximum_given=True,
    )


def notices_of(outcome: Outcome) -> tuple[Notice, ...]:
    """Return what to know of the past, and first of all where the user's own maximum bends the figures."""
    maximum = outcome.question.hpa.maximum
    share = float((outcome.reactive.hpa.course.existing >= maximum).mean())
    if not share:
        return outcome.notices
    what = (
        f"today's HPA has its {maximum} replicas for {percent(100 * share)} of the time, and neither may have more:"
        " either more are needed, or one replica serves more than --capacity says"
    )
    return (Notice("At the maximum", what), *outcome.notices)


def _figures(outcome: Outcome) -> dict[str, object]:
    return {
        "policies": {name: asdict(each.score) for name, each in outcome.policies.items()},
        "notices": [asdict(notice) for notice in notices_of(outcome)],
    }


def _show(proposal: Proposal, outcome: Outcome | None, out: Path | None) -> None:
    console = Console()
    console.print(table_of(proposal))
    if outcome is not None:
        console.print()
        console.print(policies_table(outcome))
        console.print(Text(verdict(outcome)))
        for notice in notices_of(outcome):
            console.print(Text(f"{notice.title}: {notice.what}"))
    click.echo()
    click.echo(stream(proposal, ".") if out is None else commands_text(proposal, _folder(out)), nl=False)


def _folder(out: Path | None) -> str:
    return "." if out is None else shlex.quote(str(out))


def _write(proposal: Proposal, out: Path) -> None:
    for file in proposal.files:
        path = out / file.name
        try:
            out.mkdir(parents=True, exist_ok=True)
            path.write_text(file_text(file), "utf-8")
        except OSError as error:
            raise click.ClickException(f"--out: {path} cannot be written: {error.strerror}") from error
        click.echo(f"wrote {path}", err=True)
