"""Throughput that saturates: a replica that works on more requests at once gets slower at each, and at last at all.

The Universal Scalability Law (Gunther, Guerrilla Capacity Planning, Springer 2007, chapters 4 to 6):

    X(n) = gamma n / (1 + alpha (n - 1) + beta n (n - 1))

n requests at once, gamma the throughput of one alone, alpha what they queue for, beta what they wait on each other for.
A server that batches language models gains much up to the batch that fills the accelerator; then alpha bounds it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_ROUNDS = 50
_HALVINGS = 20
_SETTLED = 1e-10  # relative change of the coefficients


@dataclass(frozen=True, slots=True)
class Measured:
    """One point of a load test: what a replica finished while so many requests were in it all the time."""

    concurrency: float  # at least 1
    rate: float  # requests per second, above 0


@dataclass(frozen=True, slots=True)
class Saturation:
    """How the throughput of one replica grows with its concurrency."""

    gamma: float  # requests per second of one request at a time, above 0
    alpha: float  # contention, at least 0
    beta: float  # coherency, at least 0

    def rate(self, concurrency: float) -> float:
        """Return the throughput in requests per second."""
        crowding = 1.0 + self.alpha * (concurrency - 1.0) + self.beta * concurrency * (concurrency - 1.0)
        return self.gamma * concurrency / crowding

    def seconds(self, concurrency: float) -> float:
        """Return the mean time of one request: concurrency over throughput (Little, Operations Research 9 (1961))."""
        return concurrency / self.rate(concurrency)

    @property
    def busiest(self) -> float:
        """The concurrency of the largest throughput, at least 1 and infinite where more always help."""
        if self.alpha >= 1.0:
            return 1.0
        return max(1.0, math.sqrt((1.0 - self.alpha) / self.beta)) if self.beta > 0.0 else math.inf

    def most_within(self, seconds: float) -> float:
        """Return the highest concurrency whose mean time is at most so many seconds; 0 where one alone takes longer.

        The time is quadratic in the concurrency: beta n^2 + (alpha - beta) n + 1 - alpha = gamma seconds.
        """
        if self.seconds(1.0) > seconds:
            return 0.0
        room = max(0.0, self.gamma * seconds - 1.0) + self.alpha
        linear = self.alpha - self.beta
        if linear < 0.0:
            half = -linear / self.beta / 2.0
            return half + math.sqrt(half**2 + room / self.beta)
        rising = linear + math.sqrt(linear**2 + 4.0 * self.beta * room)  # the form that loses no digits here
        return 2.0 * room / rising if rising > 0.0 else math.inf

    def capacity(self, *, seconds: float | None, seen: float) -> float:
        """Return the most requests per second within a mean time, with no more at once than was measured.

        Args:
            seconds: the longest mean time of a request; None leaves it free.
            seen: the highest concurrency that was measured: the curve proves nothing beyond it.

        Returns:
            0 where one request alone takes longer.
        """
        bound = math.inf if seconds is None else self.most_within(seconds)
        concurrency = min(bound, self.busiest, seen)
        return self.rate(concurrency) if concurrency > 0.0 else 0.0


def capacity_of_measured(points: Sequence[Measured], *, within: float) -> float:
    """Return the most requests per second at which a request takes at most `within` seconds in the mean.

    It is read from the law fitted to the points, and where that denies what a point showed, from the best such point.

    Raises:
        ValueError: there are too few points, or none of them was fast enough.
    """
    shown = [point.rate for point in points if point.concurrency / point.rate <= within * (1 + 1e-9)]
    if not shown:
        raise ValueError(f"no point takes at most {within:g} s")
    law = fit_saturation(points)
    return law.capacity(seconds=within, seen=max(point.concurrency for point in points)) or max(shown)


def fit_saturation(points: Sequence[Measured]) -> Saturation:
    """Return the law of least squared error in throughput, by Gauss-Newton steps, no coefficient below 0.

    Args:
        points: at least three, of different concurrency.

    Raises:
        ValueError: there are too few, or one has a concurrency below 1 or a rate not above 0.
    """
    n = np.array([point.concurrency for point in points], dtype=np.float64)
    rate = np.array([point.rate for point in points], dtype=np.float64)
    if len(set(n.tolist())) < 3:
        raise ValueError(f"needs at least 3 points of different concurrency, got {len(set(n.tolist()))}")
    if not (np.isfinite([n, rate]).all() and (n >= 1.0).all() and (rate > 0.0).all()):
        raise ValueError("every point must have a finite concurrency of at least 1 and a finite rate above 0")
    # time per request at n is linear in (1, alpha, beta) / gamma; its error counts as much as the throughput's
    design = np.column_stack([np.ones_like(n), n - 1.0, n * (n - 1.0)])
    found = _nonnegative(design, n / rate, rate**2 / n)
    for _ in range(_ROUNDS):
        time = design @ found
        wanted = _nonnegative(design, time + time**2 / n * (n / time - rate), n / time**2)
        step = _shortened(found, wanted, lambda tried: float(np.square(n / (design @ tried) - rate).sum()))
        settled = np.allclose(step, found, rtol=_SETTLED, atol=0.0)
        found = step
        if settled:
            break
    return Saturation(gamma=float(1.0 / found[0]), alpha=float(found[1] / found[0]), beta=float(found[2] / found[0]))


def _shortened(
    start: NDArray[np.float64], wanted: NDArray[np.float64], error: Callable[[NDArray[np.float64]], float]
) -> NDArray[np.float64]:
    """Return the longest step of 1, 1/2, 1/4 … of the way that lowers the error, or none.

    A whole one may overshoot, even to a first request that takes no time or less.
    """
    least = error(start)
    for halvings in range(_HALVINGS):
        tried = start + (wanted - start) / 2.0**halvings
        if tried[0] > 0.0 and error(tried) < least:
            return tried
    return start


def _nonnegative(
    design: NDArray[np.float64], target: NDArray[np.float64], weights: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return weighted least squares with no coefficient below 0: with two that may be 0, each way is tried."""
    best, least = np.array([float(np.average(target, weights=weights**2)), 0.0, 0.0]), math.inf
    for kept in ([0, 1, 2], [0, 1], [0, 2], [0]):
        solved = np.linalg.lstsq(design[:, kept] * weights[:, np.newaxis], target * weights, rcond=None)[0]
        error = float(np.square((design[:, kept] @ solved - target) * weights).sum())
        if (solved[1:] >= 0.0).all() and solved[0] > 0.0 and error < least:
            best, least = np.zeros(3), error
            best[kept] = solved
    return best
