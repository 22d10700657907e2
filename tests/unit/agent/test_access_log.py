from __future__ import annotations

import logging
import random
import threading
from collections.abc import Iterator

import pytest
import structlog

from agent.access_log import AccessLog, Sampling
from scalers.keda.call_log import EndedCall

ANSWERED = EndedCall("GetMetrics", "OK", 0.0004, "ipv4:10.0.0.7:41234", "ml", "chat", "chat", None)
REFUSED = EndedCall("IsActive", "NOT_FOUND", 0.0003, "ipv4:10.0.0.7:41234", "ml", "chat", "chatt", "there is none")


class Lines(logging.Handler):
    """Keeps what was logged, and may be stuck as a pipe that nobody reads."""

    def __init__(self) -> None:
        super().__init__()
        self.facts: list[dict[str, object]] = []
        self.goes_on = threading.Event()
        self.goes_on.set()

    def emit(self, record: logging.LogRecord) -> None:
        self.goes_on.wait(timeout=10)
        assert isinstance(record.msg, dict)
        self.facts.append(record.msg)


@pytest.fixture
def lines() -> Iterator[Lines]:
    structlog.configure(
        processors=[structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
    )
    handler, log = Lines(), logging.getLogger("access")
    log.addHandler(handler)
    log.setLevel("INFO")
    yield handler
    log.removeHandler(handler)
    log.setLevel("NOTSET")
    structlog.reset_defaults()


def taken_of(share: float, count: int) -> int:
    sampling = Sampling(share, random.Random(4).random)
    return sum(sampling.takes() for _ in range(count))


@pytest.mark.parametrize(("share", "least", "most"), [(0.0, 0, 0), (1.0, 100_000, 100_000), (0.01, 900, 1100)])
def test_a_share_of_the_calls_is_taken(share: float, least: int, most: int) -> None:
    assert least <= taken_of(share, 100_000) <= most


def test_calls_that_come_in_turn_are_taken_alike() -> None:
    sampling = Sampling(0.1, random.Random(4).random)
    taken = [turn for number in range(100_000) for turn in [number % 2] if sampling.takes()]
    assert 0.45 < sum(taken) / len(taken) < 0.55


def test_a_call_is_one_line_of_facts(lines: Lines) -> None:
    log = AccessLog(share=1.0, refused_per_minute=12)
    log.begin()
    assert log.takes_answered()
    log.write(ANSWERED)
    log.close()
    assert lines.facts == [
        {
            "event": "keda_call",
            "rpc": "GetMetrics",
            "code": "OK",
            "seconds": 0.0004,
            "namespace": "ml",
            "scaled_object": "chat",
            "policy": "chat",
            "peer": "ipv4:10.0.0.7:41234",
        }
    ]


def test_refused_calls_are_bounded_and_the_next_line_says_how_many_were_left_out(lines: Lines) -> None:
    seconds = 1000.0
    log = AccessLog(share=0.0, refused_per_minute=3, monotonic=lambda: seconds)
    log.begin()
    for _ in range(100):
        if log.takes_refused():
            log.write(REFUSED)
    seconds += 20
    assert log.takes_refused()
    log.write(REFUSED)
    log.close()
    assert [facts.get("left_out") for facts in lines.facts] == [None, None, None, 97]
    assert {facts["reason"] for facts in lines.facts} == {"there is none"}


def test_a_log_that_takes_nothing_keeps_no_call_waiting_and_says_later_what_it_lost(lines: Lines) -> None:
    log = AccessLog(share=1.0, refused_per_minute=12)
    log.begin()
    lines.goes_on.clear()
    for _ in range(5000):
        log.write(ANSWERED)
    lines.goes_on.set()
    log.close()
    log._thread.join(timeout=20)  # on a busy machine a thousand lines take longer than `close` has patience
    assert len(lines.facts) in {1000, 1001}
    lost = sum(int(str(facts.get("lost", 0))) for facts in lines.facts)
    assert lost + len(lines.facts) + log._lost == 5000


def test_a_log_that_never_began_closes_without_harm() -> None:
    AccessLog(share=1.0, refused_per_minute=12).close()
