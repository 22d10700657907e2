"""One fit from job to outcome: what every pool runs, wherever it runs it."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace

from agent.fitting.pool import FitFailed, FitJob, Fitted, Job, Outcome
from agent.fitting.walked import WalkJob, run_walk
from forecasters.backtest import fit_and_evaluate
from forecasters.forecaster import Forecaster, TooLittleHistory
from forecasters.table import FORECASTERS

MOST_ROWS = 20_000  # of history that a fit sees: bounds its time and memory, two weeks at 60 s


def run_fit(job: Job, forecasters: Mapping[str, Forecaster] = FORECASTERS) -> Outcome:
    """Do one job; whatever goes wrong is an outcome, never an exception."""
    began = time.process_time()
    try:
        fitted = run_walk(job) if isinstance(job, WalkJob) else _fit(job, forecasters)
    except TooLittleHistory as short:
        return FitFailed(job.signal, job.model, str(short), needs_history=True)
    except Exception as error:  # noqa: BLE001 - the outer edge of a fit: the reason is told by whoever asked for it
        return failed(job, f"{type(error).__name__}: {error}")
    if isinstance(fitted, FitFailed):
        return fitted
    return replace(fitted, cpu_seconds=time.process_time() - began)


def _fit(job: FitJob, forecasters: Mapping[str, Forecaster]) -> Fitted | FitFailed:
    forecaster = forecasters.get(job.model)
    if forecaster is None:
        return failed(job, f"model {job.model} is not known: use one of {', '.join(sorted(forecasters))}")
    return _measured(job, forecaster) if job.measures else _refitted(job, forecaster)


def _measured(job: FitJob, forecaster: Forecaster) -> Fitted:
    evaluation = fit_and_evaluate(forecaster, job.history.last(MOST_ROWS), horizon=job.horizon)
    return Fitted(job.signal, job.model, evaluation.state, evaluation.fan.encode(), 0.0)


def _refitted(job: FitJob, forecaster: Forecaster) -> Fitted:
    return Fitted(job.signal, job.model, forecaster.fit(job.history.last(MOST_ROWS)), None, 0.0)


def failed(job: Job, reason: str) -> FitFailed:
    """Return the outcome of a job that more history would not help."""
    return FitFailed(job.signal, job.model, reason, needs_history=False)
