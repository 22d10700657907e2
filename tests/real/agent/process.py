"""`foretide run` as a process, and KEDA asking it from another one."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Self

import requests

ROOT = Path(__file__).resolve().parents[3]
LONGEST = 30.0  # seconds that a test waits for anything

POLICY = """
apiVersion: foretide.dev/v1alpha1
kind: ForecastPolicy
metadata: {{name: chat, namespace: ml}}
spec:
  mode: {mode}
  scaleTargetRef: {{apiVersion: apps/v1, kind: Deployment, name: chat}}
  demand: {{prometheus: {{query: '{query}'}}, step: 1s}}
  capacity: {{perReplica: 12}}
  replicas: {{min: 1, max: 40}}
  leadTime: {{declared: 10s}}
  forecast: {{history: {history}, horizon: 10m}}
  staleness: {{forecast: 5s, data: 8s}}
"""


class AgentProcess:
    """One agent. Started by entering; its ports are free ones that it chose itself."""

    def __init__(self, folder: Path, *options: str, config: str | None = None) -> None:
        """Prepare a folder with `policies/` in it.

        Args:
            folder: for policies, configuration and log.
            options: further command line.
            config: text of the configuration file.
        """
        self.folder = folder
        self.policies = folder / "policies"
        self.policies.mkdir(exist_ok=True)
        self.log = folder / "agent.log"
        self._options = list(options)
        if config is not None:
            file = folder / "agent.yaml"
            file.write_text(config)
            self._options += ["--config", str(file)]
        self.popen: subprocess.Popen[bytes] | None = None

    def write_policy(self, *, query: str = "max(demand)", mode: str = "Active", history: str = "1d") -> None:
        """Put the one policy, ml/chat, in place; a running agent takes it up."""
        (self.policies / "chat.yaml").write_text(POLICY.format(query=query, mode=mode, history=history))

    def whose_policies(self) -> list[str]:
        """Return the part of the command line that says which policies are acted on."""
        return ["--policies", str(self.policies)]

    def environment(self) -> dict[str, str]:
        """Return what the agent finds in its environment beside what the tests have in theirs."""
        return {}

    def start(self) -> Self:
        """Start, and return when both servers listen."""
        command = [sys.executable, "-m", "agent", "run", *self.whose_policies(), "--log-format", "json"]
        command += ["--grpc-address", "127.0.0.1:0", "--http-address", "127.0.0.1:0", *self._options]
        with self.log.open("wb") as log:
            environment = {**os.environ, **self.environment()}
            self.popen = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log)
        self.grpc_port = int(self._logged(r'"event": "grpc_serving".*"port": (\d+)'))
        self.http = "http://" + self._logged(r'"event": "http_listening".*"address": "(127.0.0.1:\d+)"')
        return self

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.kill()

    def kill(self) -> None:
        """End at once, as the kernel does; safe to repeat."""
        if self.popen is not None:
            self.popen.kill()
            self.popen.wait()

    def terminate(self) -> int:
        """End as Kubernetes does, and return the exit code."""
        assert self.popen is not None
        self.popen.send_signal(signal.SIGTERM)
        return self.popen.wait(timeout=LONGEST)

    def poll(self, *client: str) -> dict[str, object]:
        """Return what one poll of KEDA, in another process, concludes; `client` is more of its command line."""
        command = [sys.executable, "-m", "tests.keda_client", "--endpoint", f"127.0.0.1:{self.grpc_port}"]
        command += ["--namespace", "ml", "--name", "chat", "--metadata", "policy=chat", *client]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=LONGEST)
        answer = json.loads(done.stdout)
        assert isinstance(answer, dict)
        return answer

    def replicas(self) -> float:
        """Return the value of the next poll that has an answer."""
        answers: list[float] = []

        def is_answered(each: Self) -> bool:
            metrics = each.poll().get("metrics")
            if isinstance(metrics, dict):
                answers.append(float(metrics["s0-foretide-replicas"]))
            return bool(answers)

        self.until(is_answered, "an answer")
        return answers[0]

    def policy(self) -> dict[str, object]:
        """Return the policy as the API shows it."""
        reply = requests.get(f"{self.http}/api/v1/policies/ml/chat", timeout=LONGEST)
        reply.raise_for_status()
        return dict(reply.json())

    def condition(self, name: str) -> dict[str, object]:
        """Return one of the policy's conditions; one that is not known yet says so."""
        conditions = self.policy()["conditions"]
        assert isinstance(conditions, list)
        unknown: dict[str, object] = {"status": None, "reason": "NotYet", "message": ""}
        return next((dict(each) for each in conditions if each["type"] == name), unknown)

    def until(self, claim: Callable[[Self], bool], what: str) -> None:
        """Wait until something is so."""
        deadline = time.monotonic() + LONGEST
        while not claim(self):
            if time.monotonic() > deadline:
                raise AssertionError(f"not within {LONGEST:g} s: {what}\n{self.log.read_text()[-3000:]}")
            time.sleep(0.1)

    def _logged(self, pattern: str) -> str:
        deadline = time.monotonic() + LONGEST
        while (found := re.search(pattern, self.log.read_text())) is None:
            assert self.popen is not None
            if self.popen.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"the agent did not start:\n{self.log.read_text()[-3000:]}")
            time.sleep(0.02)
        return found.group(1)
