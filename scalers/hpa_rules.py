"""What is set on an HPA with one external metric of type AverageValue and target 1, as KEDA makes it for us."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

MOST_REPLICAS = 2**15 - 1  # a simulation counts pods in 16 bits


@dataclass(frozen=True, slots=True)
class HpaRules:
    """Bounds, tolerance and `behavior`. The defaults are Kubernetes's (pkg/apis/autoscaling/v2/defaults.go).

    A limit of the behavior counts per sync of the HPA: Kubernetes's default period of 15 s is its default sync. Of
    percent and pods the larger counts, which is `selectPolicy: Max`.
    """

    minimum: int = 1  # replicas; from 0 KEDA wakes a target without its HPA, which is not simulated
    maximum: int = 1000
    tolerance_up: float = 0.1  # ratio
    tolerance_down: float = 0.1
    stabilization: timedelta = timedelta(seconds=300)  # of scaling down; scaling up has none
    up_percent: float = 100.0  # of the replicas there, at most per sync
    up_pods: int = 4
    down_percent: float = 100.0
    down_pods: int = 0
    is_rounded: bool = True  # whether KEDA's 3 decimals stand between answer and HPA

    def __post_init__(self) -> None:
        if not 1 <= self.minimum <= self.maximum <= MOST_REPLICAS:
            raise ValueError(
                f"HPA bounds must be 1 <= minimum <= maximum <= {MOST_REPLICAS}, got {self.minimum} and {self.maximum}"
            )
        if self.stabilization < timedelta(0):
            raise ValueError(f"HPA stabilization must not be below 0, got {self.stabilization}")
        for name in ("tolerance_up", "tolerance_down", "up_percent", "up_pods", "down_percent", "down_pods"):
            if getattr(self, name) < 0:
                raise ValueError(f"HPA {name} must not be below 0, got {getattr(self, name)}")
