"""The demo's days: one load, scaled once by Foretide through KEDA and once by a reactive HPA, step by step.

A step is one HPA sync of 15 s. In it pods become ready, the agent decides, both HPAs read their metric and set the
scale, and what is ready then serves the demand of the step. Order and definitions are the same for both sides.
"""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Protocol

from agent.clock import Clock
from agent.demo.hpa import Hpa, HpaRules
from agent.demo.keda import ExternalMetric, MetricUnavailable
from agent.demo.load import STEP, SimulatedLoad
from agent.demo.workload import Tally, Workload
from agent.sources.simulator import SimulatorSource
from agent.sources.source import SourceError
from scalers.decision import Replicas
from scalers.policy import PolicyKey

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
    """One way of scaling the load: its pods, its HPA, and what that has cost and left unserved."""

    workload: Workload
    hpa: Hpa
    tally: Tally

    def step(self, service: Service, value: float | None, *, now: datetime, demand: float) -> Contender:
        """Return the contender after one step: a sync of the HPA on a metric's value, then the step's demand."""
        hpa, replicas = self.hpa.sync(value, current=self.workload.existing, now=now)
        workload = self.workload.scaled(replicas, now=now, start_up=service.start_up)
        return Contender(workload, hpa, self.tally.after(workload, demand, capacity=service.capacity, step=STEP))


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
        self.foretide = self._first(target=1.0)
        self.reactive = self._first(target=REACTIVE_UTILIZATION * service.capacity)

    def observed(self, key: PolicyKey) -> Replicas | None:
        """Return the replicas of the workload that Foretide scales; None for any other policy."""
        if key != self._service.key:
            return None
        return Replicas(existing=self.foretide.workload.existing, ready=self.foretide.workload.ready)

    async def step(self, decide: Callable[[datetime], Awaitable[None]], keda: MetricServer) -> Moment:
        """Move the clock by one step and play it.

        Args:
            decide: the agent's tick, which reads `observed` and publishes what KEDA then hears.
            keda: where Foretide's HPA reads its metric.
        """
        now = self._clock.now() + STEP
        await self._clock.sleep_until(now)
        self.foretide, self.reactive = (
            replace(side, workload=side.workload.at(now)) for side in (self.foretide, self.reactive)
        )
        await decide(now)
        demand = self._load.demand_at(now)
        self.foretide = self.foretide.step(self._service, await _answer(keda), now=now, demand=demand)
        self.reactive = self.reactive.step(self._service, self._metric(now), now=now, demand=demand)
        return Moment(now, demand, self.foretide, self.reactive)

    def _metric(self, now: datetime) -> float | None:
        """What the reactive HPA reads: the same data, with the same gaps."""
        try:
            return self._source.read(now).sample.value
        except SourceError:
            return None

    def _first(self, *, target: float) -> Contender:
        """Both begin with the replicas that the reactive HPA would have had."""
        service = self._service
        demand = self._load.demand_at(self._clock.now())
        usual = math.ceil(demand / (REACTIVE_UTILIZATION * service.capacity))
        rules = HpaRules(target=target, minimum=service.minimum, maximum=service.maximum)
        return Contender(Workload(min(max(usual, service.minimum), service.maximum)), Hpa(rules), Tally())


async def _answer(keda: MetricServer) -> float | None:
    """What Foretide's HPA reads; its target is that of its rules."""
    try:
        return (await keda.metric()).value
    except MetricUnavailable:
        return None
