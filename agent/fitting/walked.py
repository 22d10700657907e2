"""The walk through a signal's past as a job: a model of its peaks, and what following it would have cost."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from forecasters.past import Past
from forecasters.peak_model import PeakModel
from scalers.contest import Contest, Setting
from scalers.walk import Fine, refit, walk

MODEL = "peak-quantiles"  # the name in metrics and logs


@dataclass(frozen=True, slots=True, eq=False)
class WalkJob:
    """Fit the model of a signal's peaks and, the first time, let the experts live through its newest days."""

    signal: str
    past: Past
    ahead: int  # rows of the look-ahead
    fine: Fine | None  # None fits only: the records that live experts keep up are better than ones made anew
    paths: tuple[str, ...]
    setting: Setting
    step: timedelta
    is_fitting: bool = True  # whether any expert follows the model
    model: str = MODEL


@dataclass(frozen=True, slots=True, eq=False)
class Walked:
    """What a walk gave."""

    signal: str
    model: str
    peak_model: bytes | None  # encoded `PeakModel`; None where there is too little history for one
    contest: bytes | None  # encoded `Contest`; None where it was not asked for
    cpu_seconds: float
    capacity: float  # that the experts were simulated under, demand units per replica


def run_walk(job: WalkJob) -> Walked:
    """Do a job; what it took is filled in by the caller."""
    if job.fine is None:
        model = refit(job.past, job.ahead) if job.is_fitting else None
        return _walked(job, model, None)
    contest = Contest(job.paths, job.setting)
    model = walk(job.past, job.fine, job.ahead, contest, step=job.step, is_fitting=job.is_fitting)
    return _walked(job, model, contest)


def _walked(job: WalkJob, model: PeakModel | None, contest: Contest | None) -> Walked:
    encoded, records = (None if each is None else each.encode() for each in (model, contest))
    return Walked(job.signal, job.model, encoded, records, 0.0, job.setting.capacity)
