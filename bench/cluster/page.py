"""The run as a page for docs: figures beside their limits."""

from __future__ import annotations

import os
import platform
from datetime import UTC, datetime

from bench.cluster import reach
from bench.cluster.demand import PAST_SECONDS
from bench.cluster.run import Measured
from bench.figures import Figure

_HEAD = """# 1,000 policies in a cluster

Made by `make bench-cluster ARGS='--markdown docs/benchmarks/cluster.md'` on {day}; not edited by hand.
{cores} cores of {machine}, of which {busy:.1f} were busy, load average {load:.1f} while it ran; Python {python}.

A leader and a follower on one Lease act on {policies:,} policies of a real API server, each on a Deployment with one
Ready pod and on a series of its own in a real Prometheus. Decisions are made every 15 s. Kubernetes, Prometheus and
both agents share the machine. Policies have a history of a day (two weeks of a thousand take long to read at a start),
of which {past} h were there. Measured for {seconds:.0f} s once that was read and every policy had been fitted. Writes
are what the API server counted. Then {asked} policies were asked of both agents {often:g} times a second: from the last
time that the leader gave its answer before, until the follower gave the new one.
"""


def page(run: Measured) -> str:
    """Return the page as Markdown."""
    head = _HEAD.format(
        day=datetime.now(UTC).date(),
        cores=os.cpu_count(),
        machine=platform.machine(),
        busy=run.busy,
        load=run.load,
        python=platform.python_version(),
        policies=run.policies,
        past=PAST_SECONDS // 3600,
        seconds=run.seconds,
        asked=reach.ASKED,
        often=1 / reach.EVERY,
    )
    rows = ["| figure | value | most |", "| --- | --- | --- |", *map(_row, run.figures())]
    return "\n".join([head, *rows]) + "\n"


def _row(figure: Figure) -> str:
    value = "" if figure.value is None else f"{figure.value:.3g} {figure.unit}".strip()
    over = figure.limit is not None and figure.value is not None and figure.value > figure.limit
    most = "" if figure.limit is None else f"{figure.limit:g}{', **over**' if over else ''}"
    return f"| {figure.name} | {value} | {most} |"
