"""Demand read from Prometheus and what speaks its query API (Thanos, Mimir, VictoriaMetrics).

A `PrometheusServer` is one named source of the configuration: its address, credentials and few threads. A
`PrometheusSource` is one signal of one policy: a query on such a server. What a stale or strange reading means for
replicas is decided elsewhere.
"""

from agent.sources.prometheus.server import PrometheusServer
from agent.sources.prometheus.signal import PrometheusSource

__all__ = ["PrometheusServer", "PrometheusSource"]
