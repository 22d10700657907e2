"""The engine on simulated time, up to what a KEDA hears of it through a real channel."""

import math
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import timedelta

import grpc
import pytest

from agent.backfill import Backfiller
from agent.board import Board
from agent.demo.keda import ExternalMetric, KedaStandIn
from agent.demo.load import STEP
from agent.demo.scenario import Scene, scene
from agent.demo.stepped import SteppedAgent
from agent.engine import Engine
from agent.fitting.inline import InlineFits
from agent.fitting.pool import FitFailed, FitJob, Fitted
from agent.history.ledger import Ledger
from agent.history.memory import MemoryStore
from agent.history.store import StoreLimits
from agent.history.thread import StoreThread
from agent.keeping import Keeper
from agent.telemetry import Telemetry
from forecasters.table import FORECASTERS
from scalers.decision import Basis
from scalers.keda.server import KedaServer, ServerSettings


class CountedFits:
    """Fits in this process, and remembers the models of each batch and the time it was given."""

    def __init__(self) -> None:
        self.batches: list[list[str]] = []
        self.deadlines: set[timedelta] = set()

    async def fit(self, batch: Sequence[FitJob], deadline: timedelta) -> list[Fitted | FitFailed]:
        self.batches.append([job.model for job in batch])
        self.deadlines.add(deadline)
        return await InlineFits().fit(batch, deadline)

    async def close(self) -> None:
        """Nothing runs."""


class Rig:
    """The demo's parts with one quick model and three days of history."""

    def __init__(self) -> None:
        self.scene: Scene = scene(seed=7)
        policy = self.scene.assignment.policy
        quick = replace(policy, models=("seasonal-naive",), history=timedelta(days=3))
        self.assignment = replace(self.scene.assignment, policy=quick)
        self.fits, self.board, self.telemetry = CountedFits(), Board(), Telemetry(version="0")
        self.storing, store = StoreThread(), MemoryStore(StoreLimits())
        self.engine = Engine(
            clock=self.scene.clock,
            forecasters=FORECASTERS,
            keeper=Keeper(
                clock=self.scene.clock,
                store=store,
                storing=self.storing,
                ledger=Ledger(store),
                telemetry=self.telemetry.work,
            ),
            board=self.board,
            fits=self.fits,
            telemetry=self.telemetry,
            replicas=self.scene.simulation,
            is_reactive_only=lambda: False,
        )
        self.agent = SteppedAgent(self.engine, Backfiller(store, self.storing, self.scene.clock))

    async def take_up(self) -> None:
        await self.agent.take_up(self.assignment, self.scene.source, self.scene.clock.now())


class Overheard:
    """A metric server that keeps what it answered."""

    def __init__(self, keda: KedaStandIn) -> None:
        self._keda = keda
        self.heard: list[ExternalMetric] = []

    async def metric(self) -> ExternalMetric:
        self.heard.append(await self._keda.metric())
        return self.heard[-1]


@pytest.fixture
async def rig() -> AsyncIterator[Rig]:
    rig = Rig()
    yield rig
    await rig.engine.close()
    rig.storing.close()


async def test_the_first_answer_rests_on_a_model_of_the_simulated_past(rig: Rig) -> None:
    await rig.take_up()

    (watched,) = rig.engine.watched
    assert watched.decider.decision is not None
    assert watched.decider.decision.basis is Basis.FORECAST
    assert rig.board.answer(watched.key).replicas == watched.decider.decision.answer


async def test_fits_are_run_when_they_fall_due_and_not_at_every_tick(rig: Rig) -> None:
    await rig.take_up()
    start = rig.scene.clock.now()

    for number in range(1, 9):
        await rig.agent.tick(start + number * STEP)
    assert rig.fits.batches == [["seasonal-naive", "peak-quantiles"]]

    await rig.agent.tick(start + timedelta(hours=6, minutes=1))
    assert rig.fits.batches == [["seasonal-naive", "peak-quantiles"]] * 2


async def test_on_a_busy_machine_fits_are_waited_for(rig: Rig) -> None:
    await rig.take_up()

    assert rig.fits.deadlines == {timedelta(hours=1)}


async def test_the_workload_follows_what_keda_hears_from_the_real_server(rig: Rig) -> None:
    await rig.take_up()
    server = KedaServer(rig.board, rig.telemetry.server, ServerSettings(drain_delay=timedelta(0)))
    port = server.start("127.0.0.1:0")
    try:
        async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
            keda = Overheard(KedaStandIn(channel, scaled_object="chat", policy=rig.assignment.policy.key))
            moments = [await rig.scene.simulation.step(rig.agent.tick, keda) for _ in range(30)]
    finally:
        server.stop(timedelta(seconds=1))

    recent = [metric.value for metric in keda.heard[-20:]]
    assert len(keda.heard) == 30  # every sync had an answer
    assert {metric.target for metric in keda.heard} == {1.0}
    assert max(recent) / 1.1 <= moments[-1].foretide.pods.existing <= math.ceil(max(recent))
