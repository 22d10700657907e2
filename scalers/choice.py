"""Which experts answer: the cheapest of those that keep the risk, an unserved share counted as a price."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta

import numpy as np
from numpy.typing import NDArray

from scalers.ledger import Records

# What is planned to be short is a little less than what may be: the future is not the past.
_SHARE_OF_RISK = 0.9
# A week hides a bad day; of a day, this multiple of the risk is allowed.
_MOST_LATELY = 2.0
# A change of replicas is paid for as this share of the replicas, per hourly change: it interrupts and it wears. Where
# load leaps, hardly any expert is calm, and what is beyond a few an hour has to be dear for a calm one to be chosen.
_PRICE_OF_ACTION = 0.004
_FEW_ACTIONS = 5.0  # an hour
_PRICE_OF_ONE_MORE = 0.02
# Leaving e times less unserved is worth this share of the replicas. Without it a loose risk is used up for savings
# that are far smaller than what they leave unserved.
_PRICE_OF_UNSERVED = 0.03
_LEAST_UNSERVED = 1e-5  # share below which less is worth nothing
# All that cost nearly as little as the best answer together: one alone would change with every hour's noise.
_NEARLY = 0.03
# The least short of some hundred experts is a dear one, and in less than a day's record it is so by chance.
_YOUNG = timedelta(days=1)
# The one that is named stays until another is this much better.
_HYSTERESIS = 0.01
# Risks are counted in these steps, each down to the next: for any two, more risk never asks for more. The answer is the
# largest of what the choices at a risk and at all looser steps need. A choice alone would not keep that promise: a
# looser one may follow a forecast that is cheaper on the whole and asks for more before a rise.
_STEPS = tuple(mantissa * 10.0**exponent for exponent in range(-5, 0) for mantissa in (1, 1.5, 2, 3, 5, 7))
_A_HAIR = 1e-9  # by which a decimal number may miss its step


@dataclass(frozen=True, slots=True, eq=False)
class Choice:
    """Experts that answer, by their places."""

    lead: int  # the one that is named
    together: NDArray[np.int64]  # those that cost nearly as little, shape (n,), the lead not always among them
    keeps_risk: bool  # False where none does
    cost: float  # of the lead, replicas, actions and unserved demand priced in
    reactive_paid: float | None  # mean replicas of the cheapest reactive expert that keeps the risk; None if none does


@dataclass(frozen=True, slots=True, eq=False)
class Answering:
    """Whom to ask: those chosen at a risk, and those that would be chosen at each looser step."""

    places: NDArray[np.int64]  # of the experts, shape (n,)
    shares: NDArray[np.float64]  # of each of them in the mean need of each group, shape (groups, n)
    passes_tolerance: bool  # whether most of any group step past the HPA's tolerance

    @classmethod
    def of(
        cls,
        records: Records,
        choice: Choice,
        *,
        risk: float,
        allowed: NDArray[np.bool_],
        passing: NDArray[np.bool_],
    ) -> Answering:
        """Return whom to ask.

        Args:
            records: of the experts.
            choice: what was chosen by them.
            risk: that it was chosen at.
            allowed: experts that may answer, shape (experts,).
            passing: whether each steps past the tolerance, shape (experts,).
        """
        groups = {choice.together.tobytes(): choice.together}
        for together in _looser(records, counted_as(risk), allowed):
            groups.setdefault(together.tobytes(), together)
        return cls.of_groups(list(groups.values()), passing)

    @classmethod
    def of_groups(cls, groups: Sequence[NDArray[np.int64]], passing: NDArray[np.bool_]) -> Answering:
        """Return whom to ask, by the places of each group's experts."""
        places = np.unique(np.concatenate(groups))
        shares = np.array([np.isin(places, group) / len(group) for group in groups])
        return cls(places, shares, bool((shares @ passing[places]).max() > 0.5))

    def need(self, needs: NDArray[np.float64]) -> float:
        """Return the answer's need, replicas, of what each of the experts finds needed, shape (n,)."""
        return float((self.shares @ needs).max())


def choose(
    records: Records, *, risk: float, allowed: NDArray[np.bool_], reactive: NDArray[np.bool_], before: int | None
) -> Choice:
    """Return who answers from now on.

    Args:
        records: of the experts.
        risk: share of time demand may exceed ready capacity.
        allowed: experts that may answer, at least one, shape (experts,).
        reactive: experts that answer without a forecast, shape (experts,).
        before: the lead until now.
    """
    risk = counted_as(risk)
    cost = _cost(records)
    feasible = allowed & _keeps(records, risk)
    keeps_risk = bool(feasible.any())
    if keeps_risk:
        priced = np.where(feasible, cost, np.inf)
    elif records.age < _YOUNG:
        priced = np.where(allowed, cost * np.sqrt(records.short), np.inf)
    else:
        lead = int(np.lexsort((cost, np.where(allowed, records.short, np.inf)))[0])
        return Choice(lead, np.array([lead]), keeps_risk, float(cost[lead]), None)
    lead = int(priced.argmin())
    together = np.flatnonzero(priced <= priced[lead] * (1 + _NEARLY))
    if before is not None and priced[before] <= priced[lead] * (1 + _HYSTERESIS):
        lead = before
    rivals = np.where(feasible & reactive, cost, np.inf)
    rival = int(rivals.argmin())
    paid = float(records.paid[rival]) if np.isfinite(rivals[rival]) else None
    return Choice(lead, together, keeps_risk, float(cost[lead]), paid)


def counted_as(risk: float) -> float:
    """Return the step that a risk counts as: the largest that is not above it, 0 below the first."""
    return max((step for step in _STEPS if step <= risk * (1 + _A_HAIR)), default=0.0)


def _looser(records: Records, risk: float, allowed: NDArray[np.bool_]) -> Iterator[NDArray[np.int64]]:
    """Yield who would be chosen together at each step above a risk at which somebody keeps it."""
    cost = _cost(records)
    for step in _STEPS:
        feasible = allowed & _keeps(records, step)
        if step > risk and feasible.any():
            priced = np.where(feasible, cost, np.inf)
            yield np.flatnonzero(priced <= priced.min() * (1 + _NEARLY))


def _keeps(records: Records, risk: float) -> NDArray[np.bool_]:
    return (records.short <= _SHARE_OF_RISK * risk) & (records.short_lately <= _MOST_LATELY * risk)


def _cost(records: Records) -> NDArray[np.float64]:
    restless = np.maximum(records.actions - _FEW_ACTIONS, 0.0)
    cost = records.paid * (1 + _PRICE_OF_ACTION * records.actions + _PRICE_OF_ONE_MORE * restless)
    cost *= (records.unserved + _LEAST_UNSERVED) ** _PRICE_OF_UNSERVED
    return cost
