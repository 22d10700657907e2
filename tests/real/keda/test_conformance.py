"""KEDA's contract, row by row, with the server and KEDA's client in processes of their own."""

from __future__ import annotations

import signal
import time

import pytest

from tests.real.keda.conftest import Keda, Server

pytestmark = pytest.mark.real

METRIC = "s0-foretide-replicas"


def test_get_metric_spec_needs_no_state(server: Server, keda: Keda) -> None:
    client = keda(server, policy="nobody-knows", push=True)
    assert client.hear(event="spec")["targets"] == {"foretide-replicas": 1.0}
    assert "NOT_FOUND" in str(client.hear(event="poll")["error"])


def test_one_spec_one_value_float_first(server: Server, keda: Keda) -> None:
    server.publish(10.7)
    polled = keda(server, polls=1).hear(event="poll")
    assert (polled["metrics"], polled["targets"], polled["active"]) == ({METRIC: 10.7}, {METRIC: 1.0}, True)


def test_zero_is_said_only_of_observed_idleness(server: Server, keda: Keda) -> None:
    server.publish(0.0)
    polled = keda(server, polls=1).hear(event="poll")
    assert (polled["metrics"], polled["active"]) == ({METRIC: 0.0}, False)


def test_a_tiny_need_is_not_printed_as_zero(server: Server, keda: Keda) -> None:
    server.publish(0.0000001)
    assert keda(server, polls=1).hear(event="poll")["metrics"] == {METRIC: 0.001}


@pytest.mark.parametrize(
    ("order", "reason"),
    [
        ({"register": "chat"}, "no decision yet"),
        ({"policy": "chat", "replicas": None, "reason": "no samples since 12:04"}, "no samples since 12:04"),
        ({"policy": "chat", "replicas": 3.0, "valid_for": -1}, "the agent's decision loop is not running"),
    ],
    ids=["cold", "refused", "expired"],
)
def test_lack_of_knowledge_is_an_error_and_never_a_zero(
    server: Server, keda: Keda, order: dict[str, object], reason: str
) -> None:
    server.say(**order)
    server.hear(done=True)
    error = str(keda(server, polls=1).hear(event="poll")["error"])
    assert error.startswith("UNAVAILABLE: policy ml/chat has no answer: ")
    assert reason in error


def test_a_stream_says_the_state_when_it_opens_and_each_change_at_once(server: Server, keda: Keda) -> None:
    server.publish(0.0)
    client = keda(server, push=True, interval=60)
    heard = [client.hear(event="pushed")["active"]]
    for replicas in (2.0, 0.0):
        server.publish(replicas)
        heard.append(client.hear(event="pushed")["active"])
    assert heard == [False, True, False]


def test_streams_end_with_ok_at_a_stop_so_that_the_back_off_begins_anew(server: Server, keda: Keda) -> None:
    server.publish(2.0)
    client = keda(server, push=True, interval=60)
    client.hear(event="pushed")
    client.hear(event="spec")
    server.popen.send_signal(signal.SIGTERM)
    ends = [client.hear(event="stream ended") for _ in range(2)]
    assert {(end["rpc"], end["code"], end["pause"]) for end in ends} == {
        ("StreamIsActive", "OK", 2.0),
        ("StreamMetricSpec", "OK", 2.0),
    }
    assert server.popen.wait(timeout=10) == 0


def test_a_client_with_a_second_endpoint_sees_no_failure_when_one_is_stopped(
    server: Server, second: Server, keda: Keda
) -> None:
    server.publish(10.7)
    second.publish(10.7)
    client = keda(server, second, interval=0)
    client.hear(event="poll")
    server.popen.send_signal(signal.SIGTERM)
    assert server.popen.wait(timeout=10) == 0
    client.popen.stdin.close()
    polls = [line for line in client.rest() if line["event"] == "poll"]
    assert len(polls) > 50
    assert {str(poll.get("error", "answered")) for poll in polls} == {"answered"}


def test_a_replica_that_is_killed_costs_one_more_try_and_no_answer(server: Server, second: Server, keda: Keda) -> None:
    server.publish(10.7)
    second.publish(10.7)
    client = keda(server, second, interval=0)
    client.hear(event="poll")
    server.popen.kill()
    server.popen.wait(timeout=10)
    client.forget()
    for _ in range(50):
        assert client.hear(event="poll").get("metrics") == {METRIC: 10.7}


def test_a_policy_that_appears_is_answered_at_the_next_poll(server: Server, keda: Keda) -> None:
    client = keda(server, policy="chat", interval=0)
    assert "NOT_FOUND" in str(client.hear(event="poll")["error"])
    server.publish(3.0)
    began = time.monotonic()
    while "error" in client.hear(event="poll"):
        assert time.monotonic() - began < 5
