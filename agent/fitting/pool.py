"""The fit pool port: fits run elsewhere; a crash or a hang costs that fit only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol, TypeAlias

from agent.fitting.walked import Walked, WalkJob
from forecasters.backtest import Losses, Observed
from forecasters.forecaster import ModelState
from forecasters.series import Series


@dataclass(frozen=True, slots=True, eq=False)
class FitJob:
    """Fit one model to one signal and measure it out of sample."""

    signal: str
    model: str
    history: Series  # on the model's own grid
    look_ahead: timedelta  # for which the out-of-sample peak errors are wanted
    horizon: timedelta
    observed: Observed | None = None  # demand as decisions see it, to measure against; None takes the history itself
    level: float = 0.99  # of the quantile whose decisions are scored
    measures: bool = True  # False fits only: the record that a serving model keeps up is better than one made anew


@dataclass(frozen=True, slots=True, eq=False)
class Fitted:
    """A model ready to serve, with its record on data that its parameters had not seen."""

    signal: str
    model: str
    state: ModelState
    calibration: bytes | None  # encoded `forecasters.fan_calibration.FanCalibration`; None where it was not measured
    cpu_seconds: float
    losses: Losses | None = None  # the record in figures


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
