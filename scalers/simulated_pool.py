"""Pods and their HPA, simulated for many contenders side by side: what an answer does, before it is given.

Mirrors kubernetes pkg/controller/podautoscaler: `GetExternalPerPodMetricReplicas` of replica_calculator.go for what is
wanted, `normalizeDesiredReplicasWithBehaviors` of horizontal.go for what is done about it. New pods exist at once and
serve after their start-up; removed ones go at once, the newest of those that are starting first.
"""

from __future__ import annotations

import struct
from datetime import timedelta

import numpy as np
from numpy.typing import NDArray

from scalers.hpa_rules import HpaRules
from scalers.recent_maximum import RecentMaximum

_HAIR = 1e-9  # a quotient a rounding error above a whole number asks for no replica more, and is inside a tolerance
_HEADER = struct.Struct("<4s5I")
_MAGIC = b"FTP1"
_STORED = np.dtype("<i2")


class UnreadablePool(ValueError):
    """Stored bytes are damaged, or are those of another pool."""


class SimulatedPool:
    """The pods of each contender. One step is one sync of the HPA.

    Every decision steps it, so nothing here loops over contenders, and all but the dropping of starting pods writes to
    what was allocated at the start.

    Attributes:
        existing: pods that are there, starting ones among them, after the last step; shape (contenders,).
        ready: those of them that serve.
        acted: whether the last step changed `existing`.
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
        self.acted = np.zeros(contenders, np.bool_)
        # pods that are starting, by the step of a round of `start_up` in which they become ready
        self._starting = np.zeros((start_up // step, contenders), np.int16)
        self._slot = 0
        self._newest_first = np.tile(np.arange(len(self._starting))[::-1], 2)
        self._recent = RecentMaximum(contenders, max(1, rules.stabilization // step))
        # a rise is recommended for as long as the window remembers it: until then nothing is scaled in
        self._may_drop_starting = len(self._starting) > len(self._recent.ring)
        self._value, self._ratio = np.empty(contenders), np.empty(contenders)
        self._wanted, self._change, self._limit = (np.empty(contenders, np.int16) for _ in range(3))
        self._is_inside, self._is_low = np.empty(contenders, np.bool_), np.empty(contenders, np.bool_)
        self._ratio_bounds = (1 - rules.tolerance_down - _HAIR, 1 + rules.tolerance_up + _HAIR)

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
            due[:] = 0

    def sync(self, values: NDArray[np.float64]) -> None:
        """Let each HPA act on its metric, the second half of a step."""
        # far above the bound is past any tolerance; bounded, the product below cannot overflow
        value = np.minimum(values, 2.0 * self._rules.maximum, out=self._value)
        holds = np.isnan(value) if np.isnan(value @ value) else None
        wanted = self._want(holds)
        change = self._stabilize(wanted, holds)
        self._apply(change)

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

    def _want(self, holds: NDArray[np.bool_] | None) -> NDArray[np.int16]:
        """Return what each metric asks for, before the behavior; shape (contenders,)."""
        rules, value, ratio, wanted = self._rules, self._value, self._ratio, self._wanted
        if holds is not None:
            value[holds] = self.existing[holds]
        if rules.is_rounded:
            np.multiply(value, 1000.0, out=value)
            np.rint(value, out=value)
            np.divide(value, 1000.0, out=value)
        np.divide(value, self.existing, out=ratio)
        low, high = self._ratio_bounds
        np.less_equal(ratio, high, out=self._is_inside)
        np.greater_equal(ratio, low, out=self._is_low)
        np.logical_and(self._is_inside, self._is_low, out=self._is_inside)
        np.subtract(value, _HAIR, out=value)
        np.ceil(value, out=value)
        np.minimum(value, rules.maximum, out=value)
        np.copyto(wanted, value, casting="unsafe")
        np.copyto(wanted, self.existing, where=self._is_inside)
        np.maximum(wanted, rules.minimum, out=wanted)
        return wanted

    def _stabilize(self, wanted: NDArray[np.int16], holds: NDArray[np.bool_] | None) -> NDArray[np.int16]:
        """Return the change of replicas that the behavior allows; shape (contenders,)."""
        change, limit = self._change, self._limit
        if holds is not None:
            wanted[holds] = 0
        self._recent.push(wanted, out=change)
        # a scale-in stops at the largest recent recommendation, which is never below what is wanted now
        np.minimum(change, self.existing, out=change)
        np.maximum(change, wanted, out=change)
        if holds is not None:
            change[holds] = self.existing[holds]
        np.subtract(change, self.existing, out=change)
        rules = self._rules
        np.minimum(change, self._most(rules.up_percent, rules.up_pods, out=limit), out=change)
        if rules.down_percent < 100:
            most = self._most(rules.down_percent, rules.down_pods, out=limit)
            np.maximum(change, np.negative(most, out=most), out=change)
        return change

    def _most(self, percent: float, pods: int, *, out: NDArray[np.int16]) -> NDArray[np.int16]:
        """Return by how many replicas a sync may change each contender."""
        if percent == 100:
            return np.maximum(self.existing, pods, out=out)
        np.multiply(self.existing, percent / 100, out=self._ratio)
        np.subtract(self._ratio, _HAIR, out=self._ratio)
        np.ceil(self._ratio, out=self._ratio)
        np.clip(self._ratio, pods, self._rules.maximum, out=self._ratio)
        np.copyto(out, self._ratio, casting="unsafe")
        return out

    def _apply(self, change: NDArray[np.int16]) -> None:
        """Start and remove pods."""
        np.not_equal(change, 0, out=self.acted)
        gone = np.minimum(change, 0, out=self._limit)
        if self._may_drop_starting:
            self._spare_ready(gone)
        np.add(self.existing, change, out=self.existing)
        if not len(self._starting):
            self.ready[:] = self.existing
            return
        np.maximum(change, 0, out=self._starting[self._slot])
        np.add(self.ready, gone, out=self.ready)
        self._slot = (self._slot + 1) % len(self._starting)

    def _spare_ready(self, gone: NDArray[np.int16]) -> None:
        """Take what can be taken of scale-ins from pods that are starting; the rest stays in `gone`."""
        np.less(gone, 0, out=self._is_inside)
        np.greater(self.existing, self.ready, out=self._is_low)
        np.logical_and(self._is_inside, self._is_low, out=self._is_inside)
        if not self._is_inside.any():
            return
        who = np.flatnonzero(self._is_inside)
        count = len(self._starting)
        order = self._newest_first[count - 1 - self._slot : 2 * count - 1 - self._slot]
        places = np.ix_(order, who)
        so_far = np.cumsum(self._starting[places], axis=0, dtype=np.int16)
        left = np.maximum(so_far + gone[who], 0)
        gone[who] = np.minimum(so_far[-1] + gone[who], 0)
        left[1:] -= left[:-1].copy()
        self._starting[places] = left
