"""`foretide doctor --cluster` as a user runs it, and a set-up with faults of every kind for it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from tests.certificates import Authority
from tests.cluster.api import Object
from tests.cluster.installed import NAME
from tests.fakes.policies import document
from tests.real.agent.process import ROOT

NAMESPACE = "examined"
ACCOUNT = f"{NAMESPACE}/{NAME}"
_LONGEST = 120.0  # seconds


@dataclass(frozen=True, slots=True)
class Found:
    """A finding."""

    check: str
    level: str
    what: str
    mend: str


def doctor(kubeconfig: Path, *options: str) -> tuple[int, list[Found]]:
    """Run the command; return its exit code and its findings."""
    command = [
        sys.executable,
        "-m",
        "agent",
        "doctor",
        "--cluster",
        "--json",
        "--kubeconfig",
        str(kubeconfig),
        *options,
    ]
    environment = {"PATH": os.environ["PATH"], "HOME": str(kubeconfig.parent)}
    done = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=_LONGEST
    )
    assert done.stdout.startswith("["), done.stderr
    return done.returncode, [Found(**each) for each in json.loads(done.stdout)]


def a_policy(name: str, **spec: object) -> Object:
    """An Active policy on the Deployment of its name."""
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": name}
    given: Object = {"mode": "Active", "scaleTargetRef": target, "demand": {"prometheus": {"query": "max(demand)"}}}
    policy = document(**{**given, **spec})
    return {**policy, "metadata": {"name": name, "namespace": NAMESPACE}}


def a_trigger(policy: str, address: str = "scaler.examined:6000", kind: str = "external-push") -> Object:
    return {"type": kind, "metadata": {"scalerAddress": address, "policy": policy}}


def a_scaled_object(name: str, trigger: Object, target: str, **spec: object) -> Object:
    whole = {"scaleTargetRef": {"name": target}, "minReplicaCount": 1, "maxReplicaCount": 100, "triggers": [trigger]}
    return _object("keda.sh/v1alpha1", "ScaledObject", name, {**whole, **spec})


def a_deployment(name: str) -> Object:
    labels, container = {"app": name}, {"name": "main", "image": "chat.invalid/chat"}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [container]}}
    spec = {"replicas": 1, "selector": {"matchLabels": labels}, "template": template}
    return _object("apps/v1", "Deployment", name, spec)


def a_service(name: str = "scaler") -> Object:
    return _object("v1", "Service", name, {"selector": {"app": "nobody"}, "ports": [{"port": 6000}]})


def a_secret(authority: Authority, name: str, *, begins: timedelta, ends: timedelta) -> Object:
    pair = authority.sign(name, name, begins=begins, ends=ends)
    secret = _object("v1", "Secret", name, None)
    return {**secret, "stringData": {"tls.crt": pair.certificate.read_text(), "tls.key": pair.key.read_text()}}


def faults() -> Iterator[Object]:
    """Return what stands in each other's way, or leads nowhere."""
    yield a_policy("busy", replicas={"min": 0, "max": 40})
    yield a_deployment("busy")
    slow = a_trigger("busy", kind="external")
    yield a_scaled_object("busy", slow, "busy", maxReplicaCount=5, minReplicaCount=0, pollingInterval=600)
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "busy"}
    cpu = {"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 70}}}
    hpa = {"scaleTargetRef": target, "minReplicas": 1, "maxReplicas": 9, "metrics": [cpu]}
    yield _object("autoscaling/v2", "HorizontalPodAutoscaler", "busy-cpu", hpa)
    yield _object("v1", "ResourceQuota", "team", {"hard": {"pods": "20"}})
    budget = {"selector": {"matchLabels": {"app": "busy"}}, "maxUnavailable": 0}
    yield _object("policy/v1", "PodDisruptionBudget", "busy", budget)
    yield a_policy("lonely")
    yield a_policy("wrong", forecast={"timeZone": "Mars/Olympus"})
    yield a_deployment("other")
    yield a_scaled_object("astray", a_trigger("lonely", "scaler.examined:6001"), "other")
    yield a_deployment("typo")
    yield a_scaled_object("typo", a_trigger("bussy", "scalr.examined:6000"), "typo")
    yield a_deployment("short")
    yield a_scaled_object("short", a_trigger("unheard", "foretide:6000"), "short")
    yield a_policy("unasked")
    yield a_service()


def _object(version: str, kind: str, name: str, spec: Object | None) -> Object:
    whole = {"apiVersion": version, "kind": kind, "metadata": {"name": name, "namespace": NAMESPACE}}
    return whole if spec is None else {**whole, "spec": spec}
