"""Foretide beside a reactive HPA: what the page draws and what `--once` prints."""

from __future__ import annotations

import math
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from agent.demo.load import STEP, SimulatedLoad
from agent.demo.simulation import REACTIVE_UTILIZATION, Contender, Moment, Service
from agent.demo.tally import Result
from agent.web.comparison import Comparison, Score, Side
from scalers.policy import PolicyKey

_KEPT = timedelta(hours=24)  # of the series; the scores count from the start
_ROWS = _KEPT // STEP


class ComparisonRecord:
    """Takes in every step of the simulation and keeps the last day of them for the page."""

    def __init__(self, service: Service, load: SimulatedLoad) -> None:
        self._service = service
        self._load = load
        self._rows = np.zeros((_ROWS, 5))
        self._count = 0
        self._fewest_seconds = 0.0  # replica-seconds of the fewest replicas that serve everything
        self._since: datetime | None = None
        self._newest: Moment | None = None

    def add(self, moment: Moment) -> None:
        """Take in the next step."""
        self._rows[self._count % _ROWS] = (
            moment.demand / self._service.capacity,
            moment.foretide.pods.existing,
            moment.foretide.pods.ready,
            moment.reactive.pods.existing,
            moment.reactive.pods.ready,
        )
        self._count += 1
        self._fewest_seconds += self._fewest(moment.at) * STEP.total_seconds()
        self._since = self._since or moment.at
        self._newest = moment

    def results(self) -> dict[str, Result]:
        """Return both sides' figures, under the names that `--json` prints.

        Raises:
            ValueError: no step was taken in yet.
        """
        if self._newest is None:
            raise ValueError("the comparison has no step yet")
        return {
            "reactive": self._newest.reactive.tally.result(STEP),
            "foretide": self._newest.foretide.tally.result(STEP),
        }

    def comparison(self, key: PolicyKey) -> Comparison | None:
        """Return the newest comparison of the demo's policy; None for another, or before the first step."""
        if key != self._service.key or self._newest is None or self._since is None:
            return None
        rows = self._in_order()
        need, existing, ready, reactive_existing, reactive_ready = rows.T
        return Comparison(
            since=self._since,
            until=self._newest.at,
            start=self._newest.at - (len(rows) - 1) * STEP,
            step=STEP,
            need=need,
            foretide=Side("Foretide", existing, ready, self._score(self._newest.foretide)),
            reactive=Side(
                f"HPA at {100 * REACTIVE_UTILIZATION:.0f} %",
                reactive_existing,
                reactive_ready,
                self._score(self._newest.reactive),
            ),
        )

    def _in_order(self) -> NDArray[np.float64]:
        if self._count <= _ROWS:
            return self._rows[: self._count].copy()
        return np.roll(self._rows, -(self._count % _ROWS), axis=0)

    def _score(self, contender: Contender) -> Score:
        result = contender.tally.result(STEP)
        return Score(
            replica_hours=result.replica_hours,
            unserved_pct=result.unserved_pct,
            short_pct=result.short_pct,
            actions_per_h=result.actions_per_h,
            cost=contender.tally.replica_seconds / self._fewest_seconds if self._fewest_seconds else None,
        )

    def _fewest(self, now: datetime) -> int:
        """The fewest replicas to pay for at an instant so that nothing ever goes unserved, the future being known."""
        peak = self._load.peak_between(now, now + self._service.start_up)
        return max(1, math.ceil(peak / self._service.capacity - 1e-9))
