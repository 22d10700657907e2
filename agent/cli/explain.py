"""`foretide explain`: the decision record of a policy, live or at a past time, in words."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import cast
from urllib.parse import quote

import click
import requests
from rich.console import Console
from rich.table import Table

from agent.cli import HELP
from scalers.sentence import number

_TIMEOUT_SECONDS = 10


@click.command(context_settings=HELP)
@click.argument("name")
@click.option("-n", "--namespace", default="default", show_default=True, help="Namespace of the policy.")
@click.option("--at", "at", metavar="TIME", help="A past time, ISO 8601; the decision that stood then.")
@click.option(
    "--address",
    default="http://127.0.0.1:8080",
    show_default=True,
    envvar="FORETIDE_ADDRESS",
    help="The agent's HTTP address.",
)
@click.option("--json", "as_json", is_flag=True, help="The record as JSON, as the API gives it.")
def explain_command(name: str, namespace: str, at: str | None, address: str, as_json: bool) -> None:
    """Show why a policy's replicas are what they are.

    NAME is the policy's. The record is the one that the API, the page and the status show: what was known, what was
    foretold, what each step made of it, and the answer.

    \b
      foretide explain chat -n ml
      foretide explain chat -n ml --at 2026-03-02T14:29:45Z --json

    \b
    Exit codes: 0 there is an answer, 1 the policy refuses or the agent cannot be reached, 2 the command line is wrong.
    """
    path = f"/api/v1/policies/{quote(namespace, safe='')}/{quote(name, safe='')}"
    if at is not None:
        path += f"/decisions/at?time={_instant(at)}"
    found = _get(address.rstrip("/") + path)
    decision = found.get("decision", found)
    if not isinstance(decision, dict):
        raise click.ClickException(f"policy {namespace}/{name} has made no decision yet")
    if as_json:
        click.echo(json.dumps(found, indent=2))
    else:
        _show(decision, found, Console(markup=False, highlight=False))  # a query such as rate(x[1m]) is no markup
    if decision.get("forKeda") is None:
        raise SystemExit(1)


def _instant(text: str) -> str:
    try:
        instant = datetime.fromisoformat(text)
    except ValueError as error:
        raise click.BadParameter(
            f"{text!r} is not an ISO 8601 time such as 2026-03-02T14:29:45Z", param_hint="--at"
        ) from error
    if instant.tzinfo is None:
        raise click.BadParameter(f"{text!r} has no zone; write {text}Z for UTC", param_hint="--at")
    return quote(text)


def _get(url: str) -> dict[str, object]:
    """Ask the agent; every way to fail has a sentence."""
    try:
        reply = requests.get(url, timeout=_TIMEOUT_SECONDS)
    except requests.RequestException as error:
        agent = url.split("/api/", maxsplit=1)[0]
        raise click.ClickException(
            f"no agent answers at {agent} ({type(error).__name__}); start one with `foretide run`, or give --address"
        ) from error
    try:
        body = reply.json()
    except ValueError as error:
        raise click.ClickException(
            f"{url} answered {reply.status_code} and no JSON; is this a Foretide agent?"
        ) from error
    if reply.status_code != requests.codes.ok:
        raise click.ClickException(
            str(body.get("detail") or body.get("title") or f"the agent answered {reply.status_code}")
        )
    return cast("dict[str, object]", body)


def _show(decision: Mapping[str, object], found: Mapping[str, object], console: Console) -> None:
    console.print(str(decision["sentence"]), style="bold")
    console.print(
        f"{decision['namespace']}/{decision['name']}  {decision['mode']}  {decision['basis']}  at {decision['at']}"
    )
    console.print()
    for known in _rows(decision.get("signals")):
        console.print(_inputs(known))
    bought = [str(advantage["sentence"]) for advantage in _rows(found.get("advantages"))]
    for sentence in bought:
        console.print(sentence)
    console.print(_arithmetic(decision))
    lead_time = found.get("leadTime")
    if isinstance(lead_time, dict):
        console.print(f"Lead time: {lead_time['sentence']}")
    for condition in _rows(found.get("conditions")):
        if condition["message"] in bought:
            continue
        if _is_worth_telling(condition):
            console.print(f"{condition['type']}: {condition['reason']}: {condition['message']}")


def _is_worth_telling(condition: Mapping[str, object]) -> bool:
    """Whether a condition is not as it should be: of most True is good news, of two it is bad."""
    if condition.get("type") in ("Conflict", "TriggerInShadow"):
        return condition.get("status") is True
    return condition.get("status") is not True


def _inputs(known: Mapping[str, object]) -> Table:
    table = _table(f"Signal {known['name']}")
    seen = f"sample of {known['at']}" if known.get("at") else "no sample yet"
    table.add_row(
        "demand", _number(known.get("demand")), seen if known.get("state") == "OK" else f"{seen}, {known['state']}"
    )
    peak = known.get("peak")
    if isinstance(peak, dict):
        table.add_row("median of the peak", _number(peak["median"]), f"{peak['model']}, until {peak['until']}")
        table.add_row(
            f"{float(peak['level']):.2%} quantile",
            _number(peak["value"]),
            f"calibration added {_number(peak['calibration'])}",
        )
    if known.get("distrust"):
        table.add_row("not used", "", str(known["distrust"]))
    fall, ceiling = known.get("fall"), known.get("ceiling")
    if isinstance(fall, dict):
        what = "it is back" if fall["isBack"] else "at once and at no usual time"
        table.add_row("fell from", _number(fall["before"]), f"at {fall['since']}, {what}; held until {fall['until']}")
    if isinstance(ceiling, dict):
        stays = f"{ceiling['plateaus']} times, {_number(ceiling['totalSeconds'])} s in all"
        table.add_row("pinned at", _number(ceiling["level"]), f"{stays}: more may have been asked for")
    learned = known.get("learned")
    told = str(learned["sentence"]) if isinstance(learned, dict) else ""
    table.add_row("one replica serves", _number(known.get("capacity")), told)
    return table


def _arithmetic(decision: Mapping[str, object]) -> Table:
    table = _table("From need to answer, in replicas")
    table.add_row("raw need", _number(decision.get("rawNeed")), "demand over capacity, no margin")
    table.add_row("need", _number(decision.get("need")), _look_ahead(decision))
    for clamp in _rows(decision.get("clamps")):
        table.add_row(str(clamp["name"]), _number(clamp["after"]), str(clamp["reason"]))
    table.add_row("answer", _number(decision.get("answer")), "")
    table.add_row("KEDA gets", _number(decision.get("forKeda")), "an error" if decision.get("forKeda") is None else "")
    replicas = decision.get("replicas")
    if isinstance(replicas, dict):
        rollout = ", in the middle of a rollout" if replicas.get("isRollingOut") else ""
        table.add_row("replicas there", str(replicas["existing"]), f"{replicas['ready']} ready{rollout}")
    return table


def _look_ahead(decision: Mapping[str, object]) -> str:
    told = f"look-ahead {_number(decision.get('lookAheadSeconds'))} s"
    if decision.get("leadTimeSeconds") is None:  # written by a version that did not tell
        return told
    count = decision.get("leadTimeMeasuredFrom")
    origin = "declared" if count is None else f"measured from {count}"
    return f"{told}, of it {_number(decision['leadTimeSeconds'])} s start-up, {origin}"


def _table(title: str) -> Table:
    table = Table(title=title, title_justify="left", show_header=False, box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column(style="dim")
    table.add_column(justify="right")
    table.add_column()
    return table


def _rows(value: object) -> Sequence[Mapping[str, object]]:
    return cast("Sequence[Mapping[str, object]]", value) if isinstance(value, list) else ()


def _number(value: object) -> str:
    return number(float(value)) if isinstance(value, int | float) else "unknown"
