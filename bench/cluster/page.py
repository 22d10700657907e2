"""The runs as a page for docs: figures beside their limits."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from bench.cluster import reach
from bench.cluster.begun import START_SECONDS
from bench.cluster.demand import PAST_STEP_SECONDS, STEP_SECONDS
from bench.cluster.run import Measured
from bench.figures import Figure

_HEAD = """# 1,000 policies in a cluster

Made by `make bench-cluster ARGS='{options} --markdown {file}'` on {day}; not edited by hand.
{cores} cores of {machine}, shared with whatever else ran there: the load is told with each run. Python {python}.

A leader and a follower on one Lease act on {policies:,} policies of a real API server, each on a Deployment with one
Ready pod and on a series of its own in a real Prometheus, scraped every {step} s. Decisions are made every 15 s.
Kubernetes, Prometheus and both agents share the machine. {security}
{pasts}
The past lies there every {past_step} s.

A run has two parts. First the start: until every policy has an answer, has read what decisions need of its past, and
has been fitted, or {start:.0f} min. Fits run in a niced process of their own; a policy that waits for its past or its
fits is answered by the raw need. Who restarts or takes over finds them in the store.
Then what goes on after the start, for {seconds:.0f} s: with the fits that are left, and with the reading of the past at
the step of the policies, which the store keeps and decisions do without. Writes are what the API server counted. At
last {asked} policies were asked of both agents {often:g} times a second: from the last time that the leader gave its
answer before, until the follower gave the new one.
"""
_MUTUAL = "Whoever asks them, each other too, shows a certificate (mutual TLS, the chart's `tls.clientAuth`)."
_PLAINTEXT = "Their port is plaintext, as with the chart's `tls.source: none`."


def page(runs: Sequence[Measured], file: Path) -> str:
    """Return the page as Markdown, with a section for each run; the file is where it will be."""
    head = _HEAD.format(
        options=" ".join(_options(runs)),
        file=file,
        day=datetime.now(UTC).date(),
        cores=os.cpu_count(),
        machine=platform.machine(),
        python=platform.python_version(),
        policies=runs[0].setting.policies,
        step=STEP_SECONDS,
        security=_MUTUAL if runs[0].setting.is_mutual else _PLAINTEXT,
        pasts=" ".join(_past(run.setting.days, run.setting.history_days) for run in runs),
        past_step=PAST_STEP_SECONDS,
        start=START_SECONDS / 60,
        seconds=runs[0].seconds,
        asked=reach.ASKED,
        often=1 / reach.EVERY,
    )
    return head + "".join(_section(run) for run in runs)


def _options(runs: Sequence[Measured]) -> Iterator[str]:
    yield from (f"--days {run.setting.days:g}" for run in runs)
    if not runs[0].setting.is_mutual:
        yield "--plaintext"


def _past(days: float, history_days: int) -> str:
    there = "all of it" if days >= history_days else f"{days * 24:g} h of it"
    return f"In the run of {_span(days)} policies have a history of {_span(history_days)}, and {there} was there."


def _section(run: Measured) -> str:
    rows = ["", f"## {_span(run.setting.days).capitalize()} of past", ""]
    rows += ["| figure | value | most |", "| --- | --- | --- |", *map(_row, run.figures())]
    return "\n".join(rows) + "\n"


def _span(days: float) -> str:
    if days < 1:
        return f"{days * 24:g} hours"
    return "one day" if days == 1 else f"{days:g} days"


def _row(figure: Figure) -> str:
    value = "" if figure.value is None else f"{_shown(figure.value)} {figure.unit}".strip()
    over = figure.limit is not None and figure.value is not None and figure.value > figure.limit
    most = "" if figure.limit is None else f"{figure.limit:g}{', **over**' if over else ''}"
    return f"| {figure.name} | {value} | {most} |"


def _shown(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
