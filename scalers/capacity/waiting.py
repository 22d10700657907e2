"""Waiting in a service that works on a fixed number of requests at once: Erlang's formula, and what departs from it.

A server here is one of the slots of a replica: it works on one request at a time, and who finds none free waits.
"""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Service:
    """What one request takes."""

    seconds: float  # mean time in a slot, above 0
    variation: float = 1.0  # standard deviation of that time over its mean; 0 where all take the same, 1 if exponential

    def __post_init__(self) -> None:
        if not (self.seconds > 0.0 and math.isfinite(self.seconds)):
            raise ValueError(f"seconds of a service must be above 0 and finite, got {self.seconds}")
        if not (self.variation >= 0.0 and math.isfinite(self.variation)):
            raise ValueError(f"variation of a service must be at least 0 and finite, got {self.variation}")


@dataclass(frozen=True, slots=True)
class WaitObjective:
    """A share of the requests that may wait no longer than a time."""

    seconds: float  # 0 asks that they do not wait at all
    share: float  # in (0, 1)

    def __post_init__(self) -> None:
        if not self.seconds >= 0.0:
            raise ValueError(f"seconds of a wait objective must be at least 0, got {self.seconds}")
        if not 0.0 < self.share < 1.0:
            raise ValueError(f"share of a wait objective must be in (0, 1), got {self.share}")


def erlang_b(servers: int, load: float) -> float:
    """Return the share of requests that find all servers busy and leave: the stepping stone to `erlang_c`.

    B(0) = 1, B(c) = a B(c - 1) / (c + a B(c - 1)): stable where factorials overflow (Cooper, Introduction to Queueing
    Theory, 2nd ed., chapter 3).

    Args:
        servers: c, at least 0.
        load: a, the arrival rate times the mean time of service (erlangs), at least 0.
    """
    blocked = 1.0
    for busy in range(1, servers + 1):
        blocked = load * blocked / (busy + load * blocked)
    return blocked


def erlang_c(servers: int, load: float) -> float:
    """Return the probability that a request waits in M/M/c; 1 where the load is at or above the servers.

    Erlang (1917). C = B / (1 - (a / c)(1 - B)), Cooper, Introduction to Queueing Theory, 2nd ed., chapter 3.

    Args:
        servers: c, at least 1.
        load: a, in erlangs, at least 0.
    """
    if load >= servers:
        return 1.0
    blocked = erlang_b(servers, load)
    return blocked / (1.0 - load / servers * (1.0 - blocked))


def mean_wait(servers: int, rate: float, service: Service) -> float:
    """Return the mean wait in seconds, infinite where the rate is at or above what the servers can do.

    M/M/c, times (1 + variation^2) / 2 for other services (Lee & Longton 1959): exact for one server, where it is the
    formula of Pollaczek and Khinchine, and for exponential times; else within a few percent in heavy traffic, which is
    when it counts (Whitt, Approximations for the GI/G/m queue, Production and Operations Management 2 (1993)).

    Args:
        servers: at least 1.
        rate: requests per second, at least 0.
        service: what one request takes.
    """
    load = rate * service.seconds
    if load >= servers:
        return math.inf
    exponential = erlang_c(servers, load) * service.seconds / (servers - load)
    return exponential * (1.0 + service.variation**2) / 2.0


def share_waiting_longer(seconds: float, servers: int, rate: float, service: Service) -> float:
    """Return the share of requests that wait longer than a time.

    Who waits, waits for an exponential time whose mean fits `mean_wait`: exact for M/M/c, and the approximation of
    Whitt (1993) for others.

    Args:
        seconds: at least 0.
        servers: at least 1.
        rate: requests per second, at least 0.
        service: what one request takes.
    """
    waiting = erlang_c(servers, rate * service.seconds)
    mean = mean_wait(servers, rate, service)
    if seconds == 0.0 or waiting in {0.0, 1.0}:
        return waiting
    if mean == 0.0:
        return 0.0
    return waiting * math.exp(-seconds * waiting / mean)


def keeps(objective: WaitObjective, servers: int, rate: float, service: Service) -> bool:
    """Return whether enough requests wait shortly enough."""
    return share_waiting_longer(objective.seconds, servers, rate, service) <= 1.0 - objective.share


def highest_rate(objective: WaitObjective, slots: int, service: Service) -> float:
    """Return the most requests per second at which a replica with a queue of its own keeps the objective.

    The share that waits rises with the rate, so it is found by halving, to a millionth. It is above 0: at some rate
    hardly any request meets another.
    """
    low, high = 0.0, slots / service.seconds
    while high - low > 1e-6 * high:
        middle = (low + high) / 2.0
        if keeps(objective, slots, middle, service):
            low = middle
        else:
            high = middle
    return low


def replicas_for(rate: float, objective: WaitObjective, slots: int, service: Service) -> int:
    """Return the fewest replicas that keep the objective where all of them draw from one queue.

    One queue wastes no slot while a request waits, so this is never more than one queue per replica takes, and the
    gain is largest for few slots: the load grows with the rate, the spare slots with its square root (Halfin & Whitt,
    Heavy-traffic limits for queues with many exponential servers, Operations Research 29 (1981)).

    Args:
        rate: the demand peak, requests per second, at least 0.
        objective: what must hold at the peak.
        slots: requests that one replica works on at once, at least 1.
        service: what one request takes.
    """
    if rate == 0.0:
        return 0
    few = max(1, math.ceil(rate * service.seconds / slots))
    enough = few
    while not keeps(objective, enough * slots, rate, service):
        enough *= 2
    while enough - few > 1:  # `enough` keeps it; below `few` the load is more than the slots
        middle = (few + enough) // 2
        if keeps(objective, middle * slots, rate, service):
            enough = middle
        else:
            few = middle
    return few if keeps(objective, few * slots, rate, service) else enough
