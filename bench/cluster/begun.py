"""How a start goes: from the leader's until every policy is answered, has its past, and is fitted."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import psutil
import requests

from bench.cluster.agents import MeasuredAgent
from bench.figures import Figure
from bench.lines import Cost

_LONGEST = 300.0  # seconds until all are answered
START_SECONDS = 600.0  # from the leader's, after which neither pasts nor fits are waited for
_LOOK_EVERY = 5.0  # seconds
_SCRAPE_EVERY = 15.0  # seconds, as a Prometheus would: a page of a thousand policies costs the leader CPU


@dataclass(frozen=True, slots=True)
class Begun:
    """What a start took, in seconds from the leader's; the cores are means of that time."""

    policies: int
    answered_seconds: float  # until every policy is answered
    followed_seconds: float  # until the follower answers every policy
    read_seconds: float | None  # until what decisions need of every policy's past is read; None where it never was
    read: int  # policies whose past is, at the end
    fitted: int  # policies, at the end
    unstored: int  # decisions that were answered although the store had not taken them within two seconds
    seconds: float  # all of it: until every policy is fitted, or no more is waited for
    leader_cores: float  # all its CPU but the fits'
    fits_cores: float
    follower_cores: float
    prometheus_cores: float
    busy: float  # cores of the machine
    load: float  # average of the machine at the end

    def figures(self) -> list[Figure]:
        """Return the rows of `make bench`."""
        end = "all are fitted" if self.fitted == self.policies else "no more was waited for"
        return [
            Figure("start of the leader until all are answered", self.answered_seconds, "s"),
            Figure("until the follower answers all", self.followed_seconds, "s"),
            Figure("until the past of all is read", self.read_seconds, "s"),
            Figure(f"until {end}", self.seconds, "s"),
            Figure("whose past was read by then", self.read, "policies"),
            *self._reckoned("whose past was read", self.read),
            Figure("fitted by then", self.fitted, "policies"),
            *self._reckoned("fitted", self.fitted),
            Figure("decisions that the store had not within 2 s", self.unstored, ""),
            Figure("CPU of a policy's fits", self.fits_cores * self.seconds / max(self.fitted, 1), "s"),
            Figure("leader until then, all its CPU but the fits'", self.leader_cores, "cores"),
            Figure("its fit process until then", self.fits_cores, "cores"),
            Figure("follower until then", self.follower_cores, "cores"),
            Figure("Prometheus until then", self.prometheus_cores, "cores"),
            Figure("busy cores of the machine until then", self.busy, "cores"),
            Figure("load average of the machine then", self.load, ""),
        ]

    def _reckoned(self, what: str, count: int) -> list[Figure]:
        """Return when all would be, at the pace of those that are."""
        if count == self.policies:
            return []
        seconds = self.seconds * self.policies / count if count else None
        return [Figure(f"all of them at the pace of those {what}, reckoned", seconds, "s")]


def begun(leader: MeasuredAgent, follower: MeasuredAgent, prometheus: Cost, *, policies: int, since: float) -> Begun:
    """Wait until all is done, and return what it took.

    Args:
        leader: has been started, and decides.
        follower: has been started.
        prometheus: what the server uses.
        policies: how many there are.
        since: the leader's start, seconds on this machine's own watch.
    """
    costs = (leader.cost, follower.cost, prometheus)
    spent, children, began = [cost.cpu_seconds() for cost in costs], costs[0].children_cpu_seconds(), time.monotonic()
    psutil.cpu_percent()  # the next tells of the time since
    answered, followed = _all((leader.is_ready, lambda: _is_followed(leader, follower)), since)
    read_seconds, fitted, read = None, 0.0, 0
    while fitted < policies and time.monotonic() - since < START_SECONDS:
        time.sleep(_SCRAPE_EVERY)
        fitted, read = _fitted(leader), leader.logged("backfilled")
        if read >= policies and read_seconds is None:
            read_seconds = time.monotonic() - since
        _tell(f"{read} of {policies} have read their past, {fitted:g} are fitted")
    seconds = time.monotonic() - began
    cores = [(cost.cpu_seconds() - before) / seconds for cost, before in zip(costs, spent, strict=True)]
    return Begun(
        policies=policies,
        answered_seconds=answered,
        followed_seconds=followed,
        read_seconds=read_seconds,
        read=read,
        fitted=int(fitted),
        unstored=leader.logged("decision_not_stored"),
        seconds=time.monotonic() - since,
        leader_cores=cores[0],
        fits_cores=(costs[0].children_cpu_seconds() - children) / seconds,
        follower_cores=cores[1],
        prometheus_cores=cores[2],
        busy=psutil.cpu_percent() / 100 * (os.cpu_count() or 1),
        load=os.getloadavg()[1],
    )


def _all(claims: Sequence[Callable[[], bool]], since: float) -> list[float]:
    """Return after how many seconds each was seen to be so."""
    done: dict[int, float] = {}
    while len(done) < len(claims):
        if time.monotonic() - since > _LONGEST:
            raise RuntimeError(f"not within {_LONGEST:g} s: all are answered and followed; only {sorted(done)} are")
        for which, claim in enumerate(claims):
            if which not in done and _is_so(claim):
                done[which] = time.monotonic() - since
                _tell(f"{('answered', 'followed')[which]} after {done[which]:.0f} s")
        time.sleep(0.5 if 0 not in done else _LOOK_EVERY)
    return [done[which] for which in range(len(claims))]


def _is_followed(leader: MeasuredAgent, follower: MeasuredAgent) -> bool:
    """Whether the follower has all answers of the leader: one that decides for itself would answer, too."""
    return follower.is_ready() and leader.total("foretide_followers") == 1 and not follower.logged("deciding")


def _fitted(leader: MeasuredAgent) -> float:
    """Return how many policies are answered by their experts; others learn, or have not had a sample yet."""
    return leader.total("foretide_decision_basis", 'basis="forecast"', 'basis="reactive"')


def _is_so(claim: Callable[[], bool]) -> bool:
    try:
        return claim()
    except requests.RequestException:  # it is busy starting
        return False


def _tell(what: str) -> None:
    print(f"bench    {what}", file=sys.stderr, flush=True)
