"""Which experts answer: the cheapest of those that keep the risk, an unserved share counted as a price."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scalers.contest import Records

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
# The one that is named stays until another is this much better.
_HYSTERESIS = 0.01


@dataclass(frozen=True, slots=True, eq=False)
class Choice:
    """Experts that answer, by their places."""

    lead: int  # the one that is named
    together: NDArray[np.int64]  # those whose mean need is the answer, shape (n,), the lead not always among them
    keeps_risk: bool  # False where none does: then it is the least short
    cost: float  # of the lead, replicas, actions and unserved demand priced in
    reactive_paid: float | None  # mean replicas of the cheapest reactive expert that keeps the risk; None if none does


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
    keeps = (records.short <= _SHARE_OF_RISK * risk) & (records.short_lately <= _MOST_LATELY * risk)
    restless = np.maximum(records.actions - _FEW_ACTIONS, 0.0)
    cost = records.paid * (1 + _PRICE_OF_ACTION * records.actions + _PRICE_OF_ONE_MORE * restless)
    cost *= (records.unserved + _LEAST_UNSERVED) ** _PRICE_OF_UNSERVED
    feasible = allowed & keeps
    if not feasible.any():
        lead = int(np.lexsort((cost, np.where(allowed, records.short, np.inf)))[0])
        return Choice(lead, np.array([lead]), False, float(cost[lead]), None)
    priced = np.where(feasible, cost, np.inf)
    lead = int(priced.argmin())
    together = np.flatnonzero(priced <= priced[lead] * (1 + _NEARLY))
    if before is not None and priced[before] <= priced[lead] * (1 + _HYSTERESIS):
        lead = before
    rivals = np.where(feasible & reactive, cost, np.inf)
    rival = int(rivals.argmin())
    paid = float(records.paid[rival]) if np.isfinite(rivals[rival]) else None
    return Choice(lead, together, True, float(cost[lead]), paid)
