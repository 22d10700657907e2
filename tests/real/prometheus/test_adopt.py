"""`foretide adopt` on what a real Prometheus has: the comparison is of the query that the trigger has."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from agent.cli import main
from forecasters.series import Series
from tests.fakes.adopted import prometheus_trigger, scaled_object
from tests.fakes.list_server import SCALED_OBJECTS, ListServer
from tests.real.prometheus import rig

pytestmark = pytest.mark.real

FOUR = ["hpa", "best_reactive", "foretide", "perfect"]


def adopted(folder: Path, query: str, *options: str, capacity: float = 16) -> Result:
    """Adopt a ScaledObject whose threshold is three quarters of the capacity."""
    trigger = prometheus_trigger(f"{0.75 * capacity}", query=query)
    with ListServer(folder) as cluster:
        cluster.lists[SCALED_OBJECTS] = [dict(scaled_object(trigger).document)]
        arguments = ["adopt", "chat", "-n", "ml", "--capacity", f"{capacity}", *options]
        return CliRunner().invoke(main, arguments, env={"KUBECONFIG": str(cluster.kubeconfig), "COLUMNS": "120"})


def test_the_triggers_own_query_is_played_at_its_own_target(
    history: rig.PrometheusServer, trace: Series, tmp_path: Path
) -> None:
    query, capacity = 'sum(requests{app="chat"})', round(float(np.nanmax(trace.values)) / 25, 3)
    result = adopted(tmp_path, query, "--prometheus-url", history.url, "--json", capacity=capacity)
    document = json.loads(result.stdout)
    assert document["targetUtilization"] == pytest.approx(0.75)
    played = document["whatIf"]["policies"]
    assert list(played) == FOUR
    assert played["perfect"]["cost"] == 1.0
    assert played["hpa"]["cost"] > 1.0
    assert played["hpa"]["replica_hours"] > played["perfect"]["replica_hours"]


def test_a_query_without_a_past_is_told_with_the_mend(history: rig.PrometheusServer, tmp_path: Path) -> None:
    result = adopted(tmp_path, "sum(nobody)", "--prometheus-url", history.url)
    assert result.exit_code == 2
    told = " ".join(result.stderr.split())
    assert "the past of sum(nobody) cannot be played: there is no value between" in told
    assert "give another with --query" in told
