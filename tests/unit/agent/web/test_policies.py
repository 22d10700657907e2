from __future__ import annotations

from datetime import timedelta

from agent.history.decision_json import decision_to_json
from scalers.policy import PolicyKey
from tests.fakes.book import InventedBook, SteppedClock


async def _states(client) -> dict[str, str]:
    policies = (await client().get("/api/v1/policies")).json()["policies"]
    return {each["name"]: each["state"] for each in policies}


async def test_the_list_tells_each_of_the_five_states(client) -> None:
    states = await _states(client)
    wanted = {
        "chat": "Trusted",
        "moderation": "Reactive",
        "code-complete": "Learning",
        "events-enrich": "Holding",
        "rerank": "Conflict",
    }
    assert {name: states[name] for name in wanted} == wanted


async def test_a_policy_that_gives_no_answer_is_shown_as_holding(client) -> None:
    assert (await _states(client))["fraud-score"] == "Holding"


async def test_a_learning_policy_says_what_it_needs(client) -> None:
    reply = await client().get("/api/v1/policies/ml/code-complete")
    assert reply.json()["stateNote"] == "needs 31 h more history (41 of 72 h)"


async def test_ages_grow_with_the_agents_clock(client, clock: SteppedClock) -> None:
    clock.advance(timedelta(seconds=4))
    ages = (await client().get("/api/v1/policies/ml/chat")).json()["ages"]
    assert ages == {"data": 4.0, "forecast": 4.0, "decision": 4.0}


async def test_the_decision_is_the_record_of_the_ledger(client, clock: SteppedClock) -> None:
    snapshot = InventedBook(clock).snapshot(PolicyKey("ml", "chat"))
    assert snapshot is not None
    assert snapshot.decision is not None
    shown = (await client().get("/api/v1/policies/ml/chat")).json()["decision"]
    assert shown == decision_to_json(snapshot.decision)


async def test_shadow_shows_what_keda_gets_beside_what_would_be_answered(client) -> None:
    caption = (await client().get("/api/v1/policies/vision/caption")).json()
    assert caption["mode"] == "Shadow"
    assert caption["forKeda"] == caption["rawNeed"] < caption["answer"]


async def test_a_mistyped_policy_is_answered_with_the_nearest_name(client) -> None:
    reply = await client().get("/api/v1/policies/ml/chta")
    assert reply.status_code == 404
    assert reply.headers["content-type"] == "application/problem+json"
    assert reply.json() == {
        "type": "about:blank",
        "title": "Not Found",
        "status": 404,
        "detail": "there is no policy ml/chta; did you mean ml/chat?",
        "instance": "/api/v1/policies/ml/chta",
        "nearest": "ml/chat",
    }


async def test_trends_leave_out_what_is_not_known(client) -> None:
    reply = await client().get("/api/v1/trends", params={"policy": ["ml/chat", "ml/gone", "nonsense"]})
    (trend,) = reply.json()["trends"]
    assert (trend["name"], len(trend["demand"]), len(trend["median"])) == ("chat", 48, 17)


async def test_who_answers_since_when_and_what_it_buys_are_figures_and_a_sentence(client) -> None:
    (bought,) = (await client().get("/api/v1/policies/ml/translate")).json()["advantages"]
    assert bought == {
        "signal": "demand",
        "family": "harmonic",
        "isReactive": False,
        "keepsRisk": True,
        "since": "2026-11-17T13:57:15Z",
        "latelySeconds": 511200.0,
        "own": {"expert": "harmonic at 77%", "replicas": 8.1, "short": 0.004},
        "reactive": {"expert": "reactive at 55%", "replicas": 9.6, "short": 0.006},
        "saved": 0.15625,
        "sentence": "harmonic at 77% answers since 13:57:15; in the simulation of the last 5 d 22 h it took 8.1 "
        "replicas where reactive at 55% takes 9.6 (16 % fewer); short 0.4 % of the time, that one 0.6 %, risk 1 %",
    }


async def test_a_policy_that_learns_has_nobody_to_show(client) -> None:
    assert (await client().get("/api/v1/policies/ml/code-complete")).json()["advantages"] == []
