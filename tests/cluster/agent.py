"""Foretide as its users run it, with demand that a test writes into a file."""

from __future__ import annotations

import signal
import time
from pathlib import Path

import grpc
import requests

from scalers.keda.metrics import METRIC_NAME
from scalers.keda.proto.externalscaler_pb2 import GetMetricsRequest, ScaledObjectRef
from scalers.keda.proto.externalscaler_pb2_grpc import ExternalScalerStub
from tests.cluster.given import HOST
from tests.cluster.installed import Account
from tests.cluster.processes import free_port
from tests.real.agent.process import LONGEST, AgentProcess

_PLAIN = () if HOST == "127.0.0.1" else ("--grpc-insecure",)
_AHEAD = 1800  # seconds of demand that are written at once; the agent reads no row before its time

POLICY = """
apiVersion: foretide.dev/v1alpha1
kind: ForecastPolicy
metadata: {{name: chat, namespace: {namespace}}}
spec:
  mode: Active
  scaleTargetRef: {{apiVersion: apps/v1, kind: Deployment, name: chat}}
  demand: {{{source}, step: 1s}}
  capacity: {{perReplica: 1}}
  replicas: {{min: 0, max: 40}}
  leadTime: {{declared: 10s}}
  forecast: {{history: 1d, horizon: 10m}}
  staleness: {{forecast: 5s, data: 8s}}
"""


def answer(port: int, namespace: str, policy: str = "chat") -> float | str:
    """Return what KEDA would get for a policy from an agent of this machine, or the code of an error."""
    reference = ScaledObjectRef(name=policy, namespace=namespace, scalerMetadata={"policy": policy})
    with grpc.insecure_channel(f"{HOST}:{port}") as channel:
        request = GetMetricsRequest(scaledObjectRef=reference, metricName=METRIC_NAME)
        try:
            reply = ExternalScalerStub(channel).GetMetrics(request, timeout=2)
        except grpc.RpcError as error:
            return str(error.code().name)  # it is a call too
        return float(reply.metricValues[0].metricValueFloat)


class ClusterAgent(AgentProcess):
    """An agent of a release, which knows of no policies but what the cluster says."""

    def __init__(
        self, folder: Path, account: Account, namespace: str, *options: str, acts_everywhere: bool = False
    ) -> None:
        """Prepare a folder, as any agent.

        Args:
            folder: for its log.
            account: who it is to the cluster.
            namespace: of the policies that it acts on and is asked for.
            options: further command line.
            acts_everywhere: on the policies of all namespaces, as one that the chart installs by default.
        """
        folder.mkdir(exist_ok=True)
        super().__init__(folder, "--grpc-address", f"{HOST}:0", *_PLAIN, *options)
        self._account = account
        self._namespace = namespace
        self._namespaces = [] if acts_everywhere else ["--namespace", namespace]

    def whose_policies(self) -> list[str]:
        return ["--kubeconfig", str(self._account.kubeconfig), *self._namespaces]

    def environment(self) -> dict[str, str]:
        return {"POD_NAMESPACE": self._account.namespace}  # as the chart's Deployment says it

    @property
    def address(self) -> str:
        """Where KEDA asks it, once it is started."""
        return f"{HOST}:{self.grpc_port}"

    def ask(self) -> float | str:
        """Return the answer that KEDA would get, or the code of an error."""
        return answer(self.grpc_port, self._namespace)


class DemandedAgent(AgentProcess):
    """An agent with the policy `chat`, whose one replica serves a demand of 1; always on the same gRPC port."""

    def __init__(self, folder: Path, namespace: str, *options: str, config: str | None = None) -> None:
        self.address = f"{HOST}:{free_port()}"
        super().__init__(folder, "--grpc-address", self.address, *_PLAIN, *options, config=config)
        self._demand = folder / "demand.csv"
        self._rows: list[tuple[int, float]] = []
        self.demand(0)
        self._namespace = namespace
        self.read(f"csv: {{path: {self._demand}}}")

    def read(self, source: str) -> None:
        """Let the policy read its demand from another source than the file."""
        (self.policies / "chat.yaml").write_text(POLICY.format(namespace=self._namespace, source=source))

    def demand(self, value: float) -> None:
        """Let the demand be so from now on."""
        now = int(time.time())
        self._write([*self._until(now), *((now + second, value) for second in range(_AHEAD))])

    def lose_demand(self) -> None:
        """Let the samples stop."""
        self._write(self._until(int(time.time())))

    def freeze(self) -> None:
        """Stop answering without closing a connection, as a process that hangs."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self._signal(signal.SIGCONT)

    def rpcs(self, rpc: str, code: str = "OK") -> float:
        """Return how many calls of a kind have ended so."""
        return self._metric(f'foretide_grpc_handled_total{{code="{code}",rpc="{rpc}"}}')

    def streams(self, rpc: str) -> float:
        """Return how many streams of a kind are open."""
        return self._metric(f'foretide_grpc_streams{{rpc="{rpc}"}}')

    def ended(self, rpc: str) -> float:
        """Return how many calls of a kind have ended, however they did."""
        return sum(
            value for series, value in self._metrics() if "_handled_total" in series and f'rpc="{rpc}"' in series
        )

    def _metric(self, series: str) -> float:
        return next((value for name, value in self._metrics() if name == series), 0.0)

    def _metrics(self) -> list[tuple[str, float]]:
        text = requests.get(f"{self.http}/metrics", timeout=LONGEST).text
        parted = (line.rpartition(" ") for line in text.splitlines() if not line.startswith("#"))
        return [(series, float(value)) for series, _, value in parted]

    def _until(self, now: int) -> list[tuple[int, float]]:
        return [row for row in self._rows if row[0] < now]

    def _write(self, rows: list[tuple[int, float]]) -> None:
        self._rows = rows
        written = self._demand.with_suffix(".new")
        written.write_text("timestamp,value\n" + "".join(f"{at},{value}\n" for at, value in rows))
        written.replace(self._demand)

    def _signal(self, number: int) -> None:
        assert self.popen is not None
        self.popen.send_signal(number)
