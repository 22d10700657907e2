"""Fits in this very process: for replays, where time waits for them, and for tests."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from agent.fitting.fit import run_fit
from agent.fitting.pool import Job, Outcome


class InlineFits:
    """A fit pool without processes: the loop stands still while a fit runs, and no deadline is kept."""

    async def fit(self, batch: Sequence[Job], deadline: timedelta) -> list[Outcome]:  # noqa: ARG002 - the port's
        """Return one outcome per job, in the order of the batch."""
        return [run_fit(job) for job in batch]

    async def close(self) -> None:
        """Do nothing: nothing is held."""
