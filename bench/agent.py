"""What the process costs: its start, its memory, a line of replay, a day of the demo."""

from __future__ import annotations

import csv
import json
import resource
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import grpc
import numpy as np
import psutil

from bench.figures import Figure
from bench.forecasters import load
from forecasters.series import Series, grid_index, grid_instant
from scalers.keda.proto.externalscaler_pb2 import GetMetricsRequest, ScaledObjectRef
from scalers.keda.proto.externalscaler_pb2_grpc import ExternalScalerStub
from tests.real.prometheus import rig

POLICIES = 10
FORETIDE = (sys.executable, "-m", "agent")
ROOT = Path(__file__).resolve().parents[1]
STEP = timedelta(seconds=15)

POLICY = """
apiVersion: foretide.dev/v1alpha1
kind: ForecastPolicy
metadata: {{name: {name}, namespace: ml}}
spec:
  mode: Active
  scaleTargetRef: {{apiVersion: apps/v1, kind: Deployment, name: {name}}}
  demand: {{prometheus: {{query: demand}}, step: 15s}}
  capacity: {{perReplica: 12}}
  replicas: {{min: 1, max: 400}}
  leadTime: {{declared: 2m}}
"""


def measure() -> list[Figure]:
    """Return the figures; about two minutes."""
    with tempfile.TemporaryDirectory() as folder:
        return [*of_start(Path(folder)), *of_replay(Path(folder)), *of_demo()]


def of_start(folder: Path) -> list[Figure]:
    """Return the time to the first answer of ten policies on a Prometheus, and the memory once all are fitted.

    Raises:
        RuntimeError: there is no Prometheus on this machine.
    """
    if reason := rig.missing_binary():
        raise RuntimeError(f"start and memory cannot be measured: {reason}")
    server = rig.PrometheusServer(_made(folder / "prometheus"))
    server.load_series("demand", _two_weeks())
    policies = _made(folder / "policies")
    for number in range(POLICIES):
        (policies / f"{number}.yaml").write_text(POLICY.format(name=f"policy-{number}"))
    port = rig.free_port()
    command = [*FORETIDE, "run", "--policies", str(policies), "--data-dir", str(folder / "data")]
    command += ["--grpc-address", f"127.0.0.1:{port}", "--http-address", "127.0.0.1:0", "--log-level", "error"]
    with rig.running(server):
        return _started([*command, "--prometheus-url", server.url], port)


def _started(command: list[str], port: int) -> list[Figure]:
    began = time.monotonic()
    with subprocess.Popen(command, cwd=ROOT) as agent:
        try:
            answered = _first_answers(port) - began
            _until_fitted(agent.pid)
            memory = psutil.Process(agent.pid).memory_info().rss / 2**20
            mapped = Path(f"/proc/{agent.pid}/maps").read_text()
        finally:
            agent.terminate()
    return [
        Figure(f"start to the first answer of all of {POLICIES} policies", answered, "s", 3.0),
        Figure("serving process, all fitted", memory, "MiB", 120.0),
        Figure("serving process has statsmodels mapped", float("statsmodels" in mapped), "0 or 1", 0.0),
    ]


def of_replay(folder: Path) -> list[Figure]:
    """Return the CPU of a replayed line, start and priming apart, refits included."""
    lines = 4 * 5760
    series = load(14 * 5760 + lines, STEP)
    _write_csv(folder / "past.csv", series.seconds()[:-lines], series.values[:-lines])
    policy = folder / "policy.yaml"
    policy.write_text(POLICY.format(name="replayed"))
    command = [*FORETIDE, "replay", "--policy", str(policy), "--history", str(folder / "past.csv")]
    text = [
        json.dumps({"time": second, "demand": value, "replicas": 9, "ready": 9}) + "\n"
        for second, value in zip(series.seconds()[-lines:].tolist(), series.values[-lines:].tolist(), strict=True)
    ]
    first = _cpu_of(command, text[:1])
    whole = _cpu_of(command, text)
    return [
        Figure("replay: start and priming from 14 d of 15 s", first, "s CPU"),
        Figure("replay: a line, refits included", 1000 * (whole - first) / (lines - 1), "ms CPU", 1.0),
    ]


def of_demo() -> list[Figure]:
    """Return how long a day of the demo takes, and how its two sides compare."""
    began = time.monotonic()
    done = subprocess.run([*FORETIDE, "demo", "--once", "--json"], cwd=ROOT, capture_output=True, text=True, check=True)
    took = time.monotonic() - began
    sides = json.loads(done.stdout)
    hours = sides["foretide"]["replica_hours"] / sides["reactive"]["replica_hours"]
    return [
        Figure("demo --once", took, "s", 45.0),
        Figure("demo: unserved, Foretide", sides["foretide"]["unserved_pct"], "%", sides["reactive"]["unserved_pct"]),
        Figure("demo: replica-hours over the HPA's", hours, "ratio", 1.1),
    ]


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder


def _two_weeks() -> Series:
    step = timedelta(minutes=1)
    end = grid_instant(grid_index(datetime.now(UTC), step), step)
    series = load(14 * 1440, step)
    return Series(end - (len(series) - 1) * step, step, series.values)


def _write_csv(file: Path, seconds: np.ndarray, values: np.ndarray) -> None:
    with file.open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["timestamp", "value"])
        writer.writerows(zip(seconds.tolist(), values.tolist(), strict=True))


def _first_answers(port: int) -> float:
    """Return when every policy had answered, on the monotonic clock."""
    missing = {f"policy-{number}" for number in range(POLICIES)}
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        scaler = ExternalScalerStub(channel)
        while missing:
            missing = {name for name in missing if not _answers(scaler, name)}
            time.sleep(0.01)
    return time.monotonic()


def _answers(scaler: ExternalScalerStub, name: str) -> bool:
    reference = ScaledObjectRef(name=name, namespace="ml", scalerMetadata={"policy": name})
    try:
        scaler.GetMetrics(GetMetricsRequest(scaledObjectRef=reference, metricName="foretide-replicas"))
    except grpc.RpcError:
        return False
    return True


def _until_fitted(pid: int) -> None:
    """Wait until the fit process has been idle for two seconds."""
    idle = 0
    while idle < 4:
        time.sleep(0.5)
        workers = psutil.Process(pid).children(recursive=True)
        before = sum(sum(worker.cpu_times()[:2]) for worker in workers)
        time.sleep(0.5)
        after = sum(sum(worker.cpu_times()[:2]) for worker in workers)
        idle = idle + 1 if workers and after - before < 0.02 else 0


def _cpu_of(command: list[str], lines: list[str]) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, cwd=ROOT, input="".join(lines), stdout=subprocess.DEVNULL, text=True, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
