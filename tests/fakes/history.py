"""A slow, plain model of `History` to compare the real one with, and stores that fail on demand."""

from __future__ import annotations

import math
from dataclasses import dataclass, field


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
