"""The whole agent, with policies whose forecasts it goes on fitting for minutes."""

from __future__ import annotations

import csv
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Self

import grpc
import numpy as np

from bench.forecasters import load
from bench.lines import ROOT, Cost
from scalers.keda.proto.externalscaler_pb2 import GetMetricsRequest, ScaledObjectRef
from scalers.keda.proto.externalscaler_pb2_grpc import ExternalScalerStub
from tests.real.prometheus.rig import free_port

POLICIES = 24
LONGEST = 60.0  # seconds until every policy answers

POLICY = """
apiVersion: foretide.dev/v1alpha1
kind: ForecastPolicy
metadata: {{name: policy-{number}, namespace: ml}}
spec:
  mode: Active
  scaleTargetRef: {{apiVersion: apps/v1, kind: Deployment, name: policy-{number}}}
  demand: {{csv: {{path: {demand}}}, step: 15s}}
  capacity: {{perReplica: 12}}
  replicas: {{min: 1, max: 400}}
  leadTime: {{declared: 2m}}
  forecast: {{history: 14d, models: [auto, holt-winters, arima]}}
"""


class BenchAgent:
    """`foretide run` with two weeks of demand a minute apart, an hour of it yet to come; started by entering."""

    def __init__(self, folder: Path) -> None:
        self._policies = folder / "policies"
        self._policies.mkdir(parents=True)
        demand = folder / "demand.csv"
        _write_demand(demand)
        for number in range(POLICIES):
            (self._policies / f"{number}.yaml").write_text(POLICY.format(number=number, demand=demand))
        self.endpoint = f"127.0.0.1:{free_port()}"

    def __enter__(self) -> Self:
        command = [sys.executable, "-m", "agent", "run", "--policies", str(self._policies), "--log-level", "error"]
        command += ["--grpc-address", self.endpoint, "--http-address", "127.0.0.1:0"]
        self.popen = subprocess.Popen(command, cwd=ROOT)
        self.cost = Cost(self.popen.pid)
        self._wait_for_answers()
        return self

    def __exit__(self, *_: object) -> None:
        self.popen.terminate()
        self.popen.wait()

    def _wait_for_answers(self) -> None:
        deadline = time.monotonic() + LONGEST
        with grpc.insecure_channel(self.endpoint) as channel:
            scaler = ExternalScalerStub(channel)
            while not all(_answers(scaler, number) for number in range(POLICIES)):
                if time.monotonic() > deadline or self.popen.poll() is not None:
                    self.popen.kill()
                    raise RuntimeError(f"the agent did not answer for all {POLICIES} policies in {LONGEST:g} s")
                time.sleep(0.1)


def _write_demand(file: Path) -> None:
    step = timedelta(minutes=1)
    series = load(14 * 1440 + 60, step)
    seconds = datetime.now(UTC).timestamp() + np.arange(-14 * 1440, 60) * step.total_seconds()
    with file.open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["timestamp", "value"])
        writer.writerows(zip(seconds.round().tolist(), series.values.round(3).tolist(), strict=True))


def _answers(scaler: ExternalScalerStub, number: int) -> bool:
    name = f"policy-{number}"
    reference = ScaledObjectRef(name=name, namespace="ml", scalerMetadata={"policy": name})
    try:
        scaler.GetMetrics(GetMetricsRequest(scaledObjectRef=reference, metricName="foretide-replicas"))
    except grpc.RpcError:
        return False
    return True
