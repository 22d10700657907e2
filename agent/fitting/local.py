"""Fits in child processes of this machine, each killed on its own when it hangs."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures.process import BrokenProcessPool
from datetime import timedelta

from pebble import ProcessExpired, ProcessFuture, ProcessPool

from agent.fitting.fit import failed, run_fit
from agent.fitting.pool import Job, Outcome
from agent.fitting.worker import FitContext, prepare

_FITS_PER_WORKER = 500  # then it is replaced, and what the fitting libraries leak goes with it
_START_UP = timedelta(seconds=60)  # a worker's, on a machine that is busy
_ATTEMPTS = 2  # a fit is tried again when the pool broke under it through no fault of its own


class LocalFitPool:
    """A fit pool on `pebble`: spawned workers, niced, one linear-algebra thread each, started on the first fit.

    Workers are spawned because gRPC and threads do not survive a fork. They end with this process, however it ends.
    """

    def __init__(self, *, max_workers: int = 1, run: Callable[[Job], Outcome] = run_fit) -> None:
        """Keep the settings; nothing is started.

        Args:
            max_workers: fits that run at once; 1 leaves the other cores to the answers.
            run: what a worker calls, a function that its process can import.
        """
        self._max_workers = max_workers
        self._run = run
        self._pool: ProcessPool | None = None
        self._waiting: set[ProcessFuture[Outcome]] = set()
        self._is_closed = False

    async def fit(self, batch: Sequence[Job], deadline: timedelta) -> list[Outcome]:
        """Return one outcome per job, in the order of the batch; a fit is killed at the deadline."""
        return list(await asyncio.gather(*(self._outcome(job, deadline) for job in batch)))

    async def close(self) -> None:
        """Kill what runs, fail what waits, and return when no worker is left."""
        self._is_closed = True
        if self._pool is not None:
            await self._discard(self._pool)

    async def _outcome(self, job: Job, deadline: timedelta) -> Outcome:
        for _ in range(_ATTEMPTS):
            if self._is_closed:
                return failed(job, "the fit pool is closed")
            try:
                outcome = await self._attempt(job, deadline)
            except TimeoutError:
                return failed(job, f"killed at its deadline of {deadline.total_seconds():g} s")
            except ProcessExpired as error:
                return failed(job, f"its process ended with code {error.exitcode}")
            if outcome is not None:
                return outcome
        return failed(job, "the fit pool is closed" if self._is_closed else f"the fit pool broke {_ATTEMPTS} times")

    async def _attempt(self, job: Job, deadline: timedelta) -> Outcome | None:
        """Return an outcome, or None where the pool went away under the fit."""
        pool = self._running()
        try:
            future = pool.schedule(self._run, args=[job], timeout=deadline.total_seconds())
        except RuntimeError:  # a worker died while idle: pebble then takes no more tasks
            await self._discard(pool)
            return None
        self._waiting.add(future)
        asked = asyncio.wrap_future(future)
        # pebble's own clock starts with the fit, and a worker that cannot start would be waited for without end
        patience = _START_UP + deadline * len(self._waiting)
        try:
            await asyncio.wait([asked], timeout=patience.total_seconds())
            if not asked.done():
                await self._discard(pool)
            return None if asked.cancelled() or not asked.done() else asked.result()
        except BrokenProcessPool:
            await self._discard(pool)
            return None
        finally:
            asked.cancel()  # kills the fit where it is this task that was cancelled
            self._waiting.discard(future)

    def _running(self) -> ProcessPool:
        if self._pool is None:
            self._pool = ProcessPool(
                max_workers=self._max_workers,
                max_tasks=_FITS_PER_WORKER,
                initializer=prepare,
                context=FitContext(),
            )
        return self._pool

    async def _discard(self, pool: ProcessPool) -> None:
        """Stop a pool and let go of every fit in it; the next fit starts another pool."""
        if self._pool is not pool:
            return
        self._pool = None
        for future in tuple(self._waiting):
            # pebble itself leaves the fits of a stopped pool waiting for ever; it annotates arguments only
            future.cancel()  # type: ignore[no-untyped-call]
        await asyncio.to_thread(_stop, pool)


def _stop(pool: ProcessPool) -> None:
    pool.stop()  # type: ignore[no-untyped-call]  # pebble annotates its arguments only
    pool.join()
