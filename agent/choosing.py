"""Chooses among the experts of one signal, and tells how they and their families did."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from forecasters.peak_paths import REACTIVE
from scalers.advantage import Advantage, account, rival
from scalers.choice import Answering, Choice, choose
from scalers.contest import Contest

LEAST_RECORD = timedelta(hours=1)  # younger ones say nothing
# What a forecaster must have spoken in of its record: this share of it, and this at least.
_OWN_SHARE, _LEAST_OWN = 0.5, timedelta(hours=12)


@dataclass(frozen=True, slots=True)
class FamilyRecord:
    """How the best expert of a family did lately."""

    family: str
    expert: str
    cost_ratio: float | None  # its replicas over those of reactive scaling that keeps the risk; None if none does
    short: float  # share of time
    keeps_risk: bool


class Chooser:
    """Who answers for one signal.

    Attributes:
        choice: the newest; None before there is a record to choose by.
        answering: whom to ask.
        advantage: what the named expert buys.
    """

    def __init__(self, families: Mapping[str, str], *, risk: float, step: timedelta) -> None:
        """Begin without a choice.

        Args:
            families: of the paths that experts follow, by the path's name, in the contest's order.
            risk: share of time demand may exceed ready capacity.
            step: between two steps of the contest.
        """
        self.choice: Choice | None = None
        self.answering: Answering | None = None
        self.advantage: Advantage | None = None
        self._families, self._risk, self._step = families, risk, step
        self._before: tuple[str, datetime] | None = None  # the expert that answered in an earlier process, since when

    def choose(self, contest: Contest, at: datetime, *, spoken: NDArray[np.int64]) -> bool:
        """Choose by the records of a contest, and return whether there were any to choose by.

        Args:
            contest: the experts.
            at: the instant.
            spoken: for each of the last paths, those of forecasters, the steps in which it had something to say. In
                the others of its record it was reactive scaling, which is cheaper.
        """
        records = contest.records()
        if records.age < LEAST_RECORD:
            return False
        is_young = np.zeros(len(self._families), np.bool_)
        is_young[len(is_young) - len(spoken) :] = spoken < max(_LEAST_OWN, _OWN_SHARE * records.age) / self._step
        allowed = ~np.repeat(is_young, len(contest) // len(self._families))
        names = tuple(map(str, contest.experts))
        before, since = self._lead_before(names)
        reactive = self._of({REACTIVE}, contest)
        choice = choose(records, risk=self._risk, allowed=allowed, reactive=reactive, before=before)
        family = self._families[contest.experts[choice.lead].path]
        self.choice = choice
        self.answering = Answering.of(records, choice, risk=self._risk, allowed=allowed, passing=contest.passing)
        self.advantage = Advantage(
            own=account(records, choice.lead, names),
            family=family,
            is_reactive=family == REACTIVE,
            keeps_risk=choice.keeps_risk,
            since=at if since is None or before != choice.lead else since,
            lately=records.age,
            reactive=rival(records, risk=self._risk, reactive=reactive, names=names),
        )
        return True

    def records(self, contest: Contest) -> list[FamilyRecord]:
        """Return how each family's best expert did lately, the cheapest first; none before there is a record."""
        records = contest.records()
        if records.age < LEAST_RECORD:
            return []
        reactive = self._of({REACTIVE}, contest)
        everybody = choose(records, risk=self._risk, allowed=reactive, reactive=reactive, before=None)
        paid = everybody.reactive_paid
        rows = []
        for family in dict.fromkeys(self._families.values()):
            mask = self._of({family}, contest)
            best = choose(records, risk=self._risk, allowed=mask, reactive=reactive, before=None)
            ratio = None if paid is None else float(records.paid[best.lead]) / paid
            expert = str(contest.experts[best.lead])
            rows.append(FamilyRecord(family, expert, ratio, float(records.short[best.lead]), best.keeps_risk))
        return sorted(rows, key=lambda row: (not row.keeps_risk, row.cost_ratio or math.inf, row.family))

    def stored(self) -> bytes | None:
        """Return who answers, and since when; None where nobody does."""
        if self.advantage is None:
            return None
        return f"{self.advantage.since.isoformat()} {self.advantage.own.expert}".encode()

    def restore(self, stored: bytes) -> None:
        """Take up who answered in an earlier process: that expert goes on unless another is clearly better.

        Raises:
            ValueError: the bytes are damaged.
        """
        since, expert = stored.decode().split(" ", 1)
        self._before = expert, datetime.fromisoformat(since)

    def _lead_before(self, names: tuple[str, ...]) -> tuple[int | None, datetime | None]:
        """Return the place of the expert that answers until now, and since when; the one of an earlier process, too."""
        if self.choice is not None and self.advantage is not None:
            return self.choice.lead, self.advantage.since
        if self._before is None or self._before[0] not in names:
            return None, None
        return names.index(self._before[0]), self._before[1]

    def _of(self, families: frozenset[str] | set[str], contest: Contest) -> NDArray[np.bool_]:
        """Return which experts follow a path of some families, shape (experts,)."""
        is_of = [family in families for family in self._families.values()]
        return np.repeat(is_of, len(contest) // len(self._families))
