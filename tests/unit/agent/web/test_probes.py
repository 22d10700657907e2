from __future__ import annotations

from agent.web import Readiness


async def test_alive_is_said_without_asking_anything(client) -> None:
    reply = await client().get("/healthz")
    assert (reply.status_code, reply.text) == (200, "ok\n")


async def test_ready_means_that_the_board_answers(client) -> None:
    reply = await client().get("/readyz")
    assert (reply.status_code, reply.text) == (200, "ready\n")


async def test_what_is_not_ready_says_why(client) -> None:
    unready = Readiness(is_ready=False, reasons=("no decision of ml/chat yet",))
    reply = await client(readiness=unready).get("/readyz")
    assert (reply.status_code, reply.text) == (503, "not ready\nno decision of ml/chat yet\n")


async def test_metrics_come_in_prometheus_text_format(client) -> None:
    reply = await client().get("/metrics")
    assert reply.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert reply.text == "foretide_up 1\n"
