"""The options of `foretide doctor --cluster`: which cluster, which policies, whose permissions."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import TypeVar

import click

from agent.cli.reaching import choose_cluster
from agent.doctor.finding import Finding
from agent.policy import ForecastPolicy

Result = TypeVar("Result")

_AGENT = "foretide"  # of the chart: namespace, Lease and service account


@dataclass(frozen=True, slots=True)
class ClusterLook:
    """What is to be looked at in a cluster."""

    kubeconfig: Path | None
    namespaces: tuple[str, ...]
    agent_namespace: str
    lease: str
    service_account: tuple[str, str] | None
    tls_secret: tuple[str, str] | None

    def look(self, configured: Sequence[str]) -> tuple[list[Finding], list[ForecastPolicy]]:
        """Return what is found, and the policies that are good; where none is named, of the configured namespaces."""
        # kopf and the client of Kubernetes take seconds to import, and the other modes need neither
        from agent.cluster.reviewing import Account  # noqa: PLC0415
        from agent.doctor.cluster.looking import Where, look_at_cluster  # noqa: PLC0415

        choose_cluster(self.kubeconfig)
        account = None if self.service_account is None else Account(*self.service_account)
        where = Where(self.namespaces or configured, self.agent_namespace, self.lease, account, self.tls_secret)
        return asyncio.run(look_at_cluster(where))


def cluster_options(command: Callable[..., Result]) -> Callable[..., Result]:
    """Give a command the options, and their values as one argument `cluster`, None without --cluster."""

    @click.option("--cluster", "is_cluster", is_flag=True, help="Look at a set-up in a cluster.")
    @click.option(
        "--kubeconfig",
        type=click.Path(exists=True, dir_okay=False, path_type=Path),
        metavar="FILE",
        help="With --cluster: how to reach it; KUBECONFIG, the pod's service account, or ~/.kube/config by default.",
    )
    @click.option(
        "-n", "--namespace", "namespaces", multiple=True, metavar="NAME",
        help="With --cluster: whose policies; all by default. May be given again.",
    )  # fmt: skip
    @click.option(
        "--agent-namespace",
        default=_AGENT,
        show_default=True,
        metavar="NAME",
        help="With --cluster: where the agent is.",
    )
    @click.option("--lease", default=_AGENT, show_default=True, metavar="NAME", help="With --cluster: its Lease.")
    @click.option(
        "--service-account", metavar="NAMESPACE/NAME",
        help="With --cluster: whose permissions are looked at; those of who asks by default.",
    )  # fmt: skip
    @click.option("--tls-secret", metavar="NAMESPACE/NAME", help="With --cluster: the agent's certificate.")
    @wraps(command)
    def with_cluster(
        *,
        is_cluster: bool,
        kubeconfig: Path | None,
        namespaces: tuple[str, ...],
        agent_namespace: str,
        lease: str,
        service_account: str | None,
        tls_secret: str | None,
        **options: object,
    ) -> Result:
        look = ClusterLook(
            kubeconfig,
            namespaces,
            agent_namespace,
            lease,
            _name("--service-account", service_account),
            _name("--tls-secret", tls_secret),
        )
        return command(cluster=look if is_cluster else None, **options)

    return with_cluster


def _name(option: str, given: str | None) -> tuple[str, str] | None:
    if given is None:
        return None
    namespace, _, name = given.partition("/")
    if not namespace or not name:
        raise click.UsageError(f"{option} {given!r}: write NAMESPACE/NAME")
    return namespace, name
