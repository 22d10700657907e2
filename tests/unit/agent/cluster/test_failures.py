"""A server that goes away in the middle of a call costs that call alone."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest
from kubernetes.aio import client

from agent.cluster.kubernetes_lease import KubernetesLease
from agent.cluster.lease import LeaseLost, Record
from agent.cluster.statuses import KubernetesStatuses, StatusNotWritten

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


async def hangs_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read(1)
    writer.close()


@pytest.mark.parametrize("port", ["one that hangs up", "one where nobody is"])
async def test_no_answer_is_told_as_one(port: str) -> None:
    async with await asyncio.start_server(hangs_up, "127.0.0.1", 0) as server:
        number = server.sockets[0].getsockname()[1]
        if port == "one where nobody is":
            server.close()
        settings = client.Configuration(host=f"http://127.0.0.1:{number}")
        settings.retries = False
        api = client.ApiClient(settings)
        try:
            lease = KubernetesLease(api, namespace="foretide", name="foretide")
            with pytest.raises(LeaseLost):
                await lease.read()
            with pytest.raises(LeaseLost):
                await lease.write(Record("a", NOON, NOON, 0, ""))
            with pytest.raises(StatusNotWritten):
                await KubernetesStatuses(api).write(("ml", "chat"), {})
        finally:
            await api.close()  # type: ignore[no-untyped-call]
