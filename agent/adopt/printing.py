"""A proposal as a table and a YAML stream for people, and as JSON for a program."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import yaml
from rich.console import Group, RenderableType
from rich.markup import escape
from rich.table import Table

from agent.adopt.finding import SHOWN
from agent.adopt.proposal import File, Proposal
from agent.policy.quantities import format_duration
from scalers.sentence import number

_WIDTH = 120


def table_of(proposal: Proposal) -> RenderableType:
    """Return what is there today, what is proposed, and what to know of it."""
    today, demand, policy = proposal.today, proposal.demand, proposal.policy
    rows = [
        ("Today", f"{today.found.shown}, scaled by {demand.today}"),
        ("Target", f"{today.target['kind']} {today.target['name']}, {today.minimum} to {today.maximum} replicas"),
        ("Tolerance", f"{number(100 * today.tolerance)} %, scaling in after {format_duration(today.stabilization)}"),
        ("Demand", demand.query),
        (
            "Capacity",
            f"one replica serves {number(demand.capacity)}; today it is given {number(100 * demand.target)} %",
        ),
        ("Policy", f"{policy.metadata.namespace}/{policy.metadata.name}, in Shadow first"),
        *(("Note", note) for note in proposal.notes),
    ]
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    for name, what in rows:
        table.add_row(name, escape(what))
    return Group(table)


def commands_text(proposal: Proposal, folder: str) -> str:
    """Return the commands of each step, as comments that a YAML stream may hold."""
    lines = []
    for place, step in enumerate(proposal.steps, start=1):
        lines.append(f"# {place}. {step.title}:")
        lines += [f"#    {command.format(dir=folder)}" for command in step.commands]
    return "\n".join(lines) + "\n"


def file_text(file: File) -> str:
    """Return one file, under what it is."""
    body = yaml.safe_dump(dict(file.document), sort_keys=False, allow_unicode=True, width=_WIDTH)
    return f"# {file.name}: {file.about}\n{body}"


def stream(proposal: Proposal, folder: str) -> str:
    """Return commands and files as one YAML stream."""
    return commands_text(proposal, folder) + "".join(f"---\n{file_text(file)}" for file in proposal.files)


def as_json(proposal: Proposal, *, folder: str, what_if: Mapping[str, Any] | None) -> str:
    """Return all of it for a program; `whatIf` is null where no past was given."""
    today, demand = proposal.today, proposal.demand
    return json.dumps(
        {
            "kind": SHOWN[today.found.kind],
            "namespace": today.found.namespace,
            "name": today.found.name,
            "scaleTargetRef": dict(today.target),
            "scaledBy": demand.today,
            "query": demand.query,
            "capacity": demand.capacity,
            "targetUtilization": demand.target,
            "files": {file.name: file.document for file in proposal.files},
            "steps": [
                {"title": step.title, "commands": [command.format(dir=folder) for command in step.commands]}
                for step in proposal.steps
            ],
            "notes": list(proposal.notes),
            "whatIf": what_if,
        },
        ensure_ascii=False,
    )
