"""What must be there once in a cluster: an API server that answers, the CRD, KEDA, and an agent that leads."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

from agent.cluster.definition import INSTALL, lacking, misfit, read_definition
from agent.cluster.kill_switch import ANNOTATION, MEND, ON, annotated, unknown
from agent.cluster.lease import DURATION
from agent.cluster.reading import NotRead, Reader
from agent.doctor.finding import Finding, Level

METRICS_API = "/apis/external.metrics.k8s.io/v1beta1"
_KEDA, _KEDA_VERSION = "/apis/keda.sh", "v1alpha1"
_KEDA_CRD = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/scaledobjects.keda.sh"
_NOT_FOUND = 404


async def check_api(reader: Reader) -> Finding:
    """Ask the API server for its version."""
    try:
        version = json.loads(await reader.get("/version"))["gitVersion"]
    except NotRead as error:
        mend = "give --kubeconfig FILE of a cluster that can be reached, or see whether it is up"
        return Finding("cluster", Level.FAIL, f"the API server does not answer: {error}", mend)
    return Finding("cluster", Level.OK, f"the API server answers, version {version}")


async def check_definition(reader: Reader) -> Finding:
    """Look whether the CRD is there, and of the version that this Foretide knows."""
    check = "CRD"
    try:
        definition = await read_definition(reader)
    except NotRead as error:
        return Finding(check, Level.FAIL, f"cannot be looked at: {error}", "see whether the API server is well")
    if (fault := misfit(definition)) is not None:
        return Finding(check, Level.FAIL, fault.what, fault.mend)
    if (what := lacking(definition)) is not None:
        return Finding(check, Level.WARN, what, INSTALL)
    if not definition.is_seen:
        mend = "let who asks get customresourcedefinitions.apiextensions.k8s.io"
        return Finding(check, Level.WARN, "is served; whether all of its fields are there cannot be read", mend)
    return Finding(check, Level.OK, f"is there, and serves {' and '.join(definition.served)} with all fields")


async def check_kill_switch(reader: Reader, namespace: str) -> list[Finding]:
    """Look whether the kill switch is on; where it may not be read, the permissions say so."""
    check, at = "kill switch", f"annotation {ANNOTATION} of namespace {namespace}"
    try:
        value = await annotated(reader, namespace)
    except NotRead:
        return []
    if unknown(value):
        return [Finding(check, Level.WARN, f'{at} is "{value[:40]}", which is off', MEND)]
    if value == ON:
        mend = f"kubectl annotate namespace {namespace} {ANNOTATION}-   once it is no longer wanted"
        return [Finding(check, Level.WARN, f"{at} is on: KEDA gets the raw need of every policy", mend)]
    return []


async def check_keda(reader: Reader) -> list[Finding]:
    """Look whether KEDA is installed, and whether HPAs get its metrics."""
    try:
        served = [each["version"] for each in (await _read(reader, _KEDA))["versions"]]
    except NotRead as error:
        if error.status == _NOT_FOUND:
            mend = "install KEDA 2.17 or newer: https://keda.sh/docs/latest/deploy/"
            return [Finding("KEDA", Level.FAIL, "is not installed: nobody asks Foretide", mend)]
        return [Finding("KEDA", Level.FAIL, f"cannot be looked at: {error}", "see whether the API server is well")]
    if _KEDA_VERSION not in served:
        mend = "install KEDA 2.17 or newer"
        return [Finding("KEDA", Level.FAIL, f"serves keda.sh/{' and '.join(served)}, not {_KEDA_VERSION}", mend)]
    found = Finding("KEDA", Level.OK, f"serves keda.sh/{_KEDA_VERSION}{await _keda_version(reader)}")
    return [found, await _metrics_adapter(reader)]


async def check_lease(reader: Reader, *, namespace: str, name: str, now: datetime) -> Finding:
    """Look whether an agent holds the Lease now."""
    check, shown = "leader", f"Lease {namespace}/{name}"
    pods = f"see whether an agent runs: kubectl get pods -n {namespace}; another namespace is --agent-namespace"
    try:
        spec = (await _read(reader, f"/apis/coordination.k8s.io/v1/namespaces/{namespace}/leases/{name}"))["spec"]
    except NotRead as error:
        if error.status == _NOT_FOUND:
            what = f"there is no {shown}: no agent has ever led here"
            return Finding(check, Level.FAIL, what, pods)
        return Finding(check, Level.WARN, f"{shown} cannot be read: {error}", "let who asks get it")
    holder, renewed = spec.get("holderIdentity"), spec.get("renewTime")
    if not holder or not renewed:
        return Finding(check, Level.FAIL, f"nobody holds {shown}: no agent decides", pods)
    age = now - datetime.fromisoformat(renewed)
    if age > timedelta(seconds=2 * DURATION):
        return Finding(check, Level.FAIL, f"{holder} holds {shown}, and has not renewed it for {_span(age)}", pods)
    return Finding(check, Level.OK, f"{holder} holds {shown}")


async def _keda_version(reader: Reader) -> str:
    """Return the version that KEDA's own CRD is labelled with, for a sentence; empty where that cannot be read."""
    try:
        labels = (await _read(reader, _KEDA_CRD))["metadata"].get("labels") or {}
    except NotRead:
        return ""
    version = labels.get("app.kubernetes.io/version")
    return f", KEDA {version}" if version else ""


async def _metrics_adapter(reader: Reader) -> Finding:
    check = "KEDA: metrics"
    try:
        await reader.get(METRICS_API)
    except NotRead as error:
        mend = "look at KEDA's metrics server: kubectl get apiservice v1beta1.external.metrics.k8s.io"
        return Finding(check, Level.FAIL, f"{METRICS_API} does not answer, so no HPA gets one: {error}", mend)
    return Finding(check, Level.OK, "HPAs get external metrics")


async def _read(reader: Reader, path: str) -> dict[str, Any]:
    return dict(json.loads(await reader.get(path)))


def _span(age: timedelta) -> str:
    seconds = int(age.total_seconds())
    return f"{seconds} s" if seconds < 120 else f"{seconds // 60} min"
