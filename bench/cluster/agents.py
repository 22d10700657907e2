"""The agents that are measured: `foretide run` as the chart starts it, on one Lease."""

from __future__ import annotations

import re
from pathlib import Path

import requests

from bench.cluster.security import Mutual
from bench.lines import Cost
from tests.cluster.agent import ClusterAgent
from tests.cluster.installed import NAME, Account
from tests.real.agent.process import LONGEST

_SERIES = re.compile(r"^(foretide_\w+)\{?([^}]*)\}? (\S+)$", re.MULTILINE)


class MeasuredAgent(ClusterAgent):
    """One of the agents; acts on the policies of all namespaces."""

    def __init__(self, folder: Path, account: Account, prometheus: str, security: Mutual | None) -> None:
        options = ("--prometheus-url", prometheus, "--lease", NAME, "--data-dir", str(folder / "data"))
        safe = security.options if security else ()
        super().__init__(folder, account, account.namespace, *options, *safe, acts_everywhere=True)

    @property
    def cost(self) -> Cost:
        assert self.popen is not None
        return Cost(self.popen.pid)

    def is_ready(self) -> bool:
        return requests.get(f"{self.http}/readyz", timeout=LONGEST).ok

    def total(self, name: str, *labels: str) -> float:
        """Return the sum over a metric's series, of those that have one of some labels where there are any."""
        text = requests.get(f"{self.http}/metrics", timeout=LONGEST).text
        found = _SERIES.findall(text)
        return sum(
            float(value)
            for metric, own, value in found
            if metric == name and (not labels or any(label in own for label in labels))
        )

    def logged(self, event: str) -> int:
        """Return how often it has logged an event."""
        return self.log.read_text().count(f'"event": "{event}"')
