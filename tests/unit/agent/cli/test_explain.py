from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from click.testing import CliRunner, Result

from agent.cli import main
from agent.snapshot import Condition, PolicySnapshot
from agent.web import Readiness, create_app
from agent.web.server import HttpAddress, HttpServer
from forecasters.ceiling import Ceiling
from scalers.decision import Fall, LearnedCapacity
from scalers.policy import PolicyKey
from tests.fakes.book import NOON, InventedBook, SteppedClock

CHAT = PolicyKey("ml", "chat")
LEARNED = "capacity 12 learned from 412 samples, 90 % sure between 12 and 13.6; declared 10"


class AnnotatedBook(InventedBook):
    """The invented policies: ml/chat's words hold brackets, ml/translate's demand fell, train/finetune-lora is new."""

    def snapshot(self, key: PolicyKey) -> PolicySnapshot | None:
        found = super().snapshot(key)
        if found is None or found.decision is None:
            return found
        if key.name == "finetune-lora":
            return replace(found, decision=None)
        if key.name == "translate":
            fall = Fall(NOON - timedelta(minutes=20), NOON + timedelta(minutes=100), before=240.0, is_back=False)
            ceiling = Ceiling(180.0, 2, timedelta(hours=3), timedelta(hours=2), NOON - timedelta(days=1))
            learned = LearnedCapacity(NOON, 12.0, 10.0, 12.0, 13.6, 0.9, 412.0, LEARNED)
            signals = tuple(
                replace(each, fall=fall, ceiling=ceiling, learned=learned) for each in found.decision.signals
            )
            none = Condition("Conflict", False, "NoneFound", "nothing else was found", NOON)
            conditions = (*found.conditions, none)
            return replace(found, decision=replace(found.decision, signals=signals), conditions=conditions)
        if key == CHAT:
            empty = Condition("DataFresh", False, "Empty", "sum(rate(requests[1m])) is empty; look [/at] it", NOON)
            sentence = "at least 10 set by ml: [INC-12] launch; 5 needed"
            return replace(found, decision=replace(found.decision, sentence=sentence), conditions=(empty,))
        return found


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """An agent's own HTTP server over invented policies, on a free loopback port."""
    clock = SteppedClock()
    app = create_app(
        AnnotatedBook(clock),
        clock=clock,
        readiness=lambda: Readiness(is_ready=True),
        exposition=lambda: b"",
        comparison=None,
        page=None,
    )
    server = HttpServer(app, HttpAddress("127.0.0.1", 0))
    bound = server.bind()
    thread = threading.Thread(target=lambda: asyncio.run(server.serve()))
    thread.start()
    yield f"http://{bound}"
    server.stop()
    thread.join()


def explained(address: str, *arguments: str) -> Result:
    return CliRunner().invoke(main, ["explain", *arguments, "--address", address], env={"COLUMNS": "200"})


def test_a_conflict_is_told_and_that_there_is_none_is_not(address: str) -> None:
    told = explained(address, "rerank", "-n", "search").output
    assert "Conflict: TwoScalers: HPA rerank-cpu also scales Deployment/rerank" in told
    assert "Conflict" not in explained(address, "translate", "-n", "ml").output


def test_a_decision_is_told_from_its_sentence_to_the_answer(address: str) -> None:
    shown = explained(address, "translate", "-n", "ml").stdout
    told = [
        "ml/translate  Active  forecast  at 2026-11-17T14:29:45Z",
        "Signal demand",
        "median of the peak",
        "99.00% quantile",
        "one replica serves",
        "harmonic at 77% answers since 13:57:15; in the simulation of the last 5 d 22 h it took 8.1 replicas",
        "From need to answer, in replicas",
        "demand over capacity, no margin",
        "KEDA gets",
    ]
    assert [each for each in told if each not in shown] == []
    assert shown.index("Signal demand") < shown.index("From need to answer") < shown.index("KEDA gets")


def test_what_a_reactive_answer_buys_is_told_once(address: str) -> None:
    shown = explained(address, "moderation", "-n", "vision").stdout
    assert shown.count("reactive at 55% answers since 13:57:15") == 1
    assert "no forecast has cost less and kept the risk" in shown


def test_a_fall_and_a_ceiling_are_told_with_what_follows_from_them(address: str) -> None:
    shown = explained(address, "translate", "-n", "ml").stdout
    lines = [" ".join(line.split()) for line in shown.splitlines()]
    fell = "fell from 240 at 2026-11-17T14:09:45Z, at once and at no usual time; held until 2026-11-17T16:09:45Z"
    assert fell in lines
    assert "pinned at 180 2 times, 10,800 s in all: more may have been asked for" in lines


def test_a_learned_capacity_says_how_it_is_known(address: str) -> None:
    shown = explained(address, "translate", "-n", "ml").stdout
    assert f"one replica serves 12 {LEARNED}" in [" ".join(line.split()) for line in shown.splitlines()]


def test_the_record_is_the_apis_own_as_json(address: str) -> None:
    result = explained(address, "translate", "-n", "ml", "--json")
    record = json.loads(result.stdout)
    assert result.exit_code == 0
    assert (record["decision"]["namespace"], record["decision"]["name"]) == ("ml", "translate")


def test_a_past_decision_is_the_one_that_stood_then(address: str) -> None:
    then = (NOON - timedelta(hours=1)).isoformat()
    record = json.loads(explained(address, "translate", "-n", "ml", "--at", then, "--json").stdout)
    decision = record.get("decision", record)
    assert decision["at"] <= "2026-11-17T13:29:45Z"
    assert explained(address, "translate", "-n", "ml", "--at", then).exit_code == 0


def test_words_in_brackets_are_shown_as_they_are(address: str) -> None:
    shown = explained(address, "chat", "-n", "ml").stdout
    assert "at least 10 set by ml: [INC-12] launch; 5 needed" in shown
    assert "DataFresh: Empty: sum(rate(requests[1m])) is empty; look [/at] it" in shown


def test_a_refusal_is_shown_and_ends_with_1(address: str) -> None:
    result = explained(address, "fraud-score", "-n", "risk")
    assert result.exit_code == 1
    assert "an error" in result.stdout


def test_a_policy_that_has_decided_nothing_is_told_so(address: str) -> None:
    result = explained(address, "finetune-lora", "-n", "train")
    assert result.exit_code == 1
    assert result.stderr == "Error: policy train/finetune-lora has made no decision yet\n"


@pytest.mark.parametrize("name", ["chatt", "chat/../x", "chat?x=1"])
def test_a_policy_that_does_not_exist_is_told_by_the_agent(address: str, name: str) -> None:
    result = explained(address, name, "-n", "ml")
    assert result.exit_code == 1
    assert "chat" in result.stderr


def test_an_agent_that_is_not_there_is_told_with_the_mend() -> None:
    result = explained("http://127.0.0.1:1", "chat")
    said = (
        "Error: no agent answers at http://127.0.0.1:1 (ConnectionError); "
        "start one with `foretide run`, or give --address\n"
    )
    assert (result.exit_code, result.stderr) == (1, said)


@pytest.mark.parametrize(
    ("time", "said"),
    [
        ("yesterday", "'yesterday' is not an ISO 8601 time such as 2026-03-02T14:29:45Z"),
        ("2026-03-02T14:29:45", "'2026-03-02T14:29:45' has no zone; write 2026-03-02T14:29:45Z for UTC"),
    ],
)
def test_a_time_that_is_none_is_refused_before_anything_is_asked(time: str, said: str) -> None:
    result = explained("http://127.0.0.1:1", "chat", "--at", time)
    assert result.exit_code == 2
    assert said in result.stderr
