from __future__ import annotations

from itertools import pairwise


async def test_the_ledger_is_newest_first_and_never_overlaps(client) -> None:
    rows = (await client().get("/api/v1/policies/ml/chat/decisions?limit=10")).json()["rows"]
    assert len(rows) == 10
    assert rows[0]["until"] == "2026-11-17T14:29:45Z"
    assert all(newer["since"] > older["until"] for newer, older in pairwise(rows))


async def test_a_ledger_that_was_cut_says_so(client) -> None:
    chat = client()
    cut = (await chat.get("/api/v1/policies/ml/chat/decisions?limit=10")).json()
    whole = (await chat.get("/api/v1/policies/ml/chat/decisions?limit=500")).json()
    assert (cut["isWhole"], whole["isWhole"]) == (False, True)


async def test_the_decision_of_a_past_instant_is_the_one_that_stood_then(client) -> None:
    reply = await client().get("/api/v1/policies/ml/chat/decisions/at", params={"time": "2026-11-17T13:52:00Z"})
    row = reply.json()
    assert row["decision"]["basis"] == "reactive"
    assert row["since"] <= "2026-11-17T13:52:00Z" <= row["until"]


async def test_an_instant_before_all_history_is_not_found(client) -> None:
    reply = await client().get("/api/v1/policies/ml/gone/decisions/at", params={"time": "2026-11-17T13:52:00Z"})
    assert reply.status_code == 404


async def test_an_instant_without_a_zone_is_refused(client) -> None:
    reply = await client().get("/api/v1/policies/ml/chat/decisions/at", params={"time": "2026-11-17T13:52:00"})
    assert reply.status_code == 422
    assert reply.json()["detail"] == "query.time: Input should have timezone info"


async def test_a_limit_out_of_bounds_names_itself_and_not_its_value(client) -> None:
    reply = await client().get("/api/v1/policies/ml/chat/decisions?limit=90001")
    assert reply.status_code == 422
    assert reply.json()["detail"] == "query.limit: Input should be less than or equal to 500"
