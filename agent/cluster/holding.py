"""What keeps the pods of a scale target from being made or moved: quotas, limit ranges and disruption budgets."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from agent.cluster.disruptions import Budget, budgets_of
from agent.cluster.documents import Name
from agent.cluster.limit_ranges import LimitRange, refusals, with_defaults
from agent.cluster.quotas import Quota, Room, rooms
from agent.cluster.target import Target
from agent.cluster.workloads import Workload
from agent.surroundings import Conflict
from scalers.bounds import rounded_up
from scalers.policy import ScalingPolicy
from scalers.sentence import number

_LONGEST_REFUSAL = 300  # characters of what the API server says


@dataclass(frozen=True, slots=True)
class Rules:
    """What a namespace sets for its pods, as it was at one time."""

    quotas: tuple[Quota, ...] = ()
    limit_ranges: tuple[LimitRange, ...] = ()
    budgets: tuple[Budget, ...] = ()
    own: Mapping[tuple[str, str], int] = field(default_factory=dict)  # pods by kind and name of workload, at that time


@dataclass(frozen=True, slots=True)
class Place:
    """A workload, and the rules of its namespace."""

    workload: Workload
    rules: Rules

    def own(self, target: Target) -> int:
        """Return how many pods it had when the rules were looked at."""
        return self.rules.own.get((target.kind, target.name), self.workload.most)


def held_back(place: Place, policy: ScalingPolicy, target: Target, *, need: float | None) -> Iterator[Conflict]:
    """Return what keeps the pods that a policy asks for from being made, and then what keeps them where they are.

    Args:
        place: of the policy's target.
        policy: as decisions take it.
        target: its own.
        need: replicas that it needs now; None where that is not known.
    """
    yield from _quota(place, policy, target, need)
    yield from _limit_range(place, target)
    if (refusal := place.workload.refusal) is not None:
        told = refusal[:_LONGEST_REFUSAL]
        yield Conflict(
            "PodsRefused", f"{target.shown}: its controller is refused new pods, {told}", "mend what this says"
        )
    yield from _budget(place, policy, target)


def _quota(place: Place, policy: ScalingPolicy, target: Target, need: float | None) -> Iterator[Conflict]:
    workload, rules = place.workload, place.rules
    pods = with_defaults(workload.pods, rules.limit_ranges)
    room = min(rooms(rules.quotas, pods, place.own(target)), key=lambda room: room.fits, default=None)
    if room is None:
        return
    if room.silent is not None:
        mend = "say it, or give the namespace a LimitRange with defaults"
        yield Conflict("QuotaRefusesPods", _silence(room, target), mend)
        return
    most = policy.bounds.maximum
    asked = [] if need is None else [("QuotaBelowNeed", min(rounded_up(need), most), "are needed now")]
    for reason, replicas, claim in (*asked, ("QuotaBelowPolicy", most, "is the policy's spec.replicas.max")):
        surge = workload.surge(replicas)
        if replicas + surge > room.fits:
            more = f", and a rollout makes {surge} more (maxSurge {workload.max_surge})" if surge else ""
            mend = f"raise it, or lower {'spec.replicas.max' if replicas == most else 'what a pod asks for'}"
            yield Conflict(reason, f"{_room(room, target)}, and {replicas} {claim}{more}", mend)
            return


def _room(room: Room, target: Target) -> str:
    others = f", of which others use {number(room.others)}" if room.others else ""
    return (
        f"ResourceQuota {_shown(room.quota)}: spec.hard has {room.resource}: {room.hard}{others}: it has room for"
        f" {room.fits} pods of {target.shown}"
    )


def _silence(room: Room, target: Target) -> str:
    return (
        f"ResourceQuota {_shown(room.quota)}: spec.hard has {room.resource}: {room.hard}, and container {room.silent}"
        f" of {target.shown} does not say how much it takes, so no new pod is let in"
    )


def _limit_range(place: Place, target: Target) -> Iterator[Conflict]:
    ranges = place.rules.limit_ranges
    for entry, what in refusals(with_defaults(place.workload.pods, ranges), ranges):
        told = f"LimitRange {_shown(entry.name)}: {what} in {target.shown}, so no new pod is let in"
        yield Conflict("LimitRangeRefusesPods", told, "change one of the two")
        return


def _budget(place: Place, policy: ScalingPolicy, target: Target) -> Iterator[Conflict]:
    budgets = budgets_of(place.rules.budgets, place.workload.pods.labels)
    if len(budgets) > 1:
        names = " and ".join(sorted(_shown(each.name) for each in budgets))
        told = (
            f"PodDisruptionBudgets {names}: each has the pods of {target.shown}, and no pod of two budgets is evicted"
        )
        yield Conflict(
            "EvictionsBlocked", f"{told}, so no node of theirs can be drained", "let one of them have the pods"
        )
    for each in budgets if len(budgets) == 1 else ():
        yield from _blocked(each, place, policy, target)


def _blocked(budget: Budget, place: Place, policy: ScalingPolicy, target: Target) -> Iterator[Conflict]:
    told = f"PodDisruptionBudget {_shown(budget.name)}: {budget.told}"
    is_shared = budget.counted > place.own(target)
    least = max(policy.bounds.minimum, 1)
    if budget.is_total or not (is_shared or budget.evictable(policy.bounds.maximum)):
        what = f"{told}: no pod of {target.shown} is ever evicted, so no node that one is on can be drained"
        yield Conflict("EvictionsBlocked", f"{what}; scaling in is not kept by it", "set maxUnavailable: 1")
    elif not (is_shared or budget.evictable(least)):
        what = f"{told}: at {least} replicas, to which the policy scales in, no pod of {target.shown} is evicted"
        mend = f"set maxUnavailable: 1 instead, or spec.replicas.min of the policy above {least}"
        yield Conflict("EvictionsBlockedAtMinimum", f"{what}, so no node that one is on can be drained then", mend)


def _shown(name: Name) -> str:
    return "/".join(name)
