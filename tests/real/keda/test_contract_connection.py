"""KEDA's contract, section 2: connections, retries and streams. Servers and KEDA's client are processes."""

from __future__ import annotations

import signal

import pytest

from tests.real.keda.conftest import Keda, Serve, Server

pytestmark = pytest.mark.real

METRIC = "s0-foretide-replicas"


def test_calls_go_in_turn_to_all_replicas_and_get_the_same_answer(server: Server, second: Server, keda: Keda) -> None:
    server.publish(10.7)
    second.publish(10.7)
    client = keda(server, second, polls=30, interval=0)
    assert {str(client.hear(event="poll")["metrics"]) for _ in range(30)} == {str({METRIC: 10.7})}
    shares = [len(each.rpcs().handled) for each in (server, second)]
    assert sum(shares) == 90  # GetMetricSpec, GetMetrics and IsActive for each poll
    assert min(shares) >= 40


def test_an_error_is_asked_for_once_more_at_once_and_that_is_all(server: Server, keda: Keda) -> None:
    server.publish(None, reason="no samples since 12:04")
    assert "UNAVAILABLE" in str(keda(server, polls=1).hear(event="poll")["error"])
    assert server.rpcs().handled == [
        ("GetMetricSpec", "OK"),
        ("GetMetrics", "UNAVAILABLE"),
        ("GetMetrics", "UNAVAILABLE"),
    ]


def test_an_answer_that_comes_between_the_two_tries_is_taken(serve: Serve, keda: Keda) -> None:
    server = serve("--patience", "5")
    server.register()
    client = keda(server, polls=1)
    server.until(lambda rpcs: rpcs.count("GetMetricSpec") == 1, "KEDA has begun to ask")
    server.publish(10.7)
    assert client.hear(event="poll")["metrics"] == {METRIC: 10.7}
    assert server.rpcs().count("GetMetrics") == 1


def test_calls_are_answered_while_the_policy_is_refused_and_none_takes_a_second(server: Server, keda: Keda) -> None:
    server.publish(10.7)
    client = keda(server, polls=200, interval=0)
    times = [float(str(client.hear(event="poll")["ms"])) for _ in range(200)]
    assert max(times) < 3 * 1000  # three calls, each far below KEDA's second
    server.publish(None, reason="no samples since 12:04")
    refused = keda(server, polls=20, interval=0)
    assert all("no samples since 12:04" in str(refused.hear(event="poll")["error"]) for _ in range(20))


def test_streams_that_break_are_opened_again_after_a_pause_that_doubles(server: Server, keda: Keda) -> None:
    server.publish(2.0)
    client = keda(server, push=True, interval=60)
    client.hear(event="pushed")
    server.popen.kill()
    ends = [client.hear(event="stream ended", rpc="StreamIsActive") for _ in range(2)]
    assert [(end["code"], end["pause"]) for end in ends] == [("UNAVAILABLE", 2.0), ("UNAVAILABLE", 4.0)]


def test_streams_that_end_by_age_are_opened_again_soon_each_time(serve: Serve, keda: Keda) -> None:
    server = serve("--stream-age", "0.3")
    server.publish(2.0)
    client = keda(server, push=True, interval=60)
    ends = [client.hear(event="stream ended", rpc="StreamIsActive") for _ in range(3)]
    assert [(end["code"], end["pause"]) for end in ends] == [("OK", 2.0)] * 3
    server.until(lambda rpcs: rpcs.opened.count("StreamIsActive") >= 3, "the stream comes back")


def test_a_connection_that_grows_old_costs_no_call_and_cuts_no_stream(serve: Serve, keda: Keda) -> None:
    server = serve("--age", "1", "--stream-age", "1")
    server.publish(10.7)
    client = keda(server, push=True, interval=0.002)
    ended = [client.hear(event="stream ended") for _ in range(4)]
    assert {end["code"] for end in ended} == {"OK"}
    client.popen.stdin.close()
    polls = [line for line in client.rest() if line["event"] == "poll"]
    assert len(polls) > 100
    assert {str(poll.get("error", "answered")) for poll in polls} == {"answered"}


def test_a_client_whose_machine_is_gone_is_noticed_by_the_servers_pings(serve: Serve, keda: Keda) -> None:
    server = serve("--keepalive", "1")
    server.publish(2.0)
    client = keda(server, push=True, interval=60)
    server.until(lambda rpcs: rpcs.open_streams == 2, "both streams are open")
    client.popen.send_signal(signal.SIGSTOP)  # its kernel takes bytes on, and nobody answers a ping
    heard = server.until(lambda rpcs: rpcs.open_streams == 0, "the streams are let go", within=15)
    assert {code for _, code in heard.closed} == {"CANCELLED"}


def test_an_idle_target_is_pushed_to_when_it_must_wake_and_only_then(server: Server, keda: Keda) -> None:
    server.publish(0.0)
    client = keda(server, push=True, interval=60)
    client.hear(event="pushed", active=False)
    for replicas in (0.0, 3.0, 4.0, 5.0):
        server.publish(replicas)
    client.hear(event="pushed", active=True)
    server.publish(0.0)
    client.hear(event="pushed", active=False)
    assert not [line for line in client._passed_over if line["event"] == "pushed"]


def test_the_specs_of_a_stream_are_those_of_the_call(server: Server, keda: Keda) -> None:
    server.publish(2.0)
    client = keda(server, push=True, polls=1)
    polled, streamed = client.hear(event="poll"), client.hear(event="spec")
    assert streamed["targets"] == {name.removeprefix("s0-"): target for name, target in polled["targets"].items()}


def test_a_stream_of_an_unknown_policy_ends_with_not_found_and_comes_back_when_there_is_one(
    server: Server, keda: Keda
) -> None:
    client = keda(server, push=True, interval=60)
    assert client.hear(event="stream ended", rpc="StreamIsActive")["code"] == "NOT_FOUND"
    server.publish(2.0)
    assert client.hear(event="pushed")["active"] is True
