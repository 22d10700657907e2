"""Nodes for the pods that ask for them: the real scheduler, and KWOK in the place of the kubelets.

Only pods with `schedulerName: rig` are scheduled. All others stay Pending, as in a cluster without nodes: the tests
that share the control plane see nothing of this.
"""

from __future__ import annotations

from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from typing import Self

import yaml

from tests.cluster.api import Object
from tests.cluster.binaries import KUBERNETES, KWOK
from tests.cluster.control_plane import ControlPlane
from tests.cluster.processes import Server, eventually, free_port
from tests.cluster.scaled import Template

SCHEDULER = "rig"
_STAGES = Path(__file__).parent / "stages.yaml"
_NODES = "/api/v1/nodes"
_START_SECONDS = 60.0


class Nodes:
    """A scheduler and KWOK beside a control plane, from entering to leaving; no node at first."""

    def __init__(self, cluster: ControlPlane, folder: Path) -> None:
        self._cluster = cluster
        self._folder = folder
        self._stack = ExitStack()
        self._names: set[str] = set()

    def __enter__(self) -> Self:
        self._schedule()
        self._play_kubelets()
        return self

    def __exit__(self, *_: object) -> None:
        for name in sorted(self._names):
            self.remove(name)
        self._stack.close()

    def add(self, name: str, *, pods: int = 110, kind: str = "") -> None:
        """Bring up a node with room for so many pods, and return when it is Ready."""
        labels = {"kubernetes.io/hostname": name, **({"node.kubernetes.io/instance-type": kind} if kind else {})}
        room = {"cpu": "64", "memory": "256Gi", "pods": str(pods)}
        metadata = {"name": name, "labels": labels, "annotations": {"kwok.x-k8s.io/node": "fake"}}
        status = {"allocatable": room, "capacity": room}
        self._cluster.api.create({"apiVersion": "v1", "kind": "Node", "metadata": metadata, "status": status})
        self._names.add(name)
        eventually(lambda: self._is_ready(name), f"node {name} is Ready", within=_START_SECONDS, told=self.logs)

    def remove(self, name: str) -> None:
        """Take a node away; what ran on it goes with it."""
        self._cluster.api.delete(f"{_NODES}/{name}")
        self._names.discard(name)

    def logs(self) -> str:
        return self._cluster.logs()

    def _is_ready(self, name: str) -> bool:
        node = self._cluster.api.get(f"{_NODES}/{name}") or {"spec": {}}
        told = {each["type"]: each["status"] for each in node.get("status", {}).get("conditions", [])}
        return told.get("Ready") == "True" and not node["spec"].get("taints")

    def _schedule(self) -> None:
        kubeconfig = str(self._cluster.kubeconfig)
        document: Object = {
            "apiVersion": "kubescheduler.config.k8s.io/v1",
            "kind": "KubeSchedulerConfiguration",
            "leaderElection": {"leaderElect": False},
            "clientConnection": {"kubeconfig": kubeconfig},
            "profiles": [{"schedulerName": SCHEDULER}],
        }
        config = self._folder / "scheduler.yaml"
        config.write_text(yaml.safe_dump(document))
        self._start(
            str(KUBERNETES.built() / "kube-scheduler"),
            f"--config={config}",
            f"--authentication-kubeconfig={kubeconfig}",
            f"--authorization-kubeconfig={kubeconfig}",
            "--bind-address=127.0.0.1",
            f"--secure-port={free_port()}",
        )

    def _play_kubelets(self) -> None:
        built = KWOK.built()
        stages = self._folder / "stages.yaml"
        stages.write_text("\n---\n".join(file.read_text() for file in (*sorted(built.glob("*.yaml")), _STAGES)))
        self._start(
            str(built / "kwok"),
            f"--kubeconfig={self._cluster.kubeconfig}",
            "--manage-all-nodes=true",
            "--cidr=10.1.0.0/16",
            "--node-ip=127.0.0.1",
            f"--server-address=127.0.0.1:{free_port()}",
            f"--config={stages}",
        )

    def _start(self, *command: str) -> Server:
        server = self._cluster.start(*command)
        self._stack.callback(self._cluster.stop, server)
        return server


def started_in(*, run: timedelta, ready: timedelta) -> Template:
    """Return the template of pods that go to these nodes, run after a time, and are Ready after another one."""
    seconds = {"rig/run-after": run, "rig/ready-after": ready}
    annotations = {name: f"{after.total_seconds():g}s" for name, after in seconds.items()}
    return Template(annotations=annotations, spec={"schedulerName": SCHEDULER})
