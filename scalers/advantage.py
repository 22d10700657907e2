"""What the expert that answers buys: replicas and shortage beside those of reactive scaling, in plain figures."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from scalers.choice import Choice, choose
from scalers.ledger import Records
from scalers.sentence import clock, number, span

_AS_MANY = 0.005  # of the replicas: a difference below it is none


@dataclass(frozen=True, slots=True)
class Account:
    """What an expert paid and left short lately, in simulation."""

    expert: str
    paid: float  # replicas, mean
    short: float  # share of time with demand above ready capacity


@dataclass(frozen=True, slots=True)
class Advantage:
    """The expert that answers, beside the cheapest reactive one that keeps the risk."""

    own: Account
    family: str
    is_reactive: bool  # whether it answers without a forecast
    keeps_risk: bool  # False where no expert does
    since: datetime  # when it was chosen
    lately: timedelta  # time that the figures stand for
    reactive: Account | None  # None where no reactive margin keeps the risk

    @property
    def saved(self) -> float | None:
        """Share of the reactive replicas that it does without, negative where it takes more; None without a rival."""
        if self.is_reactive or self.reactive is None or self.reactive.paid <= 0.0:
            return None
        return 1.0 - self.own.paid / self.reactive.paid


def rival(records: Records, *, risk: float, reactive: NDArray[np.bool_], names: tuple[str, ...]) -> Account | None:
    """Return the account of the cheapest reactive expert that keeps the risk; None where none does."""
    best: Choice = choose(records, risk=risk, allowed=reactive, reactive=reactive, before=None)
    return account(records, best.lead, names) if best.keeps_risk else None


def account(records: Records, place: int, names: tuple[str, ...]) -> Account:
    """Return the account of the expert at a place."""
    return Account(names[place], float(records.paid[place]), float(records.short[place]))


def in_words(advantage: Advantage, *, risk: float, now: datetime) -> str:
    """Return who answers, since when, and what it buys, as an operator reads it."""
    own = advantage.own
    who = f"{own.expert} answers since {clock(advantage.since, now=now)}"
    lately = (
        f"{who}; in the simulation of the last {span(_whole(advantage.lately))} it took {number(own.paid)} replicas"
    )
    short = f"short {share(own.short)} of the time"
    if not advantage.keeps_risk:
        return f"{lately} and was {short}; none keeps the risk of {share(risk)}"
    if advantage.is_reactive:
        return f"{lately} and was {short}, risk {share(risk)}; no forecast has cost less and kept the risk"
    if advantage.reactive is None:
        return f"{lately} and was {short}, risk {share(risk)}; no reactive margin keeps the risk"
    beside = f"where {advantage.reactive.expert} takes {number(advantage.reactive.paid)}{_difference(advantage)}"
    return f"{lately} {beside}; {short}, that one {share(advantage.reactive.short)}, risk {share(risk)}"


def share(ratio: float) -> str:
    """Return a share as people write it: `0.4 %`."""
    return f"{number(100 * ratio)} %"


def _difference(advantage: Advantage) -> str:
    saved = advantage.saved
    if saved is None or abs(saved) < _AS_MANY:
        return ", as many"
    return f" ({round(100 * abs(saved))} % {'fewer' if saved > 0 else 'more'})"


def _whole(duration: timedelta) -> timedelta:
    """Return the duration in whole hours: more digits say nothing."""
    return timedelta(hours=max(1, round(duration / timedelta(hours=1))))
