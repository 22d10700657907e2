"""The main line against a real Prometheus, asked by KEDA's client in another process."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from tests.real.agent.process import AgentProcess
from tests.real.prometheus.rig import Exporter, PrometheusServer

pytestmark = pytest.mark.real


def is_answering(agent: AgentProcess) -> bool:
    return "metrics" in agent.poll()


def answers_at_least(replicas: float) -> Callable[[AgentProcess], bool]:
    """One poll that has an answer, and a high one; just after the start there may be none for a moment."""

    def claim(agent: AgentProcess) -> bool:
        metrics = agent.poll().get("metrics")
        return isinstance(metrics, dict) and metrics["s0-foretide-replicas"] >= replicas

    return claim


def fitting_processes(agent: AgentProcess) -> int:
    assert agent.popen is not None
    children = psutil.Process(agent.popen.pid).children()
    return sum("spawn_main" in " ".join(child.cmdline()) for child in children)


def test_what_prometheus_scraped_is_what_keda_gets(agent: AgentProcess, exporter: Exporter) -> None:
    agent.write_policy(query='max(demand{job="demand"})')  # what is scraped alone: without a past, nothing is foretold
    with agent:
        assert agent.replicas() == 5.0
        exporter.value = 240.0
        agent.until(answers_at_least(20.0), "a rise is answered")
        assert agent.replicas() == 20.0


def test_the_past_in_prometheus_earns_trust_at_the_start(agent: AgentProcess) -> None:
    with agent:
        agent.until(lambda each: each.condition("ForecastTrusted")["status"] is True, "the forecast is trusted")
        # a sample that is late on a busy machine holds the answer for a second
        agent.until(lambda each: each.policy()["state"] == "Trusted", "the answer rests on it")
        assert 5.0 <= agent.replicas() < 10.0  # in the calm, halfway between two rushes that need 20


def test_as_many_processes_fit_as_the_configuration_says(prometheus: PrometheusServer, tmp_path: Path) -> None:
    prepared = AgentProcess(tmp_path, "--prometheus-url", prometheus.url, config="fits: {processes: 2}")
    prepared.write_policy()
    with prepared as agent:
        agent.until(lambda each: fitting_processes(each) == 2, "two processes fit")


def test_a_hung_prometheus_delays_no_answer_lowers_none_and_then_ends_in_an_error(
    agent: AgentProcess, exporter: Exporter, prometheus: PrometheusServer
) -> None:
    exporter.value = 120.0
    with agent:
        agent.until(answers_at_least(10.0), "an answer")
        before = agent.replicas()
        exporter.value = 12.0
        prometheus.pause()
        answers = []
        while "metrics" in (answer := agent.poll()):
            answers.append(answer)
        assert answers
        assert all(answer["metrics"]["s0-foretide-replicas"] >= before - 0.5 for answer in answers)  # type: ignore[index]
        assert all(answer["ms"] < 1000 for answer in answers)  # type: ignore[operator]
        assert "past staleness.data of 8 s" in str(answer["error"])
        assert agent.condition("DataFresh")["status"] is False
        prometheus.resume()
        agent.until(is_answering, "answers are back")


def test_a_restarted_prometheus_is_read_again(agent: AgentProcess, prometheus: PrometheusServer) -> None:
    with agent:
        agent.until(is_answering, "an answer")
        prometheus.stop()
        agent.until(lambda each: each.condition("DataFresh")["reason"] == "Unavailable", "the outage is told")
        prometheus.start()
        agent.until(lambda each: each.condition("DataFresh")["status"] is True, "the return is told")
        agent.until(is_answering, "answers are back")


def test_an_agent_killed_and_started_again_answers_no_lower(agent: AgentProcess, exporter: Exporter) -> None:
    exporter.value = 240.0
    agent.start()
    agent.until(answers_at_least(20.0), "a high answer")
    last = agent.replicas()
    agent.kill()
    exporter.value = 12.0
    with agent:
        first = next(answer for answer in iter(agent.poll, None) if "metrics" in answer)
    assert first["metrics"]["s0-foretide-replicas"] >= last  # type: ignore[index]


def test_a_query_of_several_series_is_told_with_its_mend(agent: AgentProcess) -> None:
    # of several series from the first query on, also where Prometheus has not scraped yet
    agent.write_policy(query="demand or vector(1)")
    with agent:
        agent.until(lambda each: each.condition("DataFresh")["reason"] == "SeveralSeries", "the state is named")
        assert "sum(" in str(agent.condition("DataFresh")["message"])
        assert "error" in agent.poll()


def test_a_policy_that_is_edited_is_taken_up_without_a_restart(agent: AgentProcess) -> None:
    with agent:
        agent.until(is_answering, "an answer")
        agent.write_policy(mode="Shadow")
        agent.until(lambda each: each.policy()["mode"] == "Shadow", "the edit is taken up")
        (agent.policies / "chat.yaml").write_text("kind: nonsense")
        agent.until(lambda each: "policies_refused" in each.log.read_text(), "the broken edit is told")
        assert agent.policy()["mode"] == "Shadow"


def test_the_serving_process_never_loads_statsmodels(agent: AgentProcess) -> None:
    with agent:
        agent.until(lambda each: each.condition("ForecastTrusted")["status"] is True, "fits have run")
        assert agent.popen is not None
        mapped = Path(f"/proc/{agent.popen.pid}/maps").read_text()
    assert "numpy" in mapped
    assert "statsmodels" not in mapped
    assert "pandas" not in mapped


def test_sigterm_ends_with_exit_code_0_and_keeps_what_was_learned(agent: AgentProcess) -> None:
    agent.start()
    agent.until(lambda each: each.condition("ForecastTrusted")["status"] is True, "fits have run")
    assert agent.terminate() == 0
    with agent:
        agent.until(lambda each: each.condition("ForecastTrusted")["status"] is True, "trust is there again")
