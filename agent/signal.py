"""One demand signal of one policy, from samples to what a decision reads: history, experts, trust. No I/O, no clock."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

import numpy as np

from agent.expert import Expert, Foresight
from agent.fitting.pool import FitFailed, FitJob, Fitted
from agent.history.grid import History, Taken
from agent.scoring import Scoring
from agent.snapshot import CoverageRow, TrustRow
from agent.sources.source import Reading, Sample, SignalState, SourceError
from forecasters.backtest import Losses, Observed
from forecasters.forecast import Forecast
from forecasters.forecaster import Forecaster
from forecasters.peak_calibration import REPORTED, SPACING
from forecasters.series import Series, grid_index
from scalers.decision import PeakForecast, SignalInput
from scalers.policy import ScalingPolicy, SignalPolicy
from scalers.recommend import fresh_for
from scalers.trust import REACTIVE, Trust

# The page shows hours of it, and the look-ahead of a decision must fit in several times.
_FINE_SPAN = timedelta(hours=6)
_TRUST = "trust"
_LEVELS = (0.01, 0.05, 0.1, 0.2, 0.5, 0.8, 0.9, 0.95, 0.99)


class Signal:
    """Takes in readings, keeps the experts up to date and scores them as their look-ahead passes."""

    def __init__(self, policy: ScalingPolicy, signal: SignalPolicy, forecasters: Sequence[Forecaster]) -> None:
        self.policy = signal
        self.look_ahead = policy.look_ahead(signal)
        self.coarse_span = policy.history
        self.fine_span = max(_FINE_SPAN, 8 * self.look_ahead)
        self.history = History(signal.step, fine_span=self.fine_span, coarse_span=self.coarse_span)
        self.experts = {
            forecaster.name: Expert(forecaster, coarse_step=self.history.coarse_step, level=1 - policy.risk)
            for forecaster in forecasters
        }
        self.trust = Trust(step=self.history.coarse_step)
        self._level = 1 - policy.risk
        self._levels = tuple(sorted({*_LEVELS, self._level}))
        self._horizon = policy.horizon
        self._name = f"{policy.key}/{signal.name}"
        self._state = SignalState.OK
        self._fresh_at: datetime | None = None  # of what the newest sample was computed from
        self._scoring = Scoring(self.experts, self.trust, level=self._level)
        self._seen: Mapping[str, Foresight] = {}
        self._learned_at: datetime | None = None  # instant of the newest sample that the experts have seen
        self._scored: int | None = None  # coarse step in which the experts were last scored

    @property
    def name(self) -> str:
        """`namespace/policy/signal`, for people and for fits."""
        return self._name

    @property
    def stored_as(self) -> str:
        """The name of its samples and states in the store; a changed query starts a history of its own."""
        return f"{self._name}@{self.policy.meaning}" if self.policy.meaning else self._name

    def observe(self, reading: Reading, now: datetime) -> Taken:
        """Take in a sample; one computed from old data is no observation of the present and is left out."""
        fresh_at = reading.sample.at if reading.newest is None else min(reading.sample.at, reading.newest)
        if now - fresh_at > fresh_for(self.policy):
            self._state = SignalState.STALE
            self._fresh_at = max(fresh_at, self._fresh_at or fresh_at)
            return Taken.TOO_OLD
        taken = self.history.append(reading.sample, now)
        self._state = _impossible(taken, reading.sample)
        if self._state is SignalState.OK:
            self._fresh_at = max(fresh_at, self._fresh_at or fresh_at)
        last = self.history.last
        if last is not None and last.at != self._learned_at:  # a backfill may have been there before the live sample
            self._learned_at = last.at
            self._learn(last)
        return taken

    def missed(self, error: SourceError) -> None:
        """Note that the source gave nothing; time goes on and nothing is learned."""
        self._state = error.state

    def take_past(self, *, fine: Series | None = None, coarse: tuple[Series, Series] | None = None) -> None:
        """Fill the history's gaps from a past that was read; what the experts learned from less is fitted anew.

        Args:
            fine: at the signal's step; may reach back as far as the coarse history.
            coarse: mean and largest value of each coarse step.
        """
        if coarse is not None:
            self.history.backfill_coarse(*coarse)
        if fine is not None:
            self.history.backfill_fine(fine)
        for expert in self.experts.values():
            expert.fit_at_once()

    def take_up(self, kept: Series) -> None:
        """Take up samples that an earlier process kept: unlike what a source says of its past, each was fresh once."""
        self.take_past(fine=kept)
        if self._fresh_at is None and self.history.last is not None:
            self._fresh_at = self.history.last.at

    def stored(self) -> dict[str, bytes]:
        """Return what the experts know and how they did, by name, for the store."""
        bodies = {
            f"{name}/{part}": body for name, expert in self.experts.items() for part, body in expert.stored().items()
        }
        return bodies | {_TRUST: self.trust.encode()}

    def restore(self, stored: Mapping[str, bytes]) -> None:
        """Take up what an earlier process stored."""
        for name, expert in self.experts.items():
            prefix = f"{name}/"
            expert.restore({key.removeprefix(prefix): body for key, body in stored.items() if key.startswith(prefix)})
        if _TRUST in stored:
            self.trust.restore(stored[_TRUST])

    def jobs(self, now: datetime) -> list[FitJob]:
        """Return the fits that are due."""
        observed = Observed(self.history.coarse_mean(), self.history.coarse_max())
        if not observed.values.present:
            return []
        asked = (
            expert.job(self._name, observed, now=now, look_ahead=self.look_ahead, horizon=self._horizon)
            for expert in self.experts.values()
        )
        return [job for job in asked if job is not None]

    def accept(self, outcome: Fitted | FitFailed, now: datetime) -> None:
        """Take in a fit's outcome and its record over the history."""
        self.experts[outcome.model].accept(outcome, self.history.coarse_mean(), now=now)
        if isinstance(outcome, Fitted) and outcome.losses is not None:
            self._take_record(outcome.model, outcome.losses)

    def input(self) -> SignalInput:
        """Return what a decision reads of this signal."""
        last = self.history.last
        trusted = self.trust.trusted
        seen = self._seen.get(trusted) if trusted is not None else None
        return SignalInput(
            name=self.policy.name,
            capacity=self.policy.capacity,
            demand=None if last is None else last.value,
            at=None if last is None or self._fresh_at is None else min(last.at, self._fresh_at),
            state=str(self._state),
            peak=None if seen is None or last is None else self._peak(trusted or "", seen, last.at),
            distrust=None if trusted is not None else self._distrust(),
            is_learning=trusted is None and self._is_learning(),
        )

    def fan(self) -> Forecast | None:
        """Return the trusted expert's forecast over the horizon, else that of the first that is fitted."""
        last = self.history.last
        if last is None:
            return None
        for name in (self.trust.trusted, *self.experts):
            if name is not None and (fan := self.experts[name].fan(last, self._horizon, self._levels)) is not None:
                return fan
        return None

    def trust_rows(self) -> tuple[TrustRow, ...]:
        """Return how each expert does, best first."""
        rows = [
            TrustRow(self.policy.name, name, ratio, ratio is not None and ratio <= 1.0, expert.note)
            for name, expert in self.experts.items()
            for ratio in (self.trust.loss_ratio(name),)
        ]
        return tuple(sorted(rows, key=lambda row: (row.loss is None, row.loss or 0.0, row.model)))

    def coverage_rows(self) -> tuple[CoverageRow, ...]:
        """Return how often demand stayed at or below the trusted expert's published quantiles."""
        trusted = self.trust.trusted
        if trusted is None:
            return ()
        peak = self.experts[trusted].calibration.peak
        shares = {level: peak.coverage(level) for level in sorted({*REPORTED, self._level})}
        return tuple(
            CoverageRow(self.policy.name, level, share, peak.count)
            for level, share in shares.items()
            if share is not None
        )

    def _learn(self, last: Sample) -> None:
        """Foretell anew from the newest sample; once a coarse step carry the experts on and score what has come due."""
        step = grid_index(last.at, self.history.coarse_step)
        if step == self._scored:
            trusted = self.trust.trusted
            self._seen = self._foresee(last, self.experts if trusted is None else (trusted,))
            return
        self._scored = step
        coarse = self.history.coarse_mean()
        for expert in self.experts.values():
            expert.advance(coarse)
        self._scoring.mature(last.at, self.history.fine)
        self._seen = self._foresee(last, self.experts)
        self._scoring.foretold(self._seen, since=last.at, until=last.at + self.look_ahead, demand=last.value)

    def _foresee(self, last: Sample, names: Iterable[str]) -> Mapping[str, Foresight]:
        seen = ((name, self.experts[name].foresee(last.at, last.value, self.look_ahead)) for name in names)
        return {name: foresight for name, foresight in seen if foresight is not None}

    def _take_record(self, model: str, losses: Losses) -> None:
        """Start from what the model did over the history, so that trust need not wait for new mistakes."""
        if losses.decision is not None and losses.reactive is not None:
            scored = losses.origins * SPACING / self.history.coarse_step
            self.trust.replace(model, losses.decision, scored)
            self.trust.replace(REACTIVE, losses.reactive, scored)

    def _is_learning(self) -> bool:
        """Whether nothing but history is missing."""
        return not self._seen and any(expert.is_learning for expert in self.experts.values())

    def _distrust(self) -> str | None:
        """Why no forecast is used; None where one is merely not there (yet)."""
        if self._seen:
            ratios = [ratio for name in self._seen if (ratio := self.trust.loss_ratio(name)) is not None]
            if not ratios:
                return "its decisions have not been scored for an hour yet"
            return f"its decision loss is {min(ratios):.2f} of reactive"
        notes = [expert.note for expert in self.experts.values() if expert.is_learning]
        return notes[0] if notes else None

    def _peak(self, model: str, seen: Foresight, at: datetime) -> PeakForecast:
        return PeakForecast(
            model=model,
            origin=at,
            until=at + self.look_ahead,
            level=self._level,
            value=seen.quantile,
            median=seen.median,
            calibration=seen.quantile - seen.path_peak,
        )


def _impossible(taken: Taken, sample: Sample) -> SignalState:
    """Return what is wrong with a sample that cannot have been observed; OK where nothing is."""
    match taken:
        case Taken.NOT_FINITE:
            return SignalState.NOT_A_NUMBER if np.isnan(sample.value) else SignalState.INFINITE
        case Taken.NEGATIVE:
            return SignalState.NEGATIVE
        case Taken.FROM_THE_FUTURE:
            return SignalState.FROM_THE_FUTURE
        case _:
            return SignalState.OK
