"""One forecaster at work on one signal: its fitted state, kept up to date, and how wide its fan is."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from agent.fitting.pool import FitFailed, FitJob, Fitted
from agent.sources.source import Sample
from forecasters.fan_calibration import FanCalibration
from forecasters.forecast import Forecast
from forecasters.forecaster import Forecaster, ModelState
from forecasters.series import Series, grid_index, grid_instant
from forecasters.state import UnreadableState, decode_state, encode_state

# A season's shape moves slowly and the state takes in every sample, so parameters may be hours old.
_REFIT_EVERY = timedelta(hours=6)
# A fit that failed, mostly for want of history, is tried again; on short history a try is cheap.
_RETRY_EVERY = timedelta(minutes=10)
# A state left behind by more grid points than this is fitted anew rather than walked across them.
_MOST_CATCH_UP = 5000


class Expert:
    """Holds what changes about a forecaster; the forecaster itself is stateless."""

    def __init__(self, forecaster: Forecaster, *, coarse_step: timedelta) -> None:
        self._forecaster = forecaster
        self.calibration = FanCalibration()
        self._step = forecaster.grid(coarse_step)
        self._state: ModelState | None = None
        self._due: datetime | None = None  # of the next fit; None is at once
        self._is_measured = False  # whether the calibration has seen the whole history

    def is_due(self, now: datetime) -> bool:
        """Whether a fit is due."""
        return self._due is None or now >= self._due

    def job(self, signal: str, coarse: Series, *, now: datetime, horizon: timedelta) -> FitJob | None:
        """Return the fit that is due, or None; asking makes it no longer due."""
        if not self.is_due(now):
            return None
        self._due = now + _RETRY_EVERY
        history = coarse.coarsened(self._step)
        return FitJob(signal, self._forecaster.name, history, horizon, measures=not self._is_measured)

    def fit_at_once(self) -> None:
        """Make a fit due that measures anew: there is more history than the last one saw."""
        self._due, self._is_measured = None, False

    def accept(self, outcome: Fitted | FitFailed, coarse: Series, *, now: datetime) -> None:
        """Take in a fit's outcome; one that failed leaves what was there before."""
        if isinstance(outcome, FitFailed):
            return
        self._state = outcome.state
        has_seen_all = self._due is not None  # no more history has come while it ran
        if outcome.calibration is not None:
            self.calibration = FanCalibration.decode(outcome.calibration)
            self._is_measured = has_seen_all
        if has_seen_all:
            self._due = now + _REFIT_EVERY
        self.advance(coarse)

    def advance(self, coarse: Series) -> None:
        """Bring the state up to the newest complete step of its grid."""
        state = self._state
        if state is None or len(coarse) == 0:
            return
        newest = grid_instant(grid_index(coarse.end, self._step), self._step)
        behind = (newest - state.origin) // self._step
        if behind > _MOST_CATCH_UP:
            self._state, self._due = None, None
            return
        for value in self._missed(coarse, state.origin, steps=behind).tolist():
            state = self._forecaster.update(state, value)
        self._state = state

    def rise(self, now: datetime, look_ahead: timedelta) -> float | None:
        """Return how far its median rises above that of now in (now, now + look_ahead], demand units, not below 0.

        None where nothing is fitted, or what is was left far behind.
        """
        state = self._state
        if state is None:
            return None
        now = max(now, state.origin)  # a backfilled past may reach past the newest live sample
        until = now + look_ahead
        steps = -((state.origin - until) // self._step)
        if steps > _MOST_CATCH_UP:  # a clock jumped ahead, and there is no history to carry the state on by
            return None
        path = self._forecaster.forecast(state, steps, (0.5,))
        return max(0.0, path.peak(0.5, now, until) - path.at(0.5, now))

    def fan(self, newest: Sample, horizon: timedelta, levels: tuple[float, ...]) -> Forecast | None:
        """Return the calibrated forecast over the horizon as decisions read it: from the newest sample on."""
        if self._state is None:
            return None
        steps = max(1, horizon // self._step)  # the grid may be coarser than a short horizon
        fan = self.calibration.calibrated(self._forecaster.forecast(self._state, steps, levels))
        return fan.anchored(newest.at, newest.value) if fan.origin <= newest.at <= fan.end else fan

    def stored(self) -> Mapping[str, bytes]:
        """Return what outlives a restart; empty when there is nothing yet."""
        if self._state is None:
            return {}
        return {"state": encode_state(self._state), "fan": self.calibration.encode()}

    def restore(self, stored: Mapping[str, bytes]) -> None:
        """Take up what an earlier process stored; what cannot be read is fitted anew."""
        try:
            state = decode_state(stored["state"])
            calibration = FanCalibration.decode(stored["fan"])
        except (KeyError, UnreadableState):
            return
        if state.step == self._step:  # else the policy's step was changed
            self._state, self.calibration, self._is_measured = state, calibration, True

    def _missed(self, coarse: Series, origin: datetime, *, steps: int) -> NDArray[np.float64]:
        """Return the values of the grid points after `origin`, NaN where the history has none; shape (steps,)."""
        values = np.full(max(0, steps), np.nan)
        known = coarse.between(origin + coarse.step, origin + steps * self._step).coarsened(self._step)
        first = (known.start - origin) // self._step - 1
        values[first : first + len(known)] = known.values
        return values
