"""A slow, plain model of `History` to compare the real one with, stores that fail on demand, and decisions."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from agent.history.memory import MemoryStore
from agent.history.store import StoredDecision, StoredSample, StoreFailed, StoreLimits
from scalers.decision import Basis, Clamp, Decision, PeakForecast, Replicas, SignalInput
from scalers.policy import Mode, PolicyKey


@dataclass
class NaiveHistory:
    """Dicts by grid index instead of rings; the same promises, written down the obvious way."""

    step: int  # seconds
    coarse_step: int  # seconds
    fine_slots: int
    coarse_slots: int
    fine: dict[int, float] = field(default_factory=dict)
    coarse: dict[int, tuple[float, float]] = field(default_factory=dict)
    newest: int | None = None
    newest_coarse: int | None = None

    def append(self, index: int, value: float) -> bool:
        if self.newest is not None:
            if index <= self.newest and (index in self.fine or index <= self.newest - self.fine_slots):
                return False
            if index > self.newest:  # the step under way is judged by what is known before anything leaves
                ending = self._coarse_of(self.newest)
                last = max(self._members(ending))
                if self.newest < last < index:
                    self._move(last)
                    self._renew(ending)
        self._move(index)
        self.fine[index] = value
        self._renew(self._coarse_of(index))
        return True

    def backfill_coarse(self, first: int, values: list[float]) -> None:
        known = {first + i: value for i, value in enumerate(values) if not math.isnan(value)}
        if known:
            self._move_coarse(max(known))
        for index, value in known.items():
            if index > (self.newest_coarse or 0) - self.coarse_slots:
                self.coarse.setdefault(index, (value, value))

    def backfill_fine(self, first: int, values: list[float]) -> None:
        known = {first + i: value for i, value in enumerate(values) if not math.isnan(value)}
        if not known:
            return
        if self.newest is None or max(known) > self.newest:
            if self.newest is not None:
                ending = self._coarse_of(self.newest)
                last = max(self._members(ending))
                if self.newest < last < max(known):
                    self._move(last)
                    self._renew(ending)
            self._move(max(known))
        for coarse in {self._coarse_of(index) for index in known}:
            worth = self._worth(known, coarse)
            if worth and self._is_complete(coarse) and coarse > self._newest_coarse() - self.coarse_slots:
                self.coarse.setdefault(coarse, worth)
        for index, value in known.items():
            if index > self._newest() - self.fine_slots:
                self.fine.setdefault(index, value)
        for coarse in {self._coarse_of(index) for index in self.fine}:
            self._renew(coarse)

    def _newest(self) -> int:
        assert self.newest is not None
        return self.newest

    def _newest_coarse(self) -> int:
        assert self.newest_coarse is not None
        return self.newest_coarse

    def _coarse_of(self, index: int) -> int:
        return math.ceil(index * self.step / self.coarse_step)

    def _members(self, coarse: int) -> list[int]:
        reach = self.coarse_step // self.step + 2
        centre = coarse * self.coarse_step // self.step
        return [index for index in range(centre - reach, centre + reach) if self._coarse_of(index) == coarse]

    def _worth(self, known: dict[int, float], coarse: int) -> tuple[float, float] | None:
        members = self._members(coarse)
        present = [known[index] for index in members if index in known]
        if not present or 2 * len(present) < len(members):
            return None
        return sum(present) / len(present), max(present)

    def _is_complete(self, coarse: int) -> bool:
        return max(self._members(coarse)) <= self._newest()

    def _renew(self, coarse: int) -> None:
        whole = min(self._members(coarse)) > self._newest() - self.fine_slots
        worth = self._worth(self.fine, coarse)
        if worth and whole and self._is_complete(coarse) and coarse > self._newest_coarse() - self.coarse_slots:
            self.coarse[coarse] = worth

    def _move(self, index: int) -> None:
        self.newest = index if self.newest is None else max(index, self.newest)
        self.fine = {at: value for at, value in self.fine.items() if at > self.newest - self.fine_slots}
        complete = self._coarse_of(self.newest)
        self._move_coarse(complete if self._is_complete(complete) else complete - 1)

    def _move_coarse(self, index: int) -> None:
        self.newest_coarse = index if self.newest_coarse is None else max(index, self.newest_coarse)
        oldest = self.newest_coarse - self.coarse_slots + 1
        self.coarse = {at: pair for at, pair in self.coarse.items() if at >= oldest}


class FailingStore(MemoryStore):
    """A store in memory that fails with what it is told to fail with."""

    def __init__(self, limits: StoreLimits) -> None:
        super().__init__(limits)
        self.trouble: StoreFailed | None = None
        self.decision_trouble: StoreFailed | None = None
        self.sample_count = 0  # taken, duplicates too
        self.is_readable = True
        self.is_closed = False

    def append_samples(self, samples: Sequence[StoredSample]) -> None:
        self._fail()
        self.sample_count += len(samples)
        super().append_samples(samples)

    def put_state(self, owner: str, name: str, body: bytes) -> None:
        self._fail()
        super().put_state(owner, name, body)

    def put_decision(self, *rows: StoredDecision) -> None:
        self._fail()
        if self.decision_trouble is not None:
            raise self.decision_trouble
        super().put_decision(*rows)

    def decisions(self, policy: str, *, since: datetime, until: datetime, limit: int) -> list[StoredDecision]:
        if not self.is_readable:
            raise StoreFailed("disk I/O error")
        return super().decisions(policy, since=since, until=until, limit=limit)

    def compact(self) -> None:
        self._fail()

    def close(self) -> None:
        self.is_closed = True

    def _fail(self) -> None:
        if self.trouble is not None:
            raise self.trouble


class FakeDisk:
    """A disk with one file on it, which can be set aside for another."""

    def __init__(self, limits: StoreLimits) -> None:
        self._limits = limits
        self.store = FailingStore(limits)
        self.aside: list[FailingStore] = []
        self.trouble: StoreFailed | None = None  # on opening
        self.is_released = False

    def open(self) -> FailingStore:
        if self.trouble is not None:
            raise self.trouble
        return self.store

    def set_aside(self, now: datetime) -> Path:
        self.aside.append(self.store)
        self.store = FailingStore(self._limits)
        self.trouble = None
        return Path(f"foretide.db.set-aside-{len(self.aside)}")

    def release(self) -> None:
        self.is_released = True


def decided(
    at: datetime,
    answer: float | None,
    *,
    basis: Basis = Basis.FORECAST,
    clamps: tuple[str, ...] = (),
    replicas: Replicas | None = None,
    model: str = "harmonic",
    distrust: str | None = None,
    name: str = "chat",
) -> Decision:
    """Return a decision with an answer at an instant, everything else ordinary."""
    peak = PeakForecast(model, at, at + timedelta(minutes=2), level=0.99, value=120.0, median=100.0, calibration=4.0)
    signal = SignalInput("demand", 12.0, demand=96.0, at=at, state="OK", peak=peak, distrust=distrust)
    return Decision(
        key=PolicyKey("ml", name),
        at=at,
        mode=Mode.ACTIVE,
        basis=basis,
        signals=(signal,),
        replicas=replicas,
        look_ahead=timedelta(seconds=150),
        lead_time=timedelta(minutes=2),
        lead_time_from=None,
        raw_need=8.0,
        need=10.0,
        clamps=tuple(Clamp(clamp, 10.0, 11.0, "because") for clamp in clamps),
        answer=answer,
        for_keda=answer,
        is_active=True,
        sentence="10 replicas",
    )
