"""Decision rules at work side by side in simulation: what each would have paid and left short, so that one may answer.

An expert is a path (what demand is planned for), a margin (the share of a replica's capacity that is planned with) and
whether it steps past the HPA's tolerance. Each has its own simulated HPA and pods; reactive scaling with every margin
is among them. What they paid, left unserved and how often they acted is kept as decaying sums.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from forecasters.packing import Packed, UnreadableState, pack, unpack
from scalers.hpa_rules import HpaRules
from scalers.simulated_pool import SimulatedPool, UnreadablePool
from scalers.tolerance import PAST_THE_EDGE, WORTH_PASSING

REACTIVE = "reactive"
# Shares of a replica's capacity, denser where most loads end up. 1 is the raw need: nothing answers below it.
MARGINS = (0.2, 0.28, 0.37, 0.46, 0.55, 0.63, 0.7, 0.77, 0.83, 0.89, 0.95, 1.0)
_MODES = 2  # plain, and past the tolerance
# Records forget with this time constant; the short one shows what has just changed.
_LONG, _SHORT = timedelta(days=7), timedelta(days=1)
_AFTER_CHANGE = timedelta(days=1)  # of records, left after a change of level
_BLOCK = timedelta(minutes=15)  # sums are decayed once in this time
# Steps are lived through so many at a time: one right after another costs half of one that comes seconds later, when
# what it works on has left the processor's caches. 32 are 8 min at 15 s, and take 1.3 ms.
_AT_ONCE = 32
_KIND, _VERSION = "contest", 1


@dataclass(frozen=True, slots=True)
class Expert:
    """One decision rule."""

    path: str
    margin: float  # share of a replica's capacity, in (0, 1]
    passes_tolerance: bool

    def __str__(self) -> str:
        return f"{self.path} at {self.margin:.0%}{', past the tolerance' if self.passes_tolerance else ''}"


@dataclass(frozen=True, slots=True)
class Setting:
    """What the experts of one signal are simulated under."""

    capacity: float  # demand units per replica, above 0
    step: timedelta  # between two syncs of the simulated HPA
    start_up: timedelta
    late: int  # steps by which demand shows late: it is held against the pods that were ready then
    rules: HpaRules
    gang: int = 1


@dataclass(frozen=True, slots=True, eq=False)
class Records:
    """What the experts did, each figure of shape (experts,), decayed."""

    weight: float  # steps that were scored, decayed
    short: NDArray[np.float64]  # share of time with demand above ready capacity
    short_lately: NDArray[np.float64]
    paid: NDArray[np.float64]  # replicas, mean
    actions: NDArray[np.float64]  # per hour
    unserved: NDArray[np.float64]  # share of demand


@lru_cache
def _experts(paths: tuple[str, ...]) -> tuple[Expert, ...]:
    """Return the experts of some paths, the same objects for every signal: they take as much room as their records."""
    return tuple(Expert(path, margin, passes) for path in paths for margin in MARGINS for passes in (False, True))


class Contest:
    """The experts of one signal.

    Attributes:
        paths: their names.
        experts: by path, margin, and whether they step past the tolerance.
        passing: whether each does, shape (experts,).
    """

    def __init__(self, paths: tuple[str, ...], setting: Setting, *, turn: int = 0) -> None:
        """Begin without pods and records.

        Args:
            paths: names, `REACTIVE` among them.
            setting: what is simulated under.
            turn: which of the steps that are lived through at once is the last of them; of many contests that step
                together, those of different turns do not work at the same time. No record depends on it.
        """
        self.paths = paths
        self.experts = _experts(paths)
        self.passing = np.tile(np.array([False, True]), len(paths) * len(MARGINS))
        self._setting = setting
        count = len(self.experts)
        self._per_unit = 1.0 / (np.array(MARGINS) * setting.capacity)
        self._pool: SimulatedPool | None = None
        self._values = np.empty((len(paths), len(MARGINS), _MODES))
        self._ready = np.zeros((setting.late, count), np.int16)
        self._missing = np.empty(count)
        self._seen = 0  # steps so far
        self._waiting = np.empty((_AT_ONCE, len(paths) + 1))  # steps to be lived through: plans, and the demand
        self._count = 0  # of them
        self._turn = turn
        self._steps_of_block = max(1, _BLOCK // setting.step)
        self._keep = (math.exp(-_BLOCK / _LONG), math.exp(-_BLOCK / _SHORT))
        # short, paid, actions, unserved of the running block; a policy's records take half the room in single precision
        self._block = np.zeros((4, count), np.float32)
        self._long, self._lately = np.zeros((4, count), np.float32), np.zeros(count, np.float32)
        self._demand = np.zeros(2)  # of the running block, and decayed; replicas
        self._weights = np.zeros(3)  # steps of the running block, long, short

    def __len__(self) -> int:
        return len(self.experts)

    def step(self, planned: NDArray[np.float64], demand: float) -> None:
        """Let every expert answer, and hold the demand against the pods that were ready when it arose, now or soon.

        Args:
            planned: demand that each path plans for, shape (paths,), demand units; NaN plans for the demand of now.
            demand: the newest sample, finite and not below 0.
        """
        waiting = self._waiting[self._count]
        waiting[:-1], waiting[-1] = planned, demand
        self._count += 1
        if self._count == _AT_ONCE or (self._seen + self._count) % _AT_ONCE == self._turn % _AT_ONCE:
            self._catch_up()

    def skip(self, steps: int) -> None:
        """Let steps pass without demand: pods become ready, nobody acts and nothing is scored."""
        self._catch_up()
        if self._pool is not None:
            for _ in range(min(steps, self._setting.start_up // self._setting.step + 1)):
                self._pool.advance()
                self._pool.sync(np.full(len(self), np.nan))
        self._seen = 0  # what was ready before the gap says nothing of demand after it

    def discount(self) -> None:
        """Let what was lived so far count for a day at most: the load has come to another level."""
        self._catch_up()
        share = min(1.0, _AFTER_CHANGE / self._setting.step / max(self._weights[1], 1.0))
        self._long *= share
        self._demand[1] *= share
        self._weights[1] *= share

    def needs(self, planned: NDArray[np.float64], demand: float) -> NDArray[np.float64]:
        """Return the replicas that each expert finds needed, its step past the tolerance apart; shape (experts,)."""
        needs = self._needs(planned[None, :], np.array([demand / self._setting.capacity]))
        return np.repeat(needs.ravel(), _MODES)

    def records(self) -> Records:
        """Return what the experts did up to the last whole block."""
        self._catch_up()
        weight, lately = max(self._weights[1], 1.0), max(self._weights[2], 1.0)
        hours = weight * self._setting.step / timedelta(hours=1)
        short, paid, actions, unserved = self._long.astype(np.float64)
        return Records(
            weight=float(self._weights[1]),
            short=short / weight,
            short_lately=self._lately.astype(np.float64) / lately,
            paid=paid / weight,
            actions=actions / hours,
            unserved=unserved / max(self._demand[1], 1e-300),
        )

    def encode(self) -> bytes:
        """Return pods and records as bytes."""
        self._catch_up()
        pool = b"" if self._pool is None else self._pool.encode()
        packed = Packed(
            _KIND,
            _VERSION,
            {"paths": ",".join(self.paths)},
            {"seen": self._seen},
            {name: array.astype(np.float64) for name, array in self._kept().items()},
            {},
        )
        return len(pool).to_bytes(4, "little") + pool + pack(packed)

    def restore(self, body: bytes) -> None:
        """Take up what a contest of the same paths and setting was.

        Raises:
            UnreadableState: the bytes are damaged, or are those of another contest; nothing was taken up.
        """
        length = int.from_bytes(body[:4], "little")
        packed = unpack(body[4 + length :], kind=_KIND, version=_VERSION)
        arrays = packed.doubles
        mine = self._kept()
        if packed.texts.get("paths") != ",".join(self.paths) or any(
            name not in arrays or arrays[name].shape != array.shape for name, array in mine.items()
        ):
            raise UnreadableState(f"stored {_KIND} is one of other experts: walk through the history anew")
        if length:
            pool = self._made(1)
            try:
                pool.restore(body[4 : 4 + length])
            except UnreadablePool as error:
                raise UnreadableState(str(error)) from error
            self._pool = pool
        self._count = 0
        for name, array in mine.items():
            array[:] = arrays[name]
        self._seen = int(packed.numbers["seen"])

    def _kept(self) -> dict[str, NDArray[Any]]:
        """Return the arrays that are the records."""
        sums = {"block": self._block, "long": self._long, "lately": self._lately}
        return {**sums, "demand": self._demand, "weights": self._weights, "ready": self._ready}

    def _catch_up(self) -> None:
        """Live through the steps that wait: whatever tells of the records, or changes them otherwise, does so first."""
        waiting, self._count = self._waiting[: self._count], 0
        if len(waiting):
            raw = waiting[:, -1] / self._setting.capacity
            for needs, needed in zip(self._needs(waiting[:, :-1], raw), raw.tolist(), strict=True):
                self._live(needs, needed)

    def _live(self, needs: NDArray[np.float64], raw: float) -> None:
        setting = self._setting
        pool = self._pool or self._begin(raw)
        pool.advance()
        pool.sync(self._answers(needs, raw, pool.existing))
        if self._seen >= setting.late:
            self._score(raw, pool)
        self._ready[self._seen % setting.late] = pool.ready
        self._seen += 1

    def _begin(self, raw: float) -> SimulatedPool:
        rules = self._setting.rules
        self._pool = self._made(min(max(int(np.ceil(raw)), 1, rules.minimum), rules.maximum))
        return self._pool

    def _made(self, first: int) -> SimulatedPool:
        setting = self._setting
        return SimulatedPool(len(self), first=first, rules=setting.rules, start_up=setting.start_up, step=setting.step)

    def _needs(self, planned: NDArray[np.float64], raw: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return replicas by step, path and margin, never below the raw need; shape (steps, paths, margins)."""
        unknown = np.isnan(planned)
        if unknown.any():
            planned = np.where(unknown, 0.0, planned)
        needs = planned[:, :, None] * self._per_unit
        return np.maximum(needs, raw[:, None, None], out=needs)

    def _answers(self, needs: NDArray[np.float64], raw: float, existing: NDArray[np.int16]) -> NDArray[np.float64]:
        """Return what KEDA would be told by each, shape (experts,)."""
        values, rules = self._values, self._setting.rules
        values[:, :, 0] = needs
        values[:, :, 1] = needs
        there = existing.reshape(values.shape)[:, :, 1].astype(np.float64)  # once, and not in each of the products
        edge = there * (1.0 + rules.tolerance_up)
        # past the middle of the tolerance it is worth it, and above what is there it is always so for the raw need
        least = np.where(there < raw, there, there * (1.0 + WORTH_PASSING * rules.tolerance_up))
        passes = (needs > least) & (needs <= edge)
        np.add(edge, PAST_THE_EDGE, out=values[:, :, 1], where=passes)
        answers = values.reshape(-1)
        if self._setting.gang > 1:
            answers = np.ceil(answers / self._setting.gang - 1e-9) * self._setting.gang
        return answers

    def _score(self, raw: float, pool: SimulatedPool) -> None:
        missing = np.subtract(raw, self._ready[self._seen % self._setting.late], out=self._missing)
        short, paid, actions, unserved = self._block
        np.maximum(missing, 0.0, out=missing)
        np.minimum(missing, self._setting.rules.maximum, out=missing)  # a metric's bug is not demand for ever
        unserved += missing
        short += missing > 0.0
        paid += pool.existing
        actions += pool.acted
        self._demand[0] += min(raw, self._setting.rules.maximum)
        self._weights[0] += 1
        if self._weights[0] >= self._steps_of_block:
            self._end_block()

    def _end_block(self) -> None:
        long, lately = self._keep
        self._long = self._long * long + self._block
        self._lately = self._lately * lately + self._block[0]
        self._demand[1] = self._demand[1] * long + self._demand[0]
        self._weights[1:] = self._weights[1:] * (long, lately) + self._weights[0]
        self._block[:] = 0.0
        self._demand[0] = self._weights[0] = 0.0
