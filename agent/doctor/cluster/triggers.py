"""Each trigger that names Foretide: the policy is there, scales the same target, and the address leads to an agent."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from agent.cluster.documents import Document, Name, name_of
from agent.cluster.inline_policies import holds_policy
from agent.cluster.others import kept_scaled_object, scaled_object_of, where
from agent.cluster.reading import NotRead, Reader
from agent.doctor.cluster.setup import Setup, target_of_policy
from agent.doctor.finding import Finding, Level
from agent.policy.faults import nearest
from scalers.keda.metadata import POLICY

_OURS = ("external", "external-push")
_ADDRESS = re.compile(r"(?P<host>[^:/\s]+|\[[^\]]+\]):(?P<port>\d{1,5})")
_OF_A_SERVICE = re.compile(r"(?P<name>[a-z0-9-]+)(\.(?P<namespace>[a-z0-9-]+)(\.svc(\.[a-z0-9.-]+)?)?)?\.?")
_EXAMPLE = "write HOST:PORT of the agent's gRPC Service, such as foretide.foretide:6000"
_NOT_FOUND = 404


async def check_triggers(setup: Setup, reader: Reader) -> list[Finding]:
    """Look at every trigger that names a policy or holds one."""
    policies = {name_of(each): each for each in setup.policies}
    findings: list[Finding] = []
    addresses: dict[str, str] = {}
    for document in setup.scaled_objects:
        ours = [each for each in document["spec"].get("triggers") or () if _is_ours(each)]
        check = f"ScaledObject {'/'.join(name_of(document))}"
        for trigger in ours:
            findings += _policy(check, document, trigger, policies)
            addresses.setdefault(trigger["metadata"].get("scalerAddress", ""), check)
        findings += _what_keda_says(check, document) if ours else ()
    for address, first in addresses.items():
        findings.append(await _address(first, address, reader))
    return findings


def _is_ours(trigger: Mapping[str, Any]) -> bool:
    return trigger.get("type") in _OURS and (POLICY in (trigger.get("metadata") or {}) or holds_policy(trigger))


def _policy(
    check: str, document: Document, trigger: Mapping[str, Any], policies: Mapping[Name, Document]
) -> Iterator[Finding]:
    namespace, own = name_of(document)
    name = trigger["metadata"].get(POLICY, own)
    policy = policies.get((namespace, name))
    if policy is None and not holds_policy(trigger):
        yield _unknown(check, name, namespace, (each for space, each in policies if space == namespace))
    elif policy is None:
        mend = "look for inline_policy_refused in the agent's log, and see rbac.inlinePolicies of the chart"
        yield Finding(check, Level.FAIL, "its trigger holds a policy, and the agent has made none of it", mend)
    elif scaled_object_of(kept_scaled_object(document)).target != where(target_of_policy(policy)):
        target = target_of_policy(policy).shown
        reference = document["spec"]["scaleTargetRef"]
        what = (
            f"it scales {reference.get('kind', 'Deployment')}/{reference.get('name')}, and its policy {name} {target}"
        )
        yield Finding(check, Level.FAIL, what, "let both name the same scaleTargetRef")
    else:
        yield Finding(check, Level.OK, f"policy {name} is there, and scales the same target")


def _unknown(check: str, name: str, namespace: str, there: Iterable[str]) -> Finding:
    near = nearest(name, there)
    mend = f"did you mean {near!r}? " if near else ""
    what = f"its trigger names policy {name!r}, and there is none of that name in namespace {namespace}"
    return Finding(check, Level.FAIL, what, f"{mend}create the policy, or name another in the trigger's metadata")


def _what_keda_says(check: str, document: Document) -> Iterator[Finding]:
    for told in (document.get("status") or {}).get("conditions") or ():
        if told["type"] == "Ready" and told.get("status") == "False":
            what = f"KEDA says that it is not ready: {told.get('reason')}: {told.get('message', '')[:300]}"
            mend = "foretide doctor --keda plays KEDA's calls, and says what is wrong with each"
            yield Finding(f"{check}: KEDA", Level.FAIL, what, mend)
        if told["type"] == "Paused" and told.get("status") == "True":
            mend = "take its annotations autoscaling.keda.sh/paused and paused-replicas away"
            yield Finding(f"{check}: KEDA", Level.WARN, "it is paused: KEDA scales nothing", mend)


async def _address(check: str, address: str, reader: Reader) -> Finding:
    """Look whether a trigger's address leads to a Service of the cluster with an agent behind it."""
    check = f"{check}: scalerAddress"
    match = _ADDRESS.fullmatch(address)
    if match is None:
        return Finding(check, Level.FAIL, f"{address!r} is no address", _EXAMPLE)
    of_service = _OF_A_SERVICE.fullmatch(match["host"])
    if of_service is None or match["host"].replace(".", "").isdigit() or match["host"] == "localhost":
        mend = f"foretide doctor --keda --grpc-address {address} asks there"
        return Finding(check, Level.WARN, f"{address} is no Service of the cluster, and was not looked at", mend)
    if of_service["namespace"] is None:
        what = f"{address} has no namespace, so KEDA looks for it in its own"
        return Finding(check, Level.FAIL, what, _EXAMPLE)
    return await _service(check, address, (of_service["namespace"], of_service["name"]), int(match["port"]), reader)


async def _service(check: str, address: str, name: Name, port: int, reader: Reader) -> Finding:
    namespace, service = name
    there = f"kubectl get services -n {namespace} shows what there is"
    try:
        spec = json.loads(await reader.get(f"/api/v1/namespaces/{namespace}/services/{service}"))["spec"]
        path = f"/apis/discovery.k8s.io/v1/namespaces/{namespace}/endpointslices"
        chosen = (("labelSelector", f"kubernetes.io/service-name={service}"),)
        slices = json.loads(await reader.get(path, chosen))["items"]
    except NotRead as error:
        if error.status == _NOT_FOUND:
            return Finding(check, Level.FAIL, f"{address}: there is no Service {namespace}/{service}", there)
        return Finding(check, Level.WARN, f"{address} cannot be looked at: {error}", "ask as somebody who may")
    ports = sorted(each["port"] for each in spec.get("ports") or ())
    if port not in ports:
        what = f"{address}: Service {namespace}/{service} has port {' and '.join(map(str, ports))}, not {port}"
        return Finding(check, Level.FAIL, what, _EXAMPLE)
    ready = sum(_serves(each) for part in slices for each in part.get("endpoints") or ())
    if not ready and spec.get("type") != "ExternalName":
        mend = f"see whether an agent runs and is ready: kubectl get pods -n {namespace}"
        return Finding(check, Level.FAIL, f"{address}: nobody is ready behind Service {namespace}/{service}", mend)
    return Finding(check, Level.OK, f"{address} leads to {ready} ready agent{'' if ready == 1 else 's'}")


def _serves(endpoint: Mapping[str, Any]) -> bool:
    return (endpoint.get("conditions") or {}).get("ready", True) is not False
