"""The decision experts of one signal at work: what they plan for, how they did, which of them answer.

No I/O and no clock. Kept up by one sample at a time; what weeks of running would have taught comes from a walk through
the history, which runs in the fit pool.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from agent.fitting.walked import Walked, WalkJob
from agent.history.coarse import CoarseValues
from agent.history.grid import History
from agent.local_time import LocalTime
from agent.peak_sight import PeakSight, rows_of
from forecasters.coverage import Coverage
from forecasters.forecaster import TooLittleHistory
from forecasters.peak_features import UNKNOWN
from forecasters.peak_model import LEVELS, PeakModel
from forecasters.peak_paths import ANALOG, FAMILIES, HOLD, PATHS, QUANTILES, REACTIVE, VOLATILITY, Paths
from forecasters.series import grid_index
from scalers.advantage import Advantage, account, rival
from scalers.choice import Answering, Choice, choose
from scalers.contest import Contest, Setting
from scalers.hpa_rules import MOST_REPLICAS, HpaRules
from scalers.policy import ScalingPolicy, SignalPolicy
from scalers.walk import Fine, refit_after

# What a query that names no window is taken to average over: most scrape and record once a minute.
_USUAL_WINDOW = timedelta(minutes=1)
_CHOOSE_EVERY = timedelta(hours=1)
# Demand above this multiple of what the most replicas serve asks for no more of them.
_MOST_SEEN = 2.0
# Younger records say nothing; younger than the second, nothing that a forecast may be trusted on.
_LEAST_RECORD, _LEAST_FOR_FORECASTS = timedelta(hours=1), timedelta(hours=12)
_RETRY_EVERY = timedelta(minutes=10)
# A walk takes seconds; what is lived meanwhile is lived again by the experts that come back from it.
_MOST_MEANWHILE = 1000


@dataclass(frozen=True, slots=True)
class Planned:
    """What the experts that answer ask for, and the one that is named for it."""

    origin: datetime  # of the sample it was told from
    expert: str
    family: str
    demand: float  # planned for, demand units: need times capacity
    path: float  # of the named expert without its margin, demand units
    median: float | None  # of the largest demand, demand units; None without a model
    passes_tolerance: bool


@dataclass(frozen=True, slots=True)
class FamilyRecord:
    """How the best expert of a family did lately."""

    family: str
    expert: str
    cost_ratio: float | None  # its replicas over those of reactive scaling that keeps the risk; None if none does
    short: float  # share of time
    keeps_risk: bool


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
        self._step = max(signal.step, policy.sync)
        self._every = self._step // signal.step  # a faster signal is looked at once per sync of the HPA
        self._setting = setting_of(policy, signal, self._step)
        self._most = _MOST_SEEN * self._setting.rules.maximum * signal.capacity
        self._ahead = rows_ahead(policy, signal, history.coarse_step)
        self._risk = policy.risk
        self._allowed = frozenset((*policy.families, *extra, REACTIVE))
        chosen = {path: family for path, family in FAMILIES.items() if family in self._allowed}
        self._chosen = [place for place, path in enumerate(PATHS) if path in chosen]
        self._is_fitting = QUANTILES in self._allowed
        self._is_looking = not self._allowed.isdisjoint((QUANTILES, ANALOG, VOLATILITY))
        self._families = {**chosen, **{name: name for name in extra}}
        self._extra = extra
        self._extra_steps = np.zeros(len(extra), np.int64)  # for which each of them had something to say
        self._contest = Contest(tuple(self._families), self._setting)
        self._paths = Paths(self._step)
        self._local = LocalTime(policy.time_zone, policy.calendar)
        self._sight = PeakSight(history, ahead=self._ahead, most=self._most, local=self._local)
        self._model: PeakModel | None = None
        self._coverage = Coverage(LEVELS, ahead=self._ahead, step=history.coarse_step)
        self._scored: int | None = None  # coarse step up to which forecasts were held against what came
        self._choice: Choice | None = None
        self._answering: Answering | None = None
        self._advantage: Advantage | None = None
        self._before: tuple[str, datetime] | None = None  # the expert that answered in an earlier process, since when
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
        return self._choice is not None

    @property
    def advantage(self) -> Advantage | None:
        """What the named expert buys, as of the last choice; None before there is a record to choose by."""
        return self._advantage

    @property
    def most(self) -> float:
        """Demand above this, in demand units, is seen as this."""
        return self._most

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
        peaks = None if self._model is None or seen is None else self._model.peaks(seen.row)[0]
        self._median = None if peaks is None else float(peaks[0])
        if is_believed:
            self._score(peaks)
        told = np.array([extra.get(name, np.nan) for name in self._extra])
        self._extra_steps += np.isfinite(told)
        usual = UNKNOWN if seen is None else seen.usual
        planned = self._paths.planned(demand, usual, peaks)[self._chosen]
        self._planned = np.concatenate([planned, told])
        if missed:
            self._contest.skip(missed)
        if is_believed:
            self._live(index, self._planned, demand)
        else:
            self._contest.skip(1)
        if self._choose_at is None or index >= self._choose_at:
            self._choose(index, at)

    def _live(self, index: int, planned: NDArray[np.float64], demand: float) -> None:
        self._contest.step(planned, demand)
        if self._meanwhile is not None:
            self._meanwhile.append((index, planned, demand))

    def shortfall(self) -> str:
        """Return how much more must be lived before an expert can be chosen."""
        age = self._weight_of(self._contest.records().weight)
        return str(TooLittleHistory(have=min(age, _LEAST_RECORD), need=_LEAST_RECORD))

    def planned(self) -> Planned | None:
        """Return what the experts that answer ask for now; None before there is a record to choose by."""
        choice, answering, plans = self._choice, self._answering, self._planned
        if choice is None or answering is None or plans is None or self._last_at is None:
            return None
        needs = self._contest.needs(plans, self._demand)
        lead = self._contest.experts[choice.lead]
        path = plans[self._contest.paths.index(lead.path)]
        return Planned(
            origin=self._last_at,
            expert=str(lead),
            family=self._families[lead.path],
            demand=answering.need(needs) * self._setting.capacity,
            path=self._demand if np.isnan(path) else float(path),
            median=self._median,
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
            fine = _fine(self._history, coarse, self._step, most=self._most)
            self._meanwhile = deque(maxlen=_MOST_MEANWHILE)
        return WalkJob(
            name, past, self._ahead, fine, tuple(self._families), self._setting, self._step, self._is_fitting
        )

    def walk_at_once(self) -> None:
        """Make a walk due: there is more history than the last one saw."""
        self._due, self._has_walked = None, False

    def accept(self, walked: Walked, now: datetime) -> None:
        """Take in what a walk or a fit gave; what has been lived meanwhile is lived again."""
        if walked.peak_model is not None:
            self._model = PeakModel.decode(walked.peak_model)
        if self._due is not None:  # else more history has come meanwhile, and another walk is due
            self._due = now + refit_after(self._age())
        if walked.contest is None:
            return
        contest = Contest(tuple(self._families), self._setting)
        contest.restore(walked.contest)
        for _, planned, demand in self._meanwhile or ():
            contest.step(planned, demand)
        self._contest, self._meanwhile = contest, None
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
        kept = {"contest": self._contest.encode(), "last": str(self._last).encode()}
        if self._advantage is not None:
            kept["answers"] = f"{self._advantage.since.isoformat()} {self._advantage.own.expert}".encode()
        return kept if self._model is None else {**kept, "model": self._model.encode()}

    def restore(self, stored: Mapping[str, bytes]) -> None:
        """Take up what an earlier process stored; what cannot be read is walked through anew."""
        contest = Contest(tuple(self._families), self._setting)
        try:
            contest.restore(stored["contest"])
            last = int(stored["last"])
            model = PeakModel.decode(stored["model"]) if "model" in stored else None
            before = _answering(stored["answers"]) if "answers" in stored else None
        except (KeyError, ValueError):  # UnreadableState is a ValueError
            return
        self._last, self._model, self._before = last, model, before
        self._contest, self._has_walked = contest, True

    def records(self) -> list[FamilyRecord]:
        """Return how each family's best expert did lately, the cheapest first."""
        records = self._contest.records()
        if self._weight_of(records.weight) < _LEAST_RECORD:
            return []
        reactive = self._mask({REACTIVE})
        everybody = choose(records, risk=self._risk, allowed=reactive, reactive=reactive, before=None)
        paid = everybody.reactive_paid
        rows = []
        for family in dict.fromkeys(self._families.values()):
            mask = self._mask({family})
            best = choose(records, risk=self._risk, allowed=mask, reactive=reactive, before=None)
            ratio = None if paid is None else float(records.paid[best.lead]) / paid
            expert = str(self._contest.experts[best.lead])
            rows.append(FamilyRecord(family, expert, ratio, float(records.short[best.lead]), best.keeps_risk))
        return sorted(rows, key=lambda row: (not row.keeps_risk, row.cost_ratio or math.inf, row.family))

    def coverage(self) -> list[tuple[float, float, int]]:
        """Return level, observed share and count of the model's quantiles of the peak."""
        shares = zip(self._coverage.levels, self._coverage.shares(), strict=False)
        return [(level, share, self._coverage.count) for level, share in shares]

    def _score(self, peaks: NDArray[np.float64] | None) -> None:
        """Once a coarse step: hold what was foretold against what came, and remember what is foretold now."""
        row = self._history.newest_coarse
        if row is None or row == self._scored or self._model is None:
            return
        if self._scored is not None:
            newest = self._history.coarse(newest=1).largest
            if len(newest) and np.isfinite(newest[-1]):
                self._coverage.came(row, float(newest[-1]))
        self._scored = row
        if peaks is not None:
            self._coverage.foretold(row, peaks)

    def _choose(self, index: int, at: datetime) -> None:
        records = self._contest.records()
        age = self._weight_of(records.weight)
        if age < _LEAST_RECORD:
            return
        self._choose_at = index + _CHOOSE_EVERY // self._step
        allowed = self._mask(self._allowed if age >= _LEAST_FOR_FORECASTS else self._allowed & {REACTIVE, HOLD})
        allowed &= ~self._young_extras()
        names = tuple(map(str, self._contest.experts))
        before, since = self._lead_before(names)
        reactive = self._mask({REACTIVE})
        choice = choose(records, risk=self._risk, allowed=allowed, reactive=reactive, before=before)
        family = self._families[self._contest.experts[choice.lead].path]
        self._choice = choice
        self._answering = Answering.of(records, choice, risk=self._risk, allowed=allowed, passing=self._contest.passing)
        self._advantage = Advantage(
            own=account(records, choice.lead, names),
            family=family,
            is_reactive=family == REACTIVE,
            keeps_risk=choice.keeps_risk,
            since=at if since is None or before != choice.lead else since,
            lately=age,
            reactive=rival(records, risk=self._risk, reactive=reactive, names=names),
        )

    def _lead_before(self, names: tuple[str, ...]) -> tuple[int | None, datetime | None]:
        """Return the place of the expert that answers until now, and since when; the one of an earlier process, too."""
        if self._choice is not None and self._advantage is not None:
            return self._choice.lead, self._advantage.since
        if self._before is None or self._before[0] not in names:
            return None, None
        return names.index(self._before[0]), self._before[1]

    def _weight_of(self, steps: float) -> timedelta:
        return steps * self._step

    def _age(self) -> timedelta:
        return self._history.span()

    def _mask(self, families: frozenset[str] | set[str]) -> NDArray[np.bool_]:
        return np.repeat(
            [family in families for family in self._families.values()], len(self._contest) // len(self._families)
        )

    def _young_extras(self) -> NDArray[np.bool_]:
        """Forecasters that have not spoken for long enough: until then their record is that of reactive scaling."""
        young = self._extra_steps < _LEAST_FOR_FORECASTS / self._step
        is_young = np.concatenate([np.zeros(len(self._chosen), np.bool_), young])
        return np.repeat(is_young, len(self._contest) // len(self._families))


def _answering(stored: bytes) -> tuple[str, datetime]:
    """Return the expert that answered when it was stored, and since when."""
    since, expert = stored.decode().split(" ", 1)
    return expert, datetime.fromisoformat(since)


def rows_ahead(policy: ScalingPolicy, signal: SignalPolicy, row: timedelta) -> int:
    """Return the rows after which all is seen that demand does within the look-ahead: a query averages, and is late."""
    return math.ceil((policy.look_ahead(signal) + (signal.window or _USUAL_WINDOW) + signal.step) / row)


def setting_of(policy: ScalingPolicy, signal: SignalPolicy, step: timedelta) -> Setting:
    """Return what a signal's experts are simulated under, `step` apart."""
    syncs = step // policy.sync if policy.sync else 1
    late = (signal.window or _USUAL_WINDOW) / 2 + signal.delay + signal.step
    maximum = min(policy.bounds.maximum, MOST_REPLICAS)
    return Setting(
        capacity=signal.capacity,
        step=step,
        start_up=policy.lead_time,
        late=max(1, round(late / step)),
        rules=HpaRules(
            minimum=min(max(1, policy.bounds.minimum), maximum),
            maximum=maximum,
            tolerance_up=policy.tolerance,
            tolerance_down=policy.tolerance,
            stabilization=policy.stabilization,
            up_percent=100.0 * (2 ** min(syncs, 10) - 1),
            up_pods=4 * syncs,
        ),
        gang=policy.bounds.gang,
    )


def _fine(history: History, coarse: CoarseValues, step: timedelta, *, most: float) -> Fine:
    """Return the past at the step of decisions: as sampled where that is kept, else drawn between coarse steps."""
    per_row = history.coarse_step // step
    if per_row < 1:
        raise ValueError(f"decisions every {step} are rarer than rows of {history.coarse_step}")
    rows = np.arange(len(coarse.last))
    known = np.isfinite(coarse.last)
    places = np.arange(len(rows) * per_row) / per_row - (per_row - 1) / per_row
    values = np.interp(places, rows[known], coarse.last[known]) if known.any() else np.full(len(places), np.nan)
    values[~np.repeat(known, per_row)] = np.nan
    sampled = history.fine()
    every = step // history.step
    if not len(sampled):
        return Fine(np.minimum(values, most), per_row)
    first = grid_index(sampled.start, history.step)
    skip = -first % every
    taken = sampled.values[skip::every]
    begin = (first + skip) // every - ((coarse.first - 1) * per_row + 1)  # place of the first sample among the values
    after = max(0, begin + len(taken) - len(values))
    values = np.concatenate([values, np.full(after, np.nan)])
    laid = taken[max(0, -begin) :]
    inside = slice(max(0, begin), max(0, begin) + len(laid))
    values[inside] = np.where(np.isfinite(laid), laid, values[inside])
    return Fine(np.minimum(values, most), per_row, after)
