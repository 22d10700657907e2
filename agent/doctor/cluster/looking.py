"""All that is looked at in a cluster, in the order in which it is needed."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from agent.cluster.access import api_client
from agent.cluster.documents import Name
from agent.cluster.reaching import Unreachable
from agent.cluster.reading import KubernetesReader, Reader
from agent.cluster.reviewing import Account, KubernetesReviewer, Reviewer
from agent.cluster.scales import Scales
from agent.doctor.cluster.installation import check_api, check_definition, check_keda, check_kill_switch, check_lease
from agent.doctor.cluster.permissions import check_permissions
from agent.doctor.cluster.policies import check_policies
from agent.doctor.cluster.secret import check_secret
from agent.doctor.cluster.setup import read_setup
from agent.doctor.cluster.triggers import check_triggers
from agent.doctor.finding import Finding, Level
from agent.policy import ForecastPolicy


@dataclass(frozen=True, slots=True)
class Where:
    """What is to be looked at."""

    namespaces: Sequence[str]  # of policies; none are all
    agent: str  # the agent's namespace
    lease: str  # its name
    account: Account | None = None  # whose permissions; None are those of who asks
    secret: Name | None = None  # with the agent's certificate


async def look_at_cluster(where: Where) -> tuple[list[Finding], list[ForecastPolicy]]:
    """Look at the cluster of the kubeconfig or the pod; return the findings, and the policies that are good."""
    try:
        async with await api_client() as api:
            return await look(KubernetesReader(api), KubernetesReviewer(api, where.account), where)
    except Unreachable as error:
        return [Finding("cluster", Level.FAIL, str(error), "give --kubeconfig FILE")], []


async def look(reader: Reader, reviewer: Reviewer, where: Where) -> tuple[list[Finding], list[ForecastPolicy]]:
    """Look through a reader; a cluster that does not answer is the one finding."""
    findings, now = [await check_api(reader)], datetime.now(UTC)
    if findings[0].level is Level.FAIL:
        return findings, []
    who = (
        "who asks here" if where.account is None else f"service account {where.account.namespace}/{where.account.name}"
    )
    findings.append(await check_definition(reader))
    findings += await check_permissions(
        reviewer, namespaces=where.namespaces, own=where.agent, lease=where.lease, who=who
    )
    findings.append(await check_lease(reader, namespace=where.agent, name=where.lease, now=now))
    findings += await check_kill_switch(reader, where.agent)
    findings += await check_keda(reader)
    if where.secret is not None:
        findings.append(await check_secret(reader, where.secret, now=now))
    setup = await read_setup(reader, where.namespaces)
    findings += setup.unread
    of_policies, good = await check_policies(setup, Scales(reader, time.monotonic))
    return [*findings, *of_policies, *await check_triggers(setup, reader)], good
