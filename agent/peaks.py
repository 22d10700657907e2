"""The decision experts of one signal at work: what they plan for, how they did, which of them answer.

No I/O and no clock. Kept up by one sample at a time; what weeks of running would have taught comes from a walk through
the history, which runs in the fit pool.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from agent.choosing import LEAST_RECORD, Chooser, FamilyRecord
from agent.coarse_past import rows_of
from agent.fine_past import fine_past
from agent.fitting.walked import Walked, WalkJob
from agent.history.grid import History
from agent.levels import LevelWatch
from agent.local_time import LocalTime
from agent.peak_setting import rows_ahead, setting_of, step_of
from agent.peak_sight import PeakSight
from forecasters.coverage import Coverage
from forecasters.forecaster import TooLittleHistory
from forecasters.peak_model import LEVELS, PeakModel
from forecasters.peak_paths import ANALOG, FAMILIES, PATHS, QUANTILES, REACTIVE, VOLATILITY, Paths
from forecasters.series import grid_index
from forecasters.usual import UNKNOWN
from scalers.advantage import Advantage
from scalers.contest import Contest
from scalers.decision import PeakForecast
from scalers.policy import ScalingPolicy, SignalPolicy
from scalers.walk import refit_after

_CHOOSE_EVERY = timedelta(hours=1)
# Demand above this multiple of what the most replicas serve asks for no more of them.
_MOST_SEEN = 2.0
_RETRY_EVERY = timedelta(minutes=10)
# A walk takes seconds; what is lived meanwhile is lived again by the experts that come back from it.
_MOST_MEANWHILE = 1000


class Peaks:
    """The experts of one signal."""

    def __init__(
        self, policy: ScalingPolicy, signal: SignalPolicy, history: History, *, extra: tuple[str, ...] = ()
    ) -> None:
        """Begin without records.

        Args:
            policy: what is decided for.
            signal: whose demand it is.
            history: the signal's; read, never written.
            extra: names of forecasters whose paths are experts too.
        """
        self._history, self._signal = history, signal
        self._step = step_of(policy, signal, history.coarse_step)
        self._setting = setting_of(policy, signal, self._step)
        self._most = _MOST_SEEN * self._setting.rules.maximum * signal.capacity
        self._look_ahead, self._level = policy.look_ahead(signal), 1 - policy.risk
        self._ahead = rows_ahead(policy, signal, history.coarse_step)
        allowed = frozenset((*policy.families, *extra, REACTIVE))
        chosen = {path: family for path, family in FAMILIES.items() if family in allowed}
        self._chosen = [place for place, path in enumerate(PATHS) if path in chosen]
        self._is_fitting = QUANTILES in allowed
        self._is_looking = not allowed.isdisjoint((QUANTILES, ANALOG, VOLATILITY))
        self._families = {**chosen, **{name: name for name in extra}}
        self._extra = extra
        self._spoken = np.zeros(len(extra), np.int64)  # steps of the records in which each had something to say
        self._turn = crc32(f"{policy.key}/{signal.name}".encode())
        self._contest = self._new_contest()
        self._chooser = Chooser(self._families, risk=policy.risk, step=self._step)
        self._paths = Paths(self._step)
        self._local = LocalTime(policy.time_zone, policy.calendar)
        self._sight = PeakSight(history, ahead=self._ahead, most=self._most, local=self._local)
        self._levels = LevelWatch(history, most=self._most)
        self._model: PeakModel | None = None
        self._coverage = Coverage(LEVELS, ahead=self._ahead, step=history.coarse_step)
        self._scored: int | None = None  # coarse step up to which forecasts were held against what came
        self._planned: NDArray[np.float64] | None = None
        self._demand = 0.0
        self._median: float | None = None
        self._last: int | None = None  # grid index of the newest sample seen
        self._last_at: datetime | None = None
        self._choose_at: int | None = None
        self._due: datetime | None = None  # of the next walk or fit; None is at once
        self._has_walked = False
        self._meanwhile: deque[tuple[int, NDArray[np.float64], float]] | None = None

    @property
    def is_choosing(self) -> bool:
        """Whether there is a record to choose by."""
        return self._chooser.choice is not None

    @property
    def advantage(self) -> Advantage | None:
        """What the named expert buys, as of the last choice; None before there is a record to choose by."""
        return self._chooser.advantage

    @property
    def most(self) -> float:
        """Demand above this, in demand units, is seen as this."""
        return self._most

    @property
    def capacity(self) -> float:
        """What one replica serves in the experts' simulation, demand units."""
        return self._setting.capacity

    @property
    def has_walked(self) -> bool:
        """Whether the records are those of the whole history."""
        return self._has_walked

    def observe(self, at: datetime, demand: float, extra: Mapping[str, float], *, is_believed: bool = True) -> None:
        """Take in the newest sample, which the history has already.

        Args:
            at: its instant.
            demand: demand units.
            extra: what the named forecasters plan for, by name; one that is not ready is left out.
            is_believed: False within an outage, in which nobody's record says anything of the days after it.
        """
        index = grid_index(at, self._step)
        if self._last is not None and index <= self._last:
            return
        missed = 0 if self._last is None else index - self._last - 1
        demand = min(demand, self._most)
        self._last, self._last_at, self._demand = index, at, demand
        seen = self._sight.look(demand) if self._is_looking else None
        peaks = None if self._model is None or seen is None else self._model.peaks_of(seen.row)
        self._median = None if peaks is None else peaks[0]
        if is_believed:
            self._score(peaks)
        planned = self._paths.planned(demand, UNKNOWN if seen is None else seen.usual, peaks)
        told = (extra.get(name, math.nan) for name in self._extra)
        self._planned = np.array([*(planned[place] for place in self._chosen), *told])
        if self._levels.has_changed():
            self._contest.discount()
        if missed:
            self._contest.skip(missed)
        if is_believed:
            self._live(index, self._planned, demand)
        else:
            self._contest.skip(1)
        if self._choose_at is None or index >= self._choose_at:
            self._choose(index, at)

    def _new_contest(self) -> Contest:
        return Contest(tuple(self._families), self._setting, turn=self._turn)

    def _live(self, index: int, planned: NDArray[np.float64], demand: float) -> None:
        self._contest.step(planned, demand)
        self._spoken += np.isfinite(planned[len(self._chosen) :])
        if self._meanwhile is not None:
            self._meanwhile.append((index, planned, demand))

    def shortfall(self) -> str:
        """Return how much more must be lived before an expert can be chosen."""
        age = self._contest.records().age
        return str(TooLittleHistory(have=min(age, LEAST_RECORD), need=LEAST_RECORD))

    def planned(self) -> PeakForecast | None:
        """Return what the experts that answer ask for now; None before there is a record to choose by."""
        chooser, plans = self._chooser, self._planned
        choice, answering, advantage = chooser.choice, chooser.answering, chooser.advantage
        if choice is None or answering is None or advantage is None or plans is None or self._last_at is None:
            return None
        needs = self._contest.needs(plans, self._demand, answering.places)
        demand = answering.need(needs) * self._setting.capacity
        path = float(plans[self._contest.path_of(choice.lead)])
        return PeakForecast(
            model=advantage.own.expert,
            origin=self._last_at,
            until=self._last_at + self._look_ahead,
            level=self._level,
            value=demand,
            median=demand if self._median is None else self._median,
            calibration=demand - (self._demand if math.isnan(path) else path),
            is_reactive=advantage.is_reactive,
            passes_tolerance=answering.passes_tolerance,
        )

    def is_due(self, now: datetime) -> bool:
        """Whether a walk or a fit is due."""
        return self._due is None or now >= self._due

    def job(self, name: str, now: datetime) -> WalkJob | None:
        """Return the walk or fit that is due, or None; asking makes it no longer due."""
        if not self.is_due(now):
            return None
        coarse = self._history.coarse()
        past = rows_of(coarse, self._history.coarse_step, most=self._most, local=self._local)
        if not len(past):
            return None
        self._due = now + _RETRY_EVERY
        fine = None
        if not self._has_walked:
            fine = fine_past(self._history, coarse, self._step, most=self._most)
            self._meanwhile = deque(maxlen=_MOST_MEANWHILE)
        return WalkJob(
            name, past, self._ahead, fine, tuple(self._families), self._setting, self._step, self._is_fitting
        )

    def walk_at_once(self) -> None:
        """Make a walk due: there is more history than the last one saw."""
        self._due, self._has_walked = None, False

    def accept(self, walked: Walked, now: datetime) -> None:
        """Take in what a walk or a fit gave; what has been lived meanwhile is lived again.

        One that was asked for under another capacity is not taken in.
        """
        if walked.capacity != self.capacity:
            return
        if walked.peak_model is not None:
            self._model = PeakModel.decode(walked.peak_model)
        if self._due is not None:  # else more history has come meanwhile, and another walk is due
            self._due = now + refit_after(self._history.span())
        if walked.contest is None:
            return
        contest = self._new_contest()
        contest.restore(walked.contest)
        self._contest, lived, self._meanwhile = contest, self._meanwhile, None
        self._spoken[:] = 0
        for index, planned, demand in lived or ():
            self._live(index, planned, demand)
        self._has_walked = self._due is not None
        self._choose_at = None
        newest = self._history.last
        if newest is not None:
            if self._last is None:  # it has walked up to the newest sample
                self._last = grid_index(newest.at, self._step)
            self._choose(self._last, newest.at)

    def stored(self) -> dict[str, bytes]:
        """Return what outlives a restart."""
        if not self._has_walked or self._last is None:
            return {}
        kept = {"contest": self._contest.encode(), "last": str(self._last).encode(), "spoken": self._spoken.tobytes()}
        if (answers := self._chooser.stored()) is not None:
            kept["answers"] = answers
        return kept if self._model is None else {**kept, "model": self._model.encode()}

    def restore(self, stored: Mapping[str, bytes]) -> None:
        """Take up what an earlier process stored; what cannot be read is walked through anew."""
        contest = self._new_contest()
        try:
            contest.restore(stored["contest"])
            last = int(stored["last"])
            spoken = np.frombuffer(stored["spoken"], np.int64).reshape(self._spoken.shape)
            model = PeakModel.decode(stored["model"]) if "model" in stored else None
            if "answers" in stored:
                self._chooser.restore(stored["answers"])
        except (KeyError, ValueError):  # UnreadableState is a ValueError
            return
        self._last, self._model, self._spoken = last, model, spoken.copy()
        self._contest, self._has_walked = contest, True

    def follow(self, before: Peaks) -> None:
        """Go on with the expert that answered under another capacity, unless another one is clearly better."""
        if (answers := before._chooser.stored()) is not None:
            self._chooser.restore(answers)

    def records(self) -> list[FamilyRecord]:
        """Return how each family's best expert did lately, the cheapest first."""
        return self._chooser.records(self._contest)

    def coverage(self) -> list[tuple[float, float, int]]:
        """Return level, observed share and count of the model's quantiles of the peak."""
        shares = zip(self._coverage.levels, self._coverage.shares(), strict=False)
        return [(level, share, self._coverage.count) for level, share in shares]

    def _score(self, peaks: Sequence[float] | None) -> None:
        """Once a coarse step: hold what was foretold against what came, and remember what is foretold now."""
        row = self._history.newest_coarse
        if row is None or row == self._scored or self._model is None:
            return
        if self._scored is not None:
            _, largest, _ = self._history.coarse_at(row)
            if not math.isnan(largest):
                self._coverage.came(row, largest)
        self._scored = row
        if peaks is not None:
            self._coverage.foretold(row, np.array(peaks))

    def _choose(self, index: int, at: datetime) -> None:
        if self._chooser.choose(self._contest, at, spoken=self._spoken):
            self._choose_at = index + _CHOOSE_EVERY // self._step
