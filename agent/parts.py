"""The agent's parts below its process: what `run` and `demo` share, and how it is put away."""

from __future__ import annotations

from dataclasses import dataclass

from agent.backfill import Backfiller
from agent.board import Board
from agent.book import EngineBook
from agent.clock import Clock
from agent.engine import Engine
from agent.fitting.pool import FitPool
from agent.history.store import Store
from agent.history.thread import StoreThread
from agent.telemetry import Telemetry


@dataclass(frozen=True, slots=True)
class Parts:
    """What decides, remembers and shows; built by `agent.wiring`."""

    clock: Clock
    store: Store
    storing: StoreThread
    board: Board
    fits: FitPool
    telemetry: Telemetry
    engine: Engine
    book: EngineBook
    backfiller: Backfiller

    async def close(self) -> None:
        """Store what is left and end what runs."""
        await self.engine.close()
        await self.fits.close()
        await self.storing.call(self.store.close)
        self.storing.close()
