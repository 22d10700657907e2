from __future__ import annotations

import asyncio
import signal

import httpx
import pytest
from starlette.responses import PlainTextResponse

from agent.web import CannotListen, HttpAddress, HttpServer

HELLO = PlainTextResponse("hello")
ANY_PORT = HttpAddress("127.0.0.1", 0)


async def test_the_port_that_the_system_chose_is_reported() -> None:
    server = HttpServer(HELLO, ANY_PORT)
    address = server.bind()
    async with asyncio.TaskGroup() as group:
        group.create_task(server.serve())
        async with httpx.AsyncClient() as client:
            reply = await client.get(f"http://{address}/")
        server.stop()
    assert (reply.text, server.address.port) == ("hello", address.port)
    assert address.port > 0


async def test_a_taken_port_is_named_with_what_to_do() -> None:
    first = HttpServer(HELLO, ANY_PORT)
    port = first.bind().port
    with pytest.raises(CannotListen, match=rf"port {port} is taken; give another one with --http-address"):
        HttpServer(HELLO, HttpAddress("127.0.0.1", port)).bind()
    first.stop()
    await first.serve()


async def test_cancellation_releases_the_port() -> None:
    server = HttpServer(HELLO, ANY_PORT)
    address = server.bind()
    task = asyncio.create_task(server.serve())
    async with httpx.AsyncClient() as client:
        await client.get(f"http://{address}/")
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    again = HttpServer(HELLO, address)
    assert again.bind() == address
    again.stop()
    await again.serve()


async def test_signals_stay_with_the_main_program() -> None:
    before = signal.getsignal(signal.SIGTERM)
    server = HttpServer(HELLO, ANY_PORT)
    async with asyncio.TaskGroup() as group:
        group.create_task(server.serve())
        await asyncio.sleep(0)
        during = signal.getsignal(signal.SIGTERM)
        server.stop()
    assert during is before


def test_an_ipv6_address_is_written_with_brackets() -> None:
    assert str(HttpAddress("::1", 8080)) == "[::1]:8080"
