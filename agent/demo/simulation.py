"""The demo's days: one load, scaled once by Foretide through KEDA and once by a reactive HPA, step by step.

A step is one HPA sync of 15 s. In it pods become ready, the agent decides, both HPAs read their metric and set the
scale, and what is ready then serves the demand of the step. Order and definitions are the same for both sides.
"""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

import numpy as np

from agent.clock import Clock
from agent.demo.keda import ExternalMetric, MetricUnavailable
from agent.demo.load import STEP, SimulatedLoad
from agent.demo.tally import Tally
from agent.snapshot import Unseen
from agent.sources.simulator import SimulatorSource
from agent.sources.source import SourceError
from scalers.decision import Replicas
from scalers.hpa_rules import HpaRules
from scalers.policy import PolicyKey
from scalers.simulated_pool import SimulatedPool

REACTIVE_UTILIZATION = 0.7  # of the capacity: the usual target, which leaves the HPA its headroom


class MetricServer(Protocol):
    """What Foretide's HPA reads its metric from."""

    async def metric(self) -> ExternalMetric:
        """Return the value and the target.

        Raises:
            MetricUnavailable: there is none; the HPA holds its replicas.
        """
        ...


@dataclass(frozen=True, slots=True)
class Service:
    """The simulated workload's constants."""

    key: PolicyKey
    capacity: float  # requests per second that one ready replica serves
    start_up: timedelta  # created to Ready
    minimum: int
    maximum: int


@dataclass(frozen=True, slots=True)
class Contender:
    """One way of scaling the load: its pods after a step, and what it has cost and left unserved."""

    pods: Replicas
    tally: Tally


@dataclass(frozen=True, slots=True)
class Moment:
    """One step as it went."""

    at: datetime
    demand: float  # requests per second
    foretide: Contender
    reactive: Contender


class Simulation:
    """Plays the load to both sides, from the clock's present on."""

    def __init__(self, service: Service, load: SimulatedLoad, *, clock: Clock) -> None:
        self._service = service
        self._load = load
        self._source = SimulatorSource(load)
        self._clock = clock
        # both begin with the replicas that the reactive HPA would have had
        self._pool = SimulatedPool(2, first=self._usual(), rules=_rules(service), start_up=service.start_up, step=STEP)
        self.foretide, self.reactive = (Contender(pods, Tally()) for pods in self._pods())

    def observed(self, key: PolicyKey) -> Replicas | None:
        """Return the replicas of the workload that Foretide scales; None for any other policy."""
        return self._pods()[0] if key == self._service.key else None

    def unseen(self, key: PolicyKey) -> Unseen | None:  # noqa: ARG002 - the port's signature
        """Return None: they are known."""
        return None

    async def step(self, decide: Callable[[datetime], Awaitable[None]], keda: MetricServer) -> Moment:
        """Move the clock by one step and play it.

        Args:
            decide: the agent's tick, which reads `observed` and publishes what KEDA then hears.
            keda: where Foretide's HPA reads its metric.
        """
        now = self._clock.now() + STEP
        await self._clock.sleep_until(now)
        self._pool.advance()
        await decide(now)
        self._pool.sync(np.array([await _answer(keda), self._needed(now)]))
        demand = self._load.demand_at(now)
        self.foretide, self.reactive = (
            Contender(pods, side.tally.after(pods, demand, capacity=self._service.capacity, step=STEP))
            for side, pods in zip((self.foretide, self.reactive), self._pods(), strict=True)
        )
        return Moment(now, demand, self.foretide, self.reactive)

    def _pods(self) -> tuple[Replicas, Replicas]:
        """Return both sides' pods as they are now, Foretide's first."""
        (foretide, reactive), (foretide_ready, reactive_ready) = self._pool.existing.tolist(), self._pool.ready.tolist()
        return Replicas(foretide, foretide_ready), Replicas(reactive, reactive_ready)

    def _needed(self, now: datetime) -> float:
        """What the reactive HPA reads, over its target: the same data, with the same gaps."""
        try:
            return self._source.read(now).sample.value / (REACTIVE_UTILIZATION * self._service.capacity)
        except SourceError:
            return math.nan

    def _usual(self) -> int:
        service = self._service
        usual = math.ceil(self._load.demand_at(self._clock.now()) / (REACTIVE_UTILIZATION * service.capacity))
        return min(max(usual, service.minimum), service.maximum)


def _rules(service: Service) -> HpaRules:
    """Return the rules of both HPAs. What KEDA answers is rounded by KEDA, and a metric of its own not."""
    return HpaRules(minimum=service.minimum, maximum=service.maximum, is_rounded=False)


async def _answer(keda: MetricServer) -> float:
    """What Foretide's HPA reads, over its target."""
    try:
        metric = await keda.metric()
    except MetricUnavailable:
        return math.nan
    return metric.value / metric.target
