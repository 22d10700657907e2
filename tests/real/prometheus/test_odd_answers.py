"""Answers that a healthy Prometheus does not give: from proxies, Thanos, overloaded and broken servers."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs

import pytest

from agent.configuration import HeaderValue, PrometheusAddress
from agent.sources.prometheus import PrometheusServer, PrometheusSource
from agent.sources.source import SignalState, SourceError

pytestmark = pytest.mark.real

NOW = datetime(2026, 11, 24, 12, 0, 0, tzinfo=UTC)
STAMP = NOW.timestamp()


class Stand(ThreadingHTTPServer):
    """Gives the scripted answers in turn, the last one for ever, and keeps what it was asked."""

    daemon_threads = True

    def __init__(self) -> None:
        self.answers: list[tuple[int, bytes]] = []
        self.asked: list[tuple[str, dict[str, list[str]], dict[str, str]]] = []
        stand = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                form = self.rfile.read(int(self.headers["Content-Length"])).decode()
                stand.asked.append((self.path, parse_qs(form), dict(self.headers)))
                status, body = stand.answers.pop(0) if len(stand.answers) > 1 else stand.answers[0]
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                if 300 <= status < 400:
                    self.send_header("Location", "http://elsewhere.invalid/")
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        super().__init__(("127.0.0.1", 0), Handler)


@pytest.fixture
def stand() -> Iterator[Stand]:
    stand = Stand()
    thread = threading.Thread(target=stand.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield stand
    stand.shutdown()
    stand.server_close()
    thread.join()


@pytest.fixture
def server(stand: Stand) -> Iterator[PrometheusServer]:
    address = PrometheusAddress(url=f"http://127.0.0.1:{stand.server_port}", timeout=timedelta(seconds=2))
    with closing(PrometheusServer("default", address)) as server:
        yield server


def _vector(value: str = "5", *, at: float = STAMP, **more: object) -> bytes:
    result = [{"metric": {}, "value": [at, value]}]
    return json.dumps({"status": "success", "data": {"resultType": "vector", "result": result}, **more}).encode()


def _error(kind: str, text: str) -> bytes:
    return json.dumps({"status": "error", "errorType": kind, "error": text}).encode()


def _source(server: PrometheusServer, query: str = "vector(5)") -> PrometheusSource:
    return PrometheusSource(server, query, step=timedelta(seconds=15), delay=timedelta(0))


async def _failure(server: PrometheusServer) -> SourceError:
    with pytest.raises(SourceError) as caught:
        await _source(server).latest(NOW)
    return caught.value


@pytest.mark.parametrize(
    ("status", "body", "state", "is_retriable", "said"),
    [
        (401, b"", SignalState.UNAUTHORIZED, False, "HTTP 401: Unauthorized"),
        (403, b"tenant not allowed", SignalState.UNAUTHORIZED, False, "HTTP 403: tenant not allowed"),
        (400, _error("bad_data", "unknown function"), SignalState.BAD_QUERY, False, "HTTP 400: unknown function"),
        (422, _error("execution", "too many samples"), SignalState.BAD_QUERY, False, "HTTP 422: too many samples"),
        (503, _error("timeout", "query timed out"), SignalState.TIMED_OUT, True, "query timed out"),
        (429, b"slow down", SignalState.REFUSED, True, "HTTP 429: slow down"),
        (404, b"<html>nothing</html>", SignalState.REFUSED, False, "HTTP 404"),
        (302, b"", SignalState.REFUSED, False, "HTTP 302: Found"),
        (500, b"", SignalState.UNAVAILABLE, True, "HTTP 500: Internal Server Error"),
        (502, b"bad gateway", SignalState.UNAVAILABLE, True, "HTTP 502: bad gateway"),
        (200, b"<html>log in</html>", SignalState.MALFORMED, False, "not the query API's JSON"),
        (200, b'{"status":"success"}', SignalState.MALFORMED, False, "not the query API's JSON"),
        (200, b'{"status":"success","data":{"resultType":"vector","result":[{"metric":{},"value":[1,"x"]}]}}',
         SignalState.MALFORMED, False, "'x' is not a number"),
        (200, b'{"status":"success","data":{"resultType":"vector","result":[{"metric":{},"histogram":[1,{}]}]}}',
         SignalState.BAD_QUERY, False, "a native histogram"),
        (200, _vector("5", at=STAMP + 60), SignalState.FROM_THE_FUTURE, True, "+60 s off"),
        (200, _vector("5", at=STAMP - 60), SignalState.STALE, True, "-60 s off"),
        (200, _vector("5", warnings=["store 10.0.0.1 did not answer"]), SignalState.PARTIAL, True, "10.0.0.1"),
    ],
)  # fmt: skip
async def test_an_answer_that_is_no_demand_has_a_name(
    stand: Stand,
    server: PrometheusServer,
    status: int,
    body: bytes,
    state: SignalState,
    is_retriable: bool,
    said: str,
) -> None:
    stand.answers = [(status, body)]
    error = await _failure(server)

    assert (error.state, error.is_retriable) == (state, is_retriable)
    assert said in str(error)
    assert str(error).startswith("source default: query vector(5): ")
    assert error.mend


async def test_a_failure_that_passes_is_tried_again_within_the_deadline(stand: Stand, server: PrometheusServer) -> None:
    stand.answers = [(503, b""), (429, b""), (200, _vector())]
    reading = await _source(server).latest(NOW)

    assert reading.sample.value == 5.0
    assert len(stand.asked) == 3


async def test_a_failure_that_stays_is_not_tried_again(stand: Stand, server: PrometheusServer) -> None:
    stand.answers = [(400, _error("bad_data", "no"))]
    await _failure(server)

    assert len(stand.asked) == 1


async def test_an_annotation_of_the_query_does_not_make_its_data_partial(
    stand: Stand, server: PrometheusServer
) -> None:
    stand.answers = [(200, _vector(warnings=["PromQL warning: bucket label is missing"], infos=["PromQL info: x"]))]
    reading = await _source(server).latest(NOW)

    assert reading.sample.value == 5.0


async def test_a_backfill_keeps_the_warnings_and_counts_what_it_drops(stand: Stand, server: PrometheusServer) -> None:
    values = [[STAMP, "1"], [STAMP + 15, "NaN"], [STAMP + 30, "+Inf"], [STAMP + 45, "-1"], [STAMP + 60, "2"]]
    data = {"resultType": "matrix", "result": [{"metric": {}, "values": values}]}
    stand.answers = [(200, json.dumps({"status": "success", "data": data, "warnings": ["one store is down"]}).encode())]
    backfill = await _source(server).range(NOW, NOW + timedelta(seconds=60), timedelta(seconds=15))

    assert backfill.series.values.tolist()[::4] == [1.0, 2.0]
    assert backfill.series.present == 2
    assert backfill.dropped == 3
    assert backfill.warnings == ("one store is down",)


async def test_a_span_is_asked_for_in_pieces_that_do_not_overlap(stand: Stand, server: PrometheusServer) -> None:
    stand.answers = [(200, b'{"status":"success","data":{"resultType":"matrix","result":[]}}')]
    await _source(server).range(NOW, NOW + 8_000 * timedelta(seconds=15), timedelta(seconds=15))

    spans = [(float(form["start"][0]) - STAMP, float(form["end"][0]) - STAMP) for _, form, _ in stand.asked]
    assert spans == [(0.0, 59_985.0), (60_000.0, 119_985.0), (120_000.0, 120_000.0)]


async def test_the_query_is_in_the_body_with_a_time_limit_below_ours(stand: Stand, server: PrometheusServer) -> None:
    stand.answers = [(200, _vector())]
    await _source(server).latest(NOW)

    path, form, _ = stand.asked[0]
    assert path == "/api/v1/query"
    assert form["query"] == ["vector(5)"]
    assert form["time"] == ["1795521600.000"]
    assert 1.0 < float(form["timeout"][0]) <= 1.8


async def test_an_endless_answer_is_cut_off(stand: Stand, server: PrometheusServer) -> None:
    stand.answers = [(200, b" " * (33 << 20))]
    error = await _failure(server)

    assert error.state is SignalState.SEVERAL_SERIES
    assert "larger than 32 MiB" in str(error)


@pytest.fixture
def with_secret(stand: Stand, tmp_path: Path) -> Iterator[PrometheusServer]:
    (tmp_path / "token").write_text("s3cr3t-token\n")
    address = PrometheusAddress(
        url=f"http://127.0.0.1:{stand.server_port}",
        bearer_token_file=tmp_path / "token",
        headers={"X-Scope-OrgID": HeaderValue(text="team-7")},
    )
    with closing(PrometheusServer("default", address)) as server:
        yield server


async def test_token_and_tenant_are_sent(stand: Stand, with_secret: PrometheusServer) -> None:
    stand.answers = [(200, _vector())]
    await _source(with_secret).latest(NOW)

    headers = stand.asked[0][2]
    assert headers["Authorization"] == "Bearer s3cr3t-token"
    assert headers["X-Scope-OrgID"] == "team-7"


@pytest.mark.parametrize("shown", [str, repr, lambda error: repr(error.__cause__)])
async def test_a_secret_that_the_server_repeats_is_not_shown(
    stand: Stand, with_secret: PrometheusServer, shown: Callable[[SourceError], str]
) -> None:
    stand.answers = [(403, b"token s3cr3t-token is not allowed here")]

    assert "s3cr3t" not in shown(await _failure(with_secret))
