"""Start-ups of a scale target's pods, created to Ready: how long nine of ten take at most, and where the time goes.

What another image or another class of nodes took says nothing of the next pod: each begins a sample of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

KEPT = 50  # newest start-ups; of more, the oldest tell of a cluster that is no more
LEAST = 5  # below it nothing is said of nine in ten
_QUANTILE = 0.9
# Nodes of several classes may be in use at once; a class that none of the newest start-ups had is gone.
_NEWEST = 5


@dataclass(frozen=True, slots=True)
class StartUp:
    """One pod's way from created to Ready, in the parts that a pod's status tells; a second is its finest."""

    pod: str  # its uid
    created: datetime
    to_schedule: timedelta  # created to scheduled
    to_start: timedelta | None  # scheduled to network, volumes and init containers done; None where nobody says
    to_run: timedelta  # from then, or from scheduled, to the last container running: pull of the image and its start
    to_ready: timedelta  # running to Ready
    waited_for_node: bool  # no node had room for it at first
    image: str  # what was started
    node_class: str = ""  # such as an instance type; empty where it is not known

    @property
    def total(self) -> timedelta:
        """Created to Ready."""
        return self.to_schedule + (self.to_start or timedelta(0)) + self.to_run + self.to_ready


@dataclass(frozen=True, slots=True)
class Stages:
    """P90 of each part; None where no start-up tells it. Together they may be more than the P90 of the whole."""

    schedule: timedelta | None  # where a node was there
    node: timedelta | None  # the same where a node had to start
    start: timedelta | None
    pull: timedelta | None
    ready: timedelta | None


@dataclass(frozen=True, slots=True)
class Measured:
    """What the newest start-ups of one image come to."""

    p90: timedelta
    count: int
    with_node: timedelta | None  # P90 where a node was there
    without_node: timedelta | None  # P90 where a node had to start
    waited: int  # start-ups that waited for a node
    stages: Stages
    advice: str  # what would shorten it
    image: str
    node_classes: tuple[str, ...]

    @property
    def is_enough(self) -> bool:
        """Whether it may be decided by."""
        return self.count >= LEAST


def kept(start_ups: Sequence[StartUp]) -> tuple[StartUp, ...]:
    """Return the newest start-ups, oldest first, as many as are worth remembering."""
    return tuple(sorted(start_ups, key=lambda each: each.created)[-KEPT:])


def measure(start_ups: Sequence[StartUp]) -> Measured | None:
    """Return what the start-ups of the newest image, on the classes of nodes in use, come to; None without any.

    The P90 is over all of them: how often a node had to start counts as often as it came. With few it is the longest
    (Weibull's plotting position; Hyndman and Fan 1996, definition 6): too long costs replicas, too short requests.
    """
    ordered = kept(start_ups)
    if not ordered:
        return None
    image = ordered[-1].image
    same = [each for each in ordered if each.image == image]
    classes = {each.node_class for each in same[-_NEWEST:]}
    sample = [each for each in same if each.node_class in classes]
    waited = [each for each in sample if each.waited_for_node]
    return Measured(
        p90=_p90([each.total for each in sample]) or timedelta(0),
        count=len(sample),
        with_node=_p90([each.total for each in sample if not each.waited_for_node]),
        without_node=_p90([each.total for each in waited]),
        waited=len(waited),
        stages=_stages(sample),
        advice=_advice(sample),
        image=image,
        node_classes=tuple(sorted(classes - {""})),
    )


def _p90(durations: Sequence[timedelta]) -> timedelta | None:
    """Return the P90 in whole seconds, rounded up: no more is known of any of them."""
    if not durations:
        return None
    seconds = np.quantile([each.total_seconds() for each in durations], _QUANTILE, method="weibull")
    return timedelta(seconds=float(np.ceil(seconds - 1e-6)))


def _stages(sample: Sequence[StartUp]) -> Stages:
    return Stages(
        schedule=_p90([each.to_schedule for each in sample if not each.waited_for_node]),
        node=_p90([each.to_schedule for each in sample if each.waited_for_node]),
        start=_p90([each.to_start for each in sample if each.to_start is not None]),
        pull=_p90([each.to_run for each in sample]),
        ready=_p90([each.to_ready for each in sample]),
    )


_Part = tuple[str, Callable[[StartUp], timedelta], str]
_PARTS: tuple[_Part, ...] = (
    (
        "waiting for a node",
        lambda each: each.to_schedule if each.waited_for_node else timedelta(0),
        "keep a spare node ready",
    ),
    (
        "waiting for the scheduler",
        lambda each: timedelta(0) if each.waited_for_node else each.to_schedule,
        "see what holds the pods back, such as a queue, a gate or a quota",
    ),
    (
        "network, volumes and init containers",
        lambda each: each.to_start or timedelta(0),
        "shorten the init containers, or use volumes that attach faster",
    ),
    (
        "image pull and container start",
        lambda each: each.to_run,
        "pre-pull the image on the nodes, or make it smaller",
    ),
    (
        "the container's own start until it is Ready",
        lambda each: each.to_ready,
        "load less or from nearer, or ask the readiness probe sooner and more often",
    ),
)
_MOST = 0.5  # share of the time above which a part is most of it


def _advice(sample: Sequence[StartUp]) -> str:
    """Say where the time of the slower half goes, which is what the P90 stands for, and what would shorten it."""
    slow = sorted(sample, key=lambda each: each.total)[len(sample) // 2 :]
    whole = sum((each.total for each in slow), timedelta(0)) / len(slow)
    if whole < timedelta(seconds=1):
        return "pods are Ready within a second"
    means = [sum((part(each) for each in slow), timedelta(0)) / len(slow) for _, part, _ in _PARTS]
    longest = max(means)
    name, _, mend = _PARTS[means.index(longest)]
    share = "most" if longest > _MOST * whole else "the longest part"
    return f"{share} of {_seconds(whole)} is {name}, {_seconds(longest)}: {mend}"


def _seconds(duration: timedelta) -> str:
    return f"{duration.total_seconds():.0f} s"
