"""Each policy of a cluster: taken by the agent, its target there, a trigger that asks, and nothing against it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from agent.cluster.conflicts import conflicts
from agent.cluster.documents import Document, Name, name_of
from agent.cluster.scales import NoScale, Scales
from agent.cluster.targets import WATCHED
from agent.doctor.cluster.setup import Setup, target_of_policy
from agent.doctor.finding import Finding, Level
from agent.policy import ForecastPolicy, InvalidPolicy, policy_of, to_scaling_policy
from scalers.policy import Mode, ScalingPolicy

# Conflicts that only a later load, or a node's drain, will make felt.
_LATER = frozenset(
    {
        "MaxReplicasBelowPolicy",
        "QuotaBelowPolicy",
        "EvictionsBlocked",
        "EvictionsBlockedAtMinimum",
        "VerticalAndHorizontal",
    }
)


async def check_policies(setup: Setup, scales: Scales) -> tuple[list[Finding], list[ForecastPolicy]]:
    """Look at every policy; return the findings, and the policies that are good."""
    if not setup.policies:
        mend = "write one (foretide render examples), let `foretide adopt` propose one, or name its --namespace"
        return [Finding("policies", Level.WARN, "there are none", mend)], []
    findings: list[Finding] = []
    good: list[ForecastPolicy] = []
    for document in setup.policies:
        check = f"policy {'/'.join(name_of(document))}"
        policy = _parsed(document)
        if isinstance(policy, InvalidPolicy):
            findings.append(Finding(check, Level.FAIL, f"it is not acted on: {policy}", "change the field as it says"))
        else:
            good.append(policy)
            findings += [_standing(check, document), await _target(check, document, setup, scales)]
            findings += _scaling(check, name_of(document), document, to_scaling_policy(policy), setup)
    return findings, good


def _parsed(document: Document) -> ForecastPolicy | InvalidPolicy:
    try:
        return policy_of(document, origin=f"ForecastPolicy {'/'.join(name_of(document))}")
    except InvalidPolicy as error:
        return error


def _standing(check: str, document: Document) -> Finding:
    """Return what the agent has written of a policy."""
    status = document.get("status") or {}
    ready = _condition(status, "Ready")
    if not ready:
        mend = "see whether an agent leads, and whether it acts on this namespace (rbac.scope, --namespace)"
        return Finding(check, Level.FAIL, "no agent has written its status", mend)
    told = f"{ready['reason']}: {ready['message']}"
    if ready["status"] != "True":
        namespace, name = name_of(document)
        return Finding(check, Level.FAIL, f"not ready, {told}", f"foretide explain {name} -n {namespace}")
    if status.get("observedGeneration") != document["metadata"].get("generation"):
        mend = "wait a minute, then look at the agent's log"
        return Finding(check, Level.WARN, "ready, and the agent has not yet taken up its newest version", mend)
    return Finding(check, Level.OK, f"ready, {told}")


async def _target(check: str, document: Document, setup: Setup, scales: Scales) -> Finding:
    target = target_of_policy(document)
    named, missing = f"{check}: target", f"there is no {target.shown} in namespace {target.namespace}"
    mend = "create it, or change spec.scaleTargetRef"
    if (target.group, target.kind) in WATCHED:
        if name_of(document) in setup.absent:
            return Finding(named, Level.FAIL, missing, mend)
        return Finding(named, Level.OK, f"{target.shown} is there")
    if target.makes_jobs:
        return Finding(named, Level.OK, f"{target.shown} starts jobs: KEDA alone looks at it")
    try:
        scale = await scales.scale(target)
    except NoScale as error:
        level = Level.WARN if error.is_passing else Level.FAIL
        return Finding(named, level, f"{error.unseen.reason}: {error.unseen.message}", mend)
    return Finding(named, Level.OK, f"{target.shown} has {scale.existing} replicas")


def _scaling(check: str, name: Name, document: Document, policy: ScalingPolicy, setup: Setup) -> Iterator[Finding]:
    named, target = setup.known.named_by(name), target_of_policy(document)
    if target.makes_jobs:
        return
    if not named and policy.mode is Mode.ACTIVE:
        mend = f"add a trigger of type external-push with policy: {name[1]} to one in its namespace"
        yield Finding(f"{check}: trigger", Level.FAIL, "no ScaledObject names it, so KEDA does not ask", mend)
    if named and policy.mode is Mode.SHADOW:
        told = " and ".join("/".join(each.name) for each in named)
        mend = "set spec.mode to Active, or take the trigger away"
        yield Finding(
            f"{check}: trigger", Level.WARN, f"it is in Shadow, and ScaledObject {told} gets the raw need", mend
        )
    found = conflicts(
        setup.known,
        policy,
        target,
        need=_need(document),
        controller=setup.controllers.get(name),
        place=setup.places.get(name),
    )
    for each in found:
        level = Level.WARN if each.reason in _LATER else Level.FAIL
        yield Finding(f"{check}: {each.reason}", level, each.what, each.mend)


def _need(document: Document) -> float | None:
    need: float | None = ((document.get("status") or {}).get("recommendation") or {}).get("need")
    return need


def _condition(status: Document, kind: str) -> dict[str, Any]:
    return next((dict(each) for each in status.get("conditions") or () if each["type"] == kind), {})
