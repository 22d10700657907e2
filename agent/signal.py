"""One demand signal of one policy, from samples to what a decision reads. No I/O and no clock."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import numpy as np

from agent.expert import Expert
from agent.falls import FallWatch
from agent.fitting.pool import Job, Outcome
from agent.fitting.walked import MODEL, Walked
from agent.history.grid import History, Taken
from agent.local_time import LocalTime
from agent.peaks import Peaks
from agent.snapshot import CoverageRow, TrustRow
from agent.sources.source import Reading, Sample, SignalState, SourceError
from forecasters.ceiling import Ceiling, find_ceiling
from forecasters.forecast import Forecast
from forecasters.forecaster import Forecaster
from forecasters.series import Series, grid_index
from scalers.advantage import Advantage
from scalers.decision import LearnedCapacity, SignalInput
from scalers.policy import ScalingPolicy, SignalPolicy
from scalers.recommend import fresh_for

# The page shows hours of it, and the look-ahead of a decision must fit in several times.
_FINE_SPAN = timedelta(hours=6)
_PEAKS = "peaks"
# Demand above this multiple of what the most replicas serve is a metric's bug.
_BEYOND_BELIEF = 1000.0
# Forecasters' grids are five minutes and more; what they say changes no sooner.
_CARRIED_EVERY = timedelta(minutes=5)
_LEVELS = (0.01, 0.05, 0.1, 0.2, 0.5, 0.8, 0.9, 0.95, 0.99)


@dataclass(frozen=True, slots=True, eq=False)
class CoarsePast:
    """A past in coarse steps, all on one grid."""

    mean: Series
    largest: Series
    last: Series | None = None  # the value at the end of each step


class Signal:
    """Takes in readings and keeps forecasters and experts up to date."""

    def __init__(self, policy: ScalingPolicy, signal: SignalPolicy, forecasters: Sequence[Forecaster]) -> None:
        self.policy = signal
        self.learned: LearnedCapacity | None = None  # what the capacity rests on; None where it is the declared one
        self._scaling = policy
        self.look_ahead = policy.look_ahead(signal)
        self.coarse_span = policy.history
        self.fine_span = max(_FINE_SPAN, 8 * self.look_ahead)
        self.history = History(
            signal.step,
            fine_span=self.fine_span,
            coarse_span=self.coarse_span,
            unit=signal.capacity,
            most=_BEYOND_BELIEF * policy.bounds.maximum * signal.capacity,
        )
        self.experts = {
            forecaster.name: Expert(forecaster, coarse_step=self.history.coarse_step) for forecaster in forecasters
        }
        self.peaks = self._peaks_of(signal)
        self._next: Peaks | None = None  # of a new capacity, until they have walked through the history
        local = LocalTime(policy.time_zone, policy.calendar)
        self._falls = FallWatch(self.history, most=self.peaks.most, local=local)
        self._ceiling: Ceiling | None = None
        self._levels = tuple(sorted({*_LEVELS, 1 - policy.risk}))
        self._horizon = policy.horizon
        self._name = f"{policy.key}/{signal.name}"
        self._state = SignalState.OK
        self._fresh_at: datetime | None = None  # of what the newest sample was computed from
        self._rises: Mapping[str, float] = {}  # of each forecaster's path over the demand it was told from
        self._learned_at: datetime | None = None  # instant of the newest sample that the experts have seen
        self._carried: int | None = None  # step of `_CARRIED_EVERY` to which the forecasters were last carried

    @property
    def name(self) -> str:
        """`namespace/policy/signal`, for people and for fits."""
        return self._name

    @property
    def stored_as(self) -> str:
        """The name of its samples and states in the store; a changed query starts a history of its own."""
        return f"{self._name}@{self.policy.meaning}" if self.policy.meaning else self._name

    @property
    def fall_noticed_within(self) -> timedelta:
        """How long after demand was last there its fall is noticed, at most."""
        return self._falls.noticed_within

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
            if self.history.believes(last):
                self._learn(last)
        return taken

    def missed(self, error: SourceError) -> None:
        """Note that the source gave nothing; time goes on and nothing is learned."""
        self._state = error.state

    def take_past(self, *, fine: Series | None = None, coarse: CoarsePast | None = None) -> None:
        """Fill the history's gaps from a past that was read; what the experts learned from less is fitted anew.

        Args:
            fine: at the signal's step; may reach back as far as the coarse history.
            coarse: of the weeks before.
        """
        if coarse is not None:
            self.history.backfill_coarse(coarse.mean, coarse.largest, coarse.last)
        if fine is not None:
            self.history.backfill_fine(fine)
        for expert in self.experts.values():
            expert.fit_at_once()
        self._walking.walk_at_once()
        self._falls.learn_at_once()

    def take_up(self, kept: Series) -> None:
        """Take up samples that an earlier process kept: unlike what a source says of its past, each was fresh once."""
        self.take_past(fine=kept)
        if self._fresh_at is None and self.history.last is not None:
            self._fresh_at = self.history.last.at

    def take_capacity(self, learned: LearnedCapacity) -> None:
        """Size by a learned capacity from now on; the experts' records are worked out anew with it.

        Until they are, those of before answer: what they plan for is demand, and is divided by the new capacity.
        """
        self._size(learned)
        self._next = self._peaks_of(self.policy)
        self._next.follow(self.peaks)

    def restore_capacity(self, learned: LearnedCapacity) -> None:
        """Take up the learned capacity of an earlier process, before the records that were kept under it."""
        self._size(learned)
        self.peaks = self._peaks_of(self.policy)

    def stored(self) -> dict[str, bytes]:
        """Return what the experts know and how they did, by name, for the store."""
        bodies = {
            f"{name}/{part}": body for name, expert in self.experts.items() for part, body in expert.stored().items()
        }
        return bodies | {f"{_PEAKS}/{part}": body for part, body in self.peaks.stored().items()}

    def restore(self, stored: Mapping[str, bytes]) -> None:
        """Take up what an earlier process stored."""
        for name, expert in self.experts.items():
            expert.restore(_under(name, stored))
        self.peaks.restore(_under(_PEAKS, stored))

    def jobs(self, now: datetime) -> list[Job]:
        """Return the fits that are due."""
        if not self._walking.is_due(now) and not any(expert.is_due(now) for expert in self.experts.values()):
            return []
        coarse = self.history.coarse_mean()
        if not coarse.present:
            return []
        asked: list[Job | None] = [
            expert.job(self._name, coarse, now=now, horizon=self._horizon) for expert in self.experts.values()
        ]
        return [job for job in (*asked, self._walking.job(self._name, now)) if job is not None]

    def accept(self, outcome: Outcome, now: datetime) -> None:
        """Take in a fit's outcome and its record over the history."""
        if isinstance(outcome, Walked):
            self._walking.accept(outcome, now)
            if self._walking.has_walked:
                self.peaks, self._next = self._walking, None
            self._ceiling = find_ceiling(self.history.coarse_mean(), self.policy.step)
        elif outcome.model != MODEL:  # a walk that failed is tried again
            self.experts[outcome.model].accept(outcome, self.history.coarse_mean(), now=now)

    def input(self) -> SignalInput:
        """Return what a decision reads of this signal."""
        last = self.history.last
        peak = None if last is None else self.peaks.planned()
        return SignalInput(
            name=self.policy.name,
            capacity=self.policy.capacity,
            demand=None if last is None else last.value,
            at=None if last is None or self._fresh_at is None else min(last.at, self._fresh_at),
            state=str(self._state),
            peak=peak,
            distrust=None if last is None or peak is not None else self._unlearned(last),
            is_learning=last is not None and peak is None,
            fall=self._falls.fall,
            ceiling=self._ceiling,
            learned=self.learned,
        )

    def fan(self) -> Forecast | None:
        """Return the forecast over the horizon of the first forecaster that is fitted, None if none is."""
        last = self.history.last
        if last is None:
            return None
        fans = (expert.fan(last, self._horizon, self._levels) for expert in self.experts.values())
        return next((fan for fan in fans if fan is not None), None)

    def advantage(self) -> Advantage | None:
        """Return what the expert that answers buys; None before one is chosen."""
        return self.peaks.advantage

    def trust_rows(self) -> tuple[TrustRow, ...]:
        """Return how each family of experts does, best first."""
        return tuple(
            TrustRow(self.policy.name, row.family, row.cost_ratio, row.keeps_risk, row.expert)
            for row in self.peaks.records()
        )

    def coverage_rows(self) -> tuple[CoverageRow, ...]:
        """Return how often demand stayed at or below the published quantiles of its peak."""
        return tuple(
            CoverageRow(self.policy.name, level, share, count) for level, share, count in self.peaks.coverage()
        )

    def _learn(self, last: Sample) -> None:
        """Let the experts see the newest sample; every few minutes carry the forecasters on."""
        step = grid_index(last.at, max(self.history.coarse_step, _CARRIED_EVERY))
        if step != self._carried and self.experts:
            self._carried = step
            coarse = self.history.coarse_mean()
            for expert in self.experts.values():
                expert.advance(coarse)
            seen = {name: expert.rise(last.at, self.look_ahead) for name, expert in self.experts.items()}
            self._rises = {name: rise for name, rise in seen.items() if rise is not None}
        self._falls.observe(last.at, last.value)
        told = {name: last.value + rise for name, rise in self._rises.items()}
        for peaks in (self.peaks, self._next):
            if peaks is not None:
                peaks.observe(last.at, last.value, told, is_believed=self._falls.fall is None)

    def _unlearned(self, last: Sample) -> str:
        """Return why no expert can answer yet."""
        if self.history.believes(last):
            return self.peaks.shortfall()
        most = f"{_BEYOND_BELIEF:,.0f} times what {self._scaling.bounds.maximum} replicas serve"
        return f"demand is over {most}: a metric's bug, or a capacity per replica that is far too small"

    @property
    def _walking(self) -> Peaks:
        """The experts whose walks and fits are run: those of the newest capacity."""
        return self.peaks if self._next is None else self._next

    def _peaks_of(self, signal: SignalPolicy) -> Peaks:
        return Peaks(self._scaling, signal, self.history, extra=tuple(self.experts))

    def _size(self, learned: LearnedCapacity) -> None:
        self.policy, self.learned = replace(self.policy, capacity=learned.capacity), learned


def _under(name: str, stored: Mapping[str, bytes]) -> dict[str, bytes]:
    prefix = f"{name}/"
    return {key.removeprefix(prefix): body for key, body in stored.items() if key.startswith(prefix)}


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
