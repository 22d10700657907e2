"""The agent's parts on simulated time: a loop that jumps to what is due; sources, pools and servers under the ports."""

from __future__ import annotations

import asyncio
import math
import selectors
import threading
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import numpy as np

from agent.backfill import Backfiller
from agent.board import Board
from agent.book import EngineBook
from agent.engine import Engine
from agent.fitting.fit import run_fit
from agent.fitting.inline import InlineFits
from agent.fitting.pool import FitFailed, FitJob, FitPool, Fitted
from agent.history.ledger import Ledger
from agent.history.memory import MemoryStore
from agent.history.store import Store, StoredDecision, StoreLimits
from agent.history.thread import StoreThread
from agent.keeping import Keeper
from agent.parts import Parts
from agent.snapshot import Unseen
from agent.sources.source import Backfill, Reading, Sample, SignalState, Source, SourceError
from agent.surroundings import Onlooker
from agent.telemetry import Telemetry
from agent.told import Audience
from agent.watched import Assignment, UnobservedReplicas
from forecasters.forecaster import Forecaster
from forecasters.series import EPOCH, Series, grid_index, grid_instant
from forecasters.table import FORECASTERS
from scalers.decision import Replicas
from scalers.policy import PolicyKey, ScalingPolicy
from tests.fakes.situations import a_policy

START = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)  # a Monday
STEP = timedelta(seconds=15)
T = TypeVar("T")


class _JumpingSelector(selectors.DefaultSelector):
    """Waits for nothing: what is due next is due now. Only for a thread's answer it waits, in real time."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self.threads = 0  # calls that run in threads
        self.patience = 5.0  # real seconds for them, after which they count as hung

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if not ready and self.threads:
            ready = super().select(self.patience if timeout is None else min(timeout, self.patience))
        if not ready and timeout is not None:
            self.now += timeout
        return ready


class JumpingLoop(asyncio.SelectorEventLoop):
    """A loop on which an hour passes as soon as nobody has anything to do before it is over."""

    def __init__(self) -> None:
        self.selector = _JumpingSelector()
        super().__init__(self.selector)

    def time(self) -> float:
        return self.selector.now

    def run_in_executor(self, *arguments: Any) -> Any:
        future = super().run_in_executor(*arguments)
        self.selector.threads += 1
        future.add_done_callback(self._one_less)
        return future

    def _one_less(self, _: object) -> None:
        self.selector.threads -= 1


def played(main: Coroutine[Any, Any, T]) -> T:
    """Run a scenario to its end in simulated time."""
    with asyncio.Runner(loop_factory=JumpingLoop) as runner:
        return runner.run(main)


class LoopClock:
    """The clock port on the loop's simulated time."""

    def now(self) -> datetime:
        return START + timedelta(seconds=asyncio.get_running_loop().time())

    async def sleep_until(self, instant: datetime) -> None:
        while (left := (instant - self.now()).total_seconds()) > 0:
            await asyncio.sleep(left)


def level(value: float) -> Callable[[datetime], float]:
    """Return a demand that never changes."""
    return lambda _: value


def daily(at: datetime) -> float:
    """Return 100 give or take 40 over the day, lowest at midnight UTC."""
    return 100.0 - 40.0 * math.cos(2 * math.pi * ((at - EPOCH) / timedelta(days=1)))


class LoadSource:
    """A source that knows a demand at every instant, past ones too; `trouble` stands for the present one."""

    def __init__(self, demand: Callable[[datetime], float]) -> None:
        self.demand = demand
        self.trouble: SourceError | None = None
        self.asked: list[datetime] = []

    async def latest(self, now: datetime) -> Reading:
        self.asked.append(now)
        if self.trouble is not None:
            raise self.trouble
        return Reading(Sample(now, self.demand(now)), newest=now)

    async def range(self, start: datetime, end: datetime, step: timedelta) -> Backfill:
        if self.trouble is not None:
            raise self.trouble
        return Backfill(self._series(start, end, step))

    async def coarse_range(self, start: datetime, end: datetime, step: timedelta) -> tuple[Backfill, Backfill]:
        if self.trouble is not None:
            raise self.trouble
        known = Backfill(self._series(start, end, step))
        return known, known

    def _series(self, start: datetime, end: datetime, step: timedelta) -> Series:
        first, last = -((EPOCH - start) // step), grid_index(end, step)
        instants = [grid_instant(index, step) for index in range(first, last + 1)]
        return Series(grid_instant(first, step), step, np.array([self.demand(at) for at in instants]))


class NoPast:
    """A source that knows the present only."""

    def __init__(self, latest: Callable[[datetime], Awaitable[Reading]]) -> None:
        self.latest = latest


async def never(now: datetime) -> Reading:
    """Be asked and never answer."""
    await asyncio.Event().wait()
    raise AssertionError("nobody sets it")


def source_error(state: SignalState = SignalState.UNAVAILABLE) -> SourceError:
    """Return what a source says that cannot be reached."""
    return SourceError(state, "connection refused", mend="start the server", is_retriable=True)


class RecordingStore(MemoryStore):
    """A store in memory that says when a decision has reached it."""

    def __init__(self) -> None:
        super().__init__(StoreLimits())
        self.events: list[str] = []
        self.is_closed = False

    def put_decision(self, *rows: StoredDecision) -> None:
        super().put_decision(*rows)
        self.events.append("stored")

    def close(self) -> None:
        self.is_closed = True


class ThreadNamingStore(RecordingStore):
    """Remembers from which threads it was called."""

    def __init__(self) -> None:
        self.threads: set[str] = set()
        super().__init__()

    def __getattribute__(self, name: str) -> Any:
        found = super().__getattribute__(name)
        if name.startswith("_") or not hasattr(Store, name):
            return found

        def called(*arguments: Any, **named: Any) -> Any:
            self.threads.add(threading.current_thread().name)
            return found(*arguments, **named)

        return called


class ScriptedPolicies:
    """Where policies come from, as the test says: set `now` to change them, `trouble` to fail."""

    def __init__(self, first: Sequence[Assignment]) -> None:
        self.now: Sequence[Assignment] = first
        self.trouble: Exception | None = None
        self.is_closed = False
        self.refused: Mapping[PolicyKey, str] = {}
        self._told: Sequence[Assignment] | None = None

    def first(self) -> Sequence[Assignment]:
        self._told = self.now
        if self.trouble is not None and not self.now:
            raise self.trouble
        return self.now

    def changed(self) -> Sequence[Assignment] | None:
        if self.trouble is not None:
            raise self.trouble
        if self.now is self._told:
            return None
        self._told = self.now
        return self.now

    def close(self) -> None:
        self.is_closed = True


class GatedFits:
    """A fit pool whose fits end when the test says so."""

    def __init__(self) -> None:
        self.gate = asyncio.Event()
        self.batches: list[Sequence[FitJob]] = []

    async def fit(self, batch: Sequence[FitJob], deadline: timedelta) -> list[Fitted | FitFailed]:
        self.batches.append(batch)
        await self.gate.wait()
        return [run_fit(job) for job in batch]

    async def close(self) -> None:
        self.gate.set()


@dataclass
class KnownReplicas:
    """Replicas as the test says."""

    by_policy: dict[PolicyKey, Replicas] = field(default_factory=dict)
    unknown: dict[PolicyKey, Unseen] = field(default_factory=dict)

    def observed(self, key: PolicyKey) -> Replicas | None:
        return self.by_policy.get(key)

    def unseen(self, key: PolicyKey) -> Unseen | None:
        return self.unknown.get(key)


def parts(
    store: Store | None = None,
    *,
    fits: FitPool | None = None,
    forecasters: Mapping[str, Forecaster] = FORECASTERS,
    replicas: KnownReplicas | None = None,
    is_reactive_only: Callable[[], bool] = lambda: False,
    may_decide: Callable[[], bool] = lambda: True,
    audience: Audience | None = None,
    onlooker: Onlooker | None = None,
) -> Parts:
    """Build the agent's parts on the loop's time, as `agent.wiring` does on the wall's."""
    clock, storing, board = LoopClock(), StoreThread(), Board(lambda: asyncio.get_running_loop().time())
    store = RecordingStore() if store is None else store
    fits = InlineFits() if fits is None else fits
    telemetry, ledger = Telemetry(version="test"), Ledger(store)
    keeper = Keeper(clock=clock, store=store, storing=storing, ledger=ledger, telemetry=telemetry.work)
    engine = Engine(
        clock=clock,
        forecasters=forecasters,
        keeper=keeper,
        board=board,
        fits=fits,
        telemetry=telemetry,
        replicas=replicas or UnobservedReplicas(),
        is_reactive_only=is_reactive_only,
        may_decide=may_decide,
        audience=audience,
        onlooker=onlooker,
    )
    book, backfiller = EngineBook(engine, ledger, storing, clock), Backfiller(store, storing, clock)
    return Parts(clock, store, storing, board, fits, telemetry, engine, book, backfiller)


def assigned(
    source: Source | SourceError, *, name: str = "chat", document: Mapping[str, object] | None = None, **changes: object
) -> Assignment:
    """Return a policy with one signal and its source."""
    policy: ScalingPolicy = a_policy(key=PolicyKey("ml", name), **changes)
    return Assignment(policy, document or {"metadata": {"name": name}}, (), {"demand": source})


def counted(telemetry: Telemetry, name: str, **labels: str) -> float | None:
    """Return a metric's value; None where it has no such series."""
    return telemetry.metrics.registry.get_sample_value(name, labels)
