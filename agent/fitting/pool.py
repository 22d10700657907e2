"""The fit pool port: fits run elsewhere; a crash or a hang costs that fit only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol, TypeAlias

from agent.fitting.walked import Walked, WalkJob
from forecasters.forecaster import ModelState
from forecasters.series import Series


@dataclass(frozen=True, slots=True, eq=False)
class FitJob:
    """Fit one model to one signal and measure it out of sample."""

    signal: str
    model: str
    history: Series  # on the model's own grid
    horizon: timedelta  # up to which the out-of-sample errors of its path are wanted
    measures: bool = True  # False fits only: the calibration of a serving model stands


@dataclass(frozen=True, slots=True, eq=False)
class Fitted:
    """A model ready to serve, and how wide its fan must be on data that its parameters had not seen."""

    signal: str
    model: str
    state: ModelState
    calibration: bytes | None  # encoded `forecasters.fan_calibration.FanCalibration`; None where it was not measured
    cpu_seconds: float


@dataclass(frozen=True, slots=True)
class FitFailed:
    """A fit that gave nothing: too little history, an error, a crash or the deadline."""

    signal: str
    model: str
    reason: str
    needs_history: bool  # True where more history is all that is missing


Job: TypeAlias = FitJob | WalkJob
Outcome: TypeAlias = Fitted | Walked | FitFailed


class FitPool(Protocol):
    """Runs fits."""

    async def fit(self, batch: Sequence[Job], deadline: timedelta) -> list[Outcome]:
        """Return one outcome per job, in the order of the batch; none takes longer than the deadline.

        A fit's time runs from its start, not while it waits for a worker.
        """
        ...

    async def close(self) -> None:
        """End fits that run and release what they run in. May be called again."""
        ...
