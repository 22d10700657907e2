"""Pods and their HPA, simulated for many contenders side by side: what an answer does, before it is given.

What a metric proposes is worked out in `proposals`; what is done about it mirrors
`normalizeDesiredReplicasWithBehaviors` of kubernetes pkg/controller/podautoscaler/horizontal.go. New pods exist at once
and serve after their start-up; removed ones go at once, the newest of those that are starting first.
"""

from __future__ import annotations

import struct
from datetime import timedelta

import numpy as np
from numpy.typing import NDArray

from scalers.hpa_rules import MOST_REPLICAS, HpaRules
from scalers.proposals import A_HAIR, Proposals, as_pods
from scalers.recent_maximum import RecentMaximum

_HEADER = struct.Struct("<4s5I")
_MAGIC = b"FTP1"
_STORED = np.dtype("<i2")


class UnreadablePool(ValueError):
    """Stored bytes are damaged, or are those of another pool."""


class SimulatedPool:
    """The pods of each contender. One step is one sync of the HPA.

    Every decision steps it, so nothing here loops over contenders, and with the HPA's default behavior all but the
    dropping of starting pods writes to what was allocated at the start.

    Attributes:
        existing: pods that are there, starting ones among them, after the last step; shape (contenders,).
        ready: those of them that serve.
    """

    def __init__(
        self, contenders: int, *, first: int | NDArray[np.int16], rules: HpaRules, start_up: timedelta, step: timedelta
    ) -> None:
        """Make a pool.

        Args:
            contenders: how many.
            first: ready pods of each, or of all, to begin with.
            rules: the HPA's, the same for all.
            start_up: created to Ready; counts in whole steps.
            step: time between two syncs.

        Raises:
            ValueError: `first` is below 1.
        """
        self._rules = rules
        self.existing = np.empty(contenders, np.int16)
        self.existing[:] = first
        if self.existing.min(initial=1) < 1:
            raise ValueError(f"a simulated pool begins with at least 1 pod, got {self.existing.min()}")
        self.ready = self.existing.copy()
        # pods that are starting, by the step of a round of `start_up` in which they become ready
        self._starting = np.zeros((start_up // step, contenders), np.int16)
        self._slot = 0
        self._newest_first = np.tile(np.arange(len(self._starting))[::-1], 2)
        self._recent = RecentMaximum(contenders, max(1, rules.stabilization // step))
        # a rise is recommended for as long as the window remembers it: until then nothing is scaled in
        self._may_drop_starting = len(self._starting) > len(self._recent.ring)
        bounds = (0, rules.minimum, min(rules.up_pods, MOST_REPLICAS))  # a number costs numpy twice what an array does
        self._none, self._least, self._up_pods = (np.array(bound, np.int16) for bound in bounds)
        self._wanted, self._change, self._limit = (np.empty(contenders, np.int16) for _ in range(3))
        self._is_one, self._is_other = np.empty(contenders, np.bool_), np.empty(contenders, np.bool_)

    def step(self, values: NDArray[np.float64]) -> None:
        """Let a step of time pass, then let each HPA act on its metric.

        Args:
            values: replicas that each contender answers, not below 0; NaN is a failed read, which holds the replicas
                and is not remembered; shape (contenders,).
        """
        self.advance()
        self.sync(values)

    def advance(self) -> None:
        """Let the pods that are due become ready, the first half of a step."""
        if len(self._starting):
            due = self._starting[self._slot]
            np.add(self.ready, due, out=self.ready)
            due.fill(0)

    def sync(self, values: NDArray[np.float64]) -> None:
        """Let each HPA act on its metric, the second half of a step."""
        proposals = Proposals.of(values, self._rules)
        self.act(self.wanted(proposals), proposals.failed)

    def wanted(self, proposals: Proposals) -> NDArray[np.int16]:
        """Return the replicas that each HPA wants of what its metric proposes; the array is the pool's own."""
        wanted, existing, is_inside = self._wanted, self.existing, self._is_one
        np.greater_equal(existing, proposals.least, out=is_inside)
        np.less_equal(existing, proposals.most, out=self._is_other)
        np.logical_and(is_inside, self._is_other, out=is_inside)
        wanted[:] = proposals.replicas
        np.putmask(wanted, is_inside, existing)
        return np.maximum(wanted, self._least, out=wanted)

    def act(self, wanted: NDArray[np.int16], failed: NDArray[np.bool_] | None = None) -> None:
        """Let each HPA go as far as its behavior allows.

        Args:
            wanted: replicas, shape (contenders,); overwritten where the read failed.
            failed: whose read failed; None where nobody's did.
        """
        self._apply(self._allowed(wanted, failed))

    def encode(self) -> bytes:
        """Return the state as bytes, for the store."""
        recent = self._recent
        sizes = (len(self.existing), len(self._starting), len(recent.ring), self._slot, recent.place)
        arrays = (self.existing, self.ready, self._starting, recent.ring)
        return _HEADER.pack(_MAGIC, *sizes) + b"".join(array.astype(_STORED).tobytes() for array in arrays)

    def restore(self, body: bytes) -> None:
        """Take up the state of a pool of the same contenders, start-up and stabilization.

        Raises:
            UnreadablePool: the bytes are damaged or another pool's; nothing was taken up.
        """
        sizes = (len(self.existing), len(self._starting), len(self._recent.ring))
        rows = 2 + sizes[1] + sizes[2]
        if len(body) != _HEADER.size + _STORED.itemsize * rows * sizes[0]:
            raise UnreadablePool(f"stored pool has {len(body)} bytes, not those of {sizes}: simulate anew")
        magic, *found, slot, place = _HEADER.unpack_from(body)
        if magic != _MAGIC or tuple(found) != sizes or slot >= max(1, sizes[1]) or place >= sizes[2]:
            raise UnreadablePool(f"stored pool is one of {found} at {slot}, {place}, not of {sizes}: simulate anew")
        table = np.frombuffer(body, _STORED, offset=_HEADER.size).reshape(rows, sizes[0])
        self.existing[:], self.ready[:] = table[0], table[1]
        self._starting[:] = table[2 : 2 + sizes[1]]
        self._slot = slot
        self._recent.restore(table[2 + sizes[1] :], place)

    def _allowed(self, wanted: NDArray[np.int16], failed: NDArray[np.bool_] | None) -> NDArray[np.int16]:
        """Return the change of replicas that the behavior allows; shape (contenders,)."""
        change = self._change
        if failed is not None:
            wanted[failed] = 0
        self._recent.push(wanted, out=change)
        # a scale-in stops at the largest recent recommendation, which is never below what is wanted now
        np.minimum(change, self.existing, out=change)
        np.maximum(change, wanted, out=change)
        if failed is not None:
            change[failed] = self.existing[failed]
        np.subtract(change, self.existing, out=change)
        np.minimum(change, self._most_up(), out=change)
        if self._rules.down_percent < 100:
            most = self._most(self._rules.down_percent, self._rules.down_pods)
            np.maximum(change, np.negative(most, out=most), out=change)
        return change

    def _most_up(self) -> NDArray[np.int16]:
        """Return by how many replicas a sync may scale each contender out."""
        if self._rules.up_percent == 100:
            return np.maximum(self.existing, self._up_pods, out=self._limit)
        return self._most(self._rules.up_percent, self._rules.up_pods)

    def _most(self, percent: float, pods: int) -> NDArray[np.int16]:
        """Return a share of each contender's replicas, or so many pods where that is more."""
        return as_pods(np.clip(np.ceil(self.existing * (percent / 100) - A_HAIR), pods, self._rules.maximum))

    def _apply(self, change: NDArray[np.int16]) -> None:
        """Start and remove pods."""
        gone = np.minimum(change, self._none, out=self._limit)
        if self._may_drop_starting:
            self._spare_ready(gone)
        np.add(self.existing, change, out=self.existing)
        if not len(self._starting):
            self.ready[:] = self.existing
            return
        np.maximum(change, self._none, out=self._starting[self._slot])
        np.add(self.ready, gone, out=self.ready)
        self._slot = (self._slot + 1) % len(self._starting)

    def _spare_ready(self, gone: NDArray[np.int16]) -> None:
        """Take what can be taken of scale-ins from pods that are starting; the rest stays in `gone`."""
        np.less(gone, 0, out=self._is_one)
        np.greater(self.existing, self.ready, out=self._is_other)
        np.logical_and(self._is_one, self._is_other, out=self._is_one)
        if not self._is_one.any():
            return
        who = np.flatnonzero(self._is_one)
        count = len(self._starting)
        order = self._newest_first[count - 1 - self._slot : 2 * count - 1 - self._slot]
        places = np.ix_(order, who)
        so_far = np.cumsum(self._starting[places], axis=0, dtype=np.int16)
        left = np.maximum(so_far + gone[who], 0)
        gone[who] = np.minimum(so_far[-1] + gone[who], 0)
        left[1:] -= left[:-1].copy()
        self._starting[places] = left
