"""What keeps a scale target from what its policy answers: others that set its replicas, and what is set too small.

A policy in Shadow that no trigger names acts on nothing: beside today's HPA it is just what Shadow is for.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from agent.cluster.documents import Document, Name
from agent.cluster.holding import Place, held_back
from agent.cluster.others import HPA_TOLERANCE, Hpa, ScaledObject, Vpa, Where, hpa_of, scaled_object_of, vpa_of, where
from agent.cluster.target import Target
from agent.policy.quantities import format_share
from agent.surroundings import Conflict
from scalers.bounds import rounded_up
from scalers.policy import Mode, ScalingPolicy
from scalers.sentence import span

_KNATIVE = frozenset({"Revision", "PodAutoscaler"})


@dataclass(frozen=True, slots=True)
class Known:
    """Everything that acts on scale targets, by what it acts on."""

    scaled_objects: dict[Where, list[ScaledObject]]
    naming: dict[Name, list[ScaledObject]]  # by the policy that a trigger names
    hpas: dict[Where, list[Hpa]]
    vpas: dict[Where, list[Vpa]]
    active: dict[Where, list[Name]]  # policies in mode Active

    def named_by(self, name: Name) -> list[ScaledObject]:
        """Return the ScaledObjects with a trigger that names a policy."""
        return self.naming.get(name, [])


def known_of(
    *,
    scaled_objects: Iterable[Document] = (),
    hpas: Iterable[Document] = (),
    vpas: Iterable[Document] = (),
    active: Iterable[tuple[Name, Target]] = (),
) -> Known:
    """Sort documents, as they are kept, and the policies that are Active with their targets."""
    known = Known({}, {}, {}, {}, {})
    for each in map(scaled_object_of, scaled_objects):
        known.scaled_objects.setdefault(each.target, []).append(each)
        for policy in sorted(each.policies):
            known.naming.setdefault((each.name[0], policy), []).append(each)
    for hpa in map(hpa_of, hpas):
        known.hpas.setdefault(hpa.target, []).append(hpa)
    for vpa in map(vpa_of, vpas):
        known.vpas.setdefault(vpa.target, []).append(vpa)
    for name, target in active:
        known.active.setdefault(where(target), []).append(name)
    return known


def conflicts(
    known: Known,
    policy: ScalingPolicy,
    target: Target,
    *,
    need: float | None,
    controller: tuple[str, str] | None = None,
    place: Place | None = None,
) -> tuple[Conflict, ...]:
    """Return what stands against a policy, those that fight over the replicas first.

    Args:
        known: everything that acts on scale targets.
        policy: as decisions take it.
        target: its own.
        need: replicas that it needs now; None where that is not known.
        controller: kind and name of what controls the target.
        place: the target's pods, and the rules of their namespace; None where they are not known.
    """
    ours = known.named_by((policy.key.namespace, policy.key.name))
    if policy.mode is Mode.SHADOW and not ours:
        return ()
    found = [
        *_other_scalers(known, policy, target, ours),
        *_knative(target, controller),
        *_other_policies(known, policy, target),
        *(each for scaled in ours for each in _maximum(scaled, policy, need)),
        *(each for scaled in ours for each in _polling(scaled, policy)),
        *(each for scaled in ours for each in _tolerance(known, scaled, policy)),
        *_vertical(known, target),
        *(held_back(place, policy, target, need=need) if place is not None else ()),
    ]
    return tuple(found)


_Found = Iterator[Conflict]


def _other_scalers(known: Known, policy: ScalingPolicy, target: Target, ours: list[ScaledObject]) -> _Found:
    """HPAs that KEDA has not made, and ScaledObjects beside the one that names the policy."""
    for hpa in known.hpas.get(where(target), ()):
        if hpa.scaled_object is None and hpa.is_acting:
            mend = "delete it, or hand it to KEDA (annotation scaledobject.keda.sh/transfer-hpa-ownership)"
            yield Conflict("TwoScalers", f"HorizontalPodAutoscaler {_shown(hpa.name)}: {_too(target)}", mend)
    on_target = [each for each in known.scaled_objects.get(where(target), ()) if not each.is_paused]
    first = next((each.name for each in on_target if each in ours), None)
    for each in on_target:
        if each.name != first:
            mend = f"let one ScaledObject have all triggers, one with policy: {policy.key.name} among them"
            yield Conflict("TwoScalers", f"ScaledObject {_shown(each.name)}: {_too(target)}", mend)


def _knative(target: Target, controller: tuple[str, str] | None) -> _Found:
    if controller is not None and controller[0] in _KNATIVE:
        kind, name = controller
        mend = "name a workload that Knative does not own, for KServe by deploymentMode Standard"
        yield Conflict(
            "TwoScalers",
            f"{kind} {target.namespace}/{name}: it owns {target.shown}, whose replicas Knative's own autoscaler sets",
            mend,
        )


def _other_policies(known: Known, policy: ScalingPolicy, target: Target) -> _Found:
    if policy.mode is not Mode.ACTIVE:
        return
    for name in known.active.get(where(target), ()):
        if name != (policy.key.namespace, policy.key.name):
            mend = "put its demand into spec.signals of one policy, or set one of them to Shadow"
            what = f"ForecastPolicy {_shown(name)}: spec.mode is Active and {_too(target)}"
            yield Conflict("TwoPolicies", what, mend)


def _maximum(scaled: ScaledObject, policy: ScalingPolicy, need: float | None) -> _Found:
    told = f"ScaledObject {_shown(scaled.name)}: spec.maxReplicaCount is {scaled.maximum}"
    if need is not None and rounded_up(need) > scaled.maximum:
        more = "" if policy.bounds.maximum > scaled.maximum else " and the policy's spec.replicas.max"
        yield Conflict("MaxReplicasBelowNeed", f"{told}, and {rounded_up(need)} are needed now", f"raise it{more}")
    elif policy.bounds.maximum > scaled.maximum:
        yield Conflict(
            "MaxReplicasBelowPolicy",
            f"{told}, below the {policy.bounds.maximum} of the policy's spec.replicas.max",
            "raise it, or lower that",
        )


def _polling(scaled: ScaledObject, policy: ScalingPolicy) -> _Found:
    """Above zero the HPA asks by itself: KEDA's polling counts for waking alone, and a push wakes without it."""
    is_woken_by_poll = scaled.goes_to_zero and policy.key.name not in scaled.pushed
    if is_woken_by_poll and policy.bounds.minimum == 0 and scaled.polling > policy.lead_time:
        yield Conflict(
            "PollingTooSlow",
            f"ScaledObject {_shown(scaled.name)}: spec.pollingInterval is {scaled.polling.total_seconds():g}, longer"
            f" than the lead time of {span(policy.lead_time)}, and from zero only a poll wakes the target",
            "use a trigger of type external-push, or poll more often",
        )


def _tolerance(known: Known, scaled: ScaledObject, policy: ScalingPolicy) -> _Found:
    """An answer within the HPA's tolerance moves nothing: a decision that takes it for smaller stays short."""
    for hpa in known.hpas.get(scaled.target, ()):
        tolerance = HPA_TOLERANCE if hpa.tolerance is None else hpa.tolerance
        if (hpa.name[0], hpa.scaled_object) == scaled.name and tolerance > policy.tolerance:
            said = f"is {format_share(tolerance)}" if hpa.tolerance is not None else "is not set, which is mostly 10%"
            yield Conflict(
                "ToleranceAbovePolicy",
                f"HorizontalPodAutoscaler {_shown(hpa.name)}: spec.behavior.scaleUp.tolerance {said}, above the"
                f" {format_share(policy.tolerance)} of the policy's spec.scaling.tolerance, and answers within it move"
                " nothing",
                "set spec.advanced.horizontalPodAutoscalerConfig.behavior.scaleUp.tolerance of ScaledObject"
                f" {_shown(scaled.name)}, or raise that of the policy",
            )


def _vertical(known: Known, target: Target) -> _Found:
    """An HPA's utilization is use over requests: who sets the requests moves the replicas."""
    scaling = [hpa for hpa in known.hpas.get(where(target), ()) if hpa.is_acting]
    for vpa in known.vpas.get(where(target), ()):
        for hpa in scaling:
            if shared := sorted(vpa.resources & hpa.resources):
                names = " and ".join(shared)
                yield Conflict(
                    "VerticalAndHorizontal",
                    f"VerticalPodAutoscaler {_shown(vpa.name)}: spec.updatePolicy.updateMode is {vpa.mode} for {names},"
                    f" by whose utilization HorizontalPodAutoscaler {_shown(hpa.name)} scales {target.shown}",
                    f"set it to Off, or take {names} out of its controlledResources",
                )


def _too(target: Target) -> str:
    return f"it scales {target.shown}, too"


def _shown(name: Name) -> str:
    return "/".join(name)
