"""What experts paid, left unserved and how often they acted, as decaying sums: records that do not grow."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import timedelta

import numpy as np
from numpy.typing import NDArray

# Records forget with this time constant; the short one shows what has just changed.
_LONG, _SHORT = timedelta(days=7), timedelta(days=1)
_BLOCK = timedelta(minutes=15)  # sums are decayed once in this time


@dataclass(frozen=True, slots=True, eq=False)
class Records:
    """What the experts did, each figure of shape (experts,), decayed."""

    age: timedelta  # time that was scored, decayed
    short: NDArray[np.float64]  # share of time with demand above ready capacity
    short_lately: NDArray[np.float64]
    paid: NDArray[np.float64]  # replicas, mean
    actions: NDArray[np.float64]  # per hour
    unserved: NDArray[np.float64]  # share of demand


class Ledger:
    """The records of some experts."""

    def __init__(self, experts: int, step: timedelta) -> None:
        """Begin without a record; `step` is the time between two steps."""
        self._step = step
        self._steps_of_block = max(1, _BLOCK // step)
        self._keep = (math.exp(-_BLOCK / _LONG), math.exp(-_BLOCK / _SHORT))
        # short, paid, actions, unserved of the running block; a policy's records take half the room in single precision
        self._block = np.zeros((4, experts), np.float32)
        self._long, self._lately = np.zeros((4, experts), np.float32), np.zeros(experts, np.float32)
        self._demand = np.zeros(2)  # of the running block, and decayed; replicas
        self._weights = np.zeros(3)  # steps of the running block, long, short

    def add(
        self,
        demand: NDArray[np.float64],
        missing: NDArray[np.float64],
        existing: NDArray[np.int16],
        acted: NDArray[np.bool_],
    ) -> None:
        """Add steps.

        Args:
            demand: replicas, shape (steps,).
            missing: replicas that were not ready when it arose, shape (steps, experts).
            existing: replicas that were paid for, shape (steps, experts).
            acted: whether they were changed, shape (steps, experts).
        """
        begin = 0
        while begin < len(demand):
            end = begin + max(1, self._steps_of_block - int(self._weights[0]))
            rows = slice(begin, end)
            # sums that are rounded are taken one by one, so that they are the same in whatever parts steps come
            short, paid, actions, unserved = self._block
            short += np.count_nonzero(missing[rows] > 0.0, axis=0)
            paid += existing[rows].sum(axis=0, dtype=np.int64)
            actions += np.count_nonzero(acted[rows], axis=0)
            for more in missing[rows].astype(np.float32):
                unserved += more
            for need in demand[rows].tolist():
                self._demand[0] += need
            self._weights[0] += len(demand[rows])
            if self._weights[0] >= self._steps_of_block:
                self._end_block()
            begin = end

    def discount(self, age: timedelta) -> None:
        """Let what was recorded so far count for an age at most."""
        share = min(1.0, age / self._step / max(self._weights[1], 1.0))
        self._long *= share
        self._demand[1] *= share
        self._weights[1] *= share

    def records(self) -> Records:
        """Return what the experts did up to the last whole block."""
        weight, lately = max(self._weights[1], 1.0), max(self._weights[2], 1.0)
        hours = weight * self._step / timedelta(hours=1)
        short, paid, actions, unserved = self._long.astype(np.float64)
        return Records(
            age=float(self._weights[1]) * self._step,
            short=short / weight,
            short_lately=self._lately.astype(np.float64) / lately,
            paid=paid / weight,
            actions=actions / hours,
            unserved=unserved / max(self._demand[1], 1e-300),
        )

    def kept(self) -> dict[str, NDArray[np.float64] | NDArray[np.float32]]:
        """Return the arrays that are the records, by the names that they are stored under."""
        sums = {"block": self._block, "long": self._long, "lately": self._lately}
        return {**sums, "demand": self._demand, "weights": self._weights}

    def _end_block(self) -> None:
        long, lately = self._keep
        self._long = self._long * long + self._block
        self._lately = self._lately * lately + self._block[0]
        self._demand[1] = self._demand[1] * long + self._demand[0]
        self._weights[1:] = self._weights[1:] * (long, lately) + self._weights[0]
        self._block[:] = 0.0
        self._demand[0] = self._weights[0] = 0.0
