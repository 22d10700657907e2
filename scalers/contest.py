"""Decision rules at work side by side in simulation: what each would have paid and left short, so that one may answer.

An expert is a path (what demand is planned for), a margin (the share of a replica's capacity that is planned with) and
whether it steps past the HPA's tolerance. Each has its own simulated HPA and pods; reactive scaling with every margin
is among them. What they paid, left unserved and how often they acted is kept as decaying sums.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from forecasters.packing import Packed, UnreadableState, pack, unpack
from scalers.bounds import in_gangs
from scalers.hpa_rules import HpaRules
from scalers.ledger import Ledger, Records
from scalers.proposals import Proposals
from scalers.simulated_pool import SimulatedPool, UnreadablePool
from scalers.tolerance import Passing, past_the_edge

REACTIVE = "reactive"
# Shares of a replica's capacity, denser where most loads end up. 1 is the raw need: nothing answers below it.
MARGINS = (0.2, 0.28, 0.37, 0.46, 0.55, 0.63, 0.7, 0.77, 0.83, 0.89, 0.95, 1.0)
_MODES = 2  # plain, and past the tolerance
_AFTER_CHANGE = timedelta(days=1)  # of records, left after a change of level
# Steps are lived through so many at a time: one right after another costs half of one that comes seconds later, when
# what it works on has left the processor's caches. 32 are 8 min at 15 s, and take 0.9 ms.
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
        self._ready = np.zeros((setting.late, count), np.int16)
        self._seen = 0  # steps so far
        self._waiting = np.empty((_AT_ONCE, len(paths) + 1))  # steps to be lived through: plans, and the demand
        self._count = 0  # of them
        self._turn = turn
        self._ledger = Ledger(count, setting.step)

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
        self._ledger.discount(_AFTER_CHANGE)

    def path_of(self, place: int) -> int:
        """Return the place of the path that the expert at a place follows."""
        return place // (_MODES * len(MARGINS))

    def needs(self, planned: NDArray[np.float64], demand: float, places: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return the replicas that some experts find needed, their step past the tolerance apart.

        Args:
            planned: as for `step`.
            demand: likewise.
            places: of the experts, shape (n,).
        """
        needs = planned[places // (_MODES * len(MARGINS))] * self._per_unit[places // _MODES % len(MARGINS)]
        return np.fmax(needs, demand / self._setting.capacity)

    def records(self) -> Records:
        """Return what the experts did up to the last whole block."""
        self._catch_up()
        return self._ledger.records()

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
        """Return the arrays that are stored."""
        return {**self._ledger.kept(), "ready": self._ready}

    def _catch_up(self) -> None:
        """Live through the steps that wait: whatever tells of the records, or changes them otherwise, does so first."""
        waiting, self._count = self._waiting[: self._count], 0
        if len(waiting):
            raw = waiting[:, -1] / self._setting.capacity
            self._score(raw, *self._lived(self._needs(waiting[:, :-1], raw), raw))

    def _lived(
        self, needs: NDArray[np.float64], raw: NDArray[np.float64]
    ) -> tuple[NDArray[np.int16], NDArray[np.int16]]:
        """Let pods and HPAs live through steps.

        Args:
            needs: replicas, shape (steps, paths * margins).
            raw: need of each step, replicas.

        Returns:
            The pods that were there before the first step and after each, shape (steps + 1, experts), and those that
            were ready after each, shape (steps, experts).
        """
        rules, pool = self._setting.rules, self._pool or self._begin(float(raw[0]))
        proposals = Proposals.of(in_gangs(needs, self._setting.gang), rules).repeated(_MODES)
        passing, past = Passing.of(needs, raw, rules), past_the_edge(rules, self._setting.gang)
        existing = np.empty((len(raw) + 1, len(self)), np.int16)
        ready = np.empty((len(raw), len(self)), np.int16)
        existing[0] = pool.existing
        for step in range(len(raw)):
            pool.advance()
            wanted, there = pool.wanted(proposals.at(step)), pool.existing[1::_MODES]
            stepped = past.take(there, mode="clip")  # pods of a store may be above a maximum that was lowered since
            np.copyto(wanted[1::_MODES], stepped, where=passing.at(step, there))
            pool.act(wanted)
            existing[step + 1], ready[step] = pool.existing, pool.ready
        return existing, ready

    def _begin(self, raw: float) -> SimulatedPool:
        rules = self._setting.rules
        self._pool = self._made(min(max(int(np.ceil(raw)), 1, rules.minimum), rules.maximum))
        return self._pool

    def _made(self, first: int) -> SimulatedPool:
        setting = self._setting
        return SimulatedPool(len(self), first=first, rules=setting.rules, start_up=setting.start_up, step=setting.step)

    def _needs(self, planned: NDArray[np.float64], raw: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return replicas by step and by path and margin, never below the raw need; shape (steps, paths * margins)."""
        needs = (np.nan_to_num(planned)[:, :, None] * self._per_unit).reshape(len(planned), -1)
        return np.maximum(needs, raw[:, None], out=needs)

    def _score(self, raw: NDArray[np.float64], existing: NDArray[np.int16], ready: NDArray[np.int16]) -> None:
        """Hold the demand of steps against the pods that were ready when it arose; arrays as `_lived` returns them."""
        late, most, count = self._setting.late, self._setting.rules.maximum, len(raw)
        # by the step in which it was ready, the oldest first
        then = np.concatenate([np.roll(self._ready, -(self._seen % late), axis=0), ready])
        begin = min(max(0, late - self._seen), count)
        self._seen += count
        self._ready[:] = np.roll(then[count:], self._seen % late, axis=0)
        demand = np.minimum(raw, most)  # a metric's bug is not demand for ever
        missing = np.clip(raw[:, None] - then[:count], 0.0, most)
        acted = existing[1:] != existing[:-1]
        self._ledger.add(demand[begin:], missing[begin:], existing[1 + begin :], acted[begin:])
