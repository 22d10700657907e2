"""Fits that misbehave on demand. Run in a worker, so they must be importable there."""

from __future__ import annotations

import os
import signal
import sys
import time

from agent.fitting.fit import failed, run_fit
from agent.fitting.pool import FitFailed, FitJob, Fitted


def odd_fit(job: FitJob) -> Fitted | FitFailed:
    """Do what the job's model says, or a real fit where it names a real model."""
    if job.model == "hangs":
        time.sleep(3600)
    if job.model == "dies":
        os.kill(os.getpid(), signal.SIGKILL)
    if job.model == "tells":
        return failed(job, f"{os.getpid()} {os.nice(0)} {os.environ['OMP_NUM_THREADS']}")
    if job.model == "imports":
        return failed(job, " ".join(sorted(name for name in sys.modules if name.startswith("agent."))))
    return run_fit(job)
