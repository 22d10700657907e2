"""How the API server is reached: by the pod's service account, or by the kubeconfig that KUBECONFIG names.

kopf and the client of Kubernetes read the same places, so that what is watched and what is written is one cluster.
"""

from __future__ import annotations

import os

import aiohttp
import kopf
from kubernetes.aio import client, config

from agent.cluster.reaching import KUBECONFIG, Unreachable

# What a call may end with where it is refused or nobody answers; a server that goes away in the middle is no OSError.
FAILURES = (client.ApiException, aiohttp.ClientError, OSError, TimeoutError)


async def api_client() -> client.ApiClient:
    """Return a client for the running loop.

    Raises:
        Unreachable: there is no service account and no kubeconfig, or the file is none.
    """
    settings = client.Configuration()
    try:
        if file := os.environ.get(KUBECONFIG):  # by name: by itself the client looks once, when it is imported
            await config.load_kube_config(config_file=file, client_configuration=settings)  # type: ignore[no-untyped-call]
        else:
            config.load_incluster_config(client_configuration=settings)  # type: ignore[no-untyped-call]
    except config.ConfigException as error:
        raise Unreachable(f"no way to the API server: {error}; give --kubeconfig FILE") from error
    return client.ApiClient(settings)


def connection() -> kopf.ConnectionInfo:
    """Return the same for kopf.

    Raises:
        kopf.LoginError: there is no service account and no kubeconfig.
    """
    login = kopf.login_with_kubeconfig if os.environ.get(KUBECONFIG) else kopf.login_with_service_account
    found = login(settings=kopf.OperatorSettings())
    if found is None:
        raise kopf.LoginError("no way to the API server: no service account in this pod; give --kubeconfig FILE")
    return found
