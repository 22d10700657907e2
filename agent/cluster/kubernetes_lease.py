"""The Lease on the API server."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from kubernetes.aio import client

from agent.cluster.access import FAILURES
from agent.cluster.lease import DURATION, RETRY, LeaseForbidden, LeaseLost, LeaseUnanswered, Record

ADDRESS = "foretide.dev/address"  # annotation: where other agents follow the holder
_KINDS = {409: LeaseLost, 401: LeaseForbidden, 403: LeaseForbidden}  # another was faster; it may not


class KubernetesLease:
    """A Lease on the API server."""

    def __init__(self, api: client.ApiClient, *, namespace: str, name: str) -> None:
        self._leases = client.CoordinationV1Api(api)
        self._namespace, self._name = namespace, name

    async def read(self) -> Record | None:
        """Return what it says, None where it is not there."""
        try:
            lease = await self._leases.read_namespaced_lease(self._name, self._namespace, _request_timeout=RETRY)
        except client.ApiException as error:
            if error.status == 404:
                return None
            raise _refusal(error) from error
        except FAILURES as error:
            raise LeaseUnanswered(str(error)) from error
        return _record(lease)

    async def write(self, record: Record) -> Record:
        """Put a record in the place of the version that it names."""
        lease = client.V1Lease(metadata=self._metadata(record), spec=_spec(record))
        try:
            if record.version:
                written = await self._leases.replace_namespaced_lease(
                    self._name, self._namespace, lease, _request_timeout=RETRY
                )
            else:
                written = await self._leases.create_namespaced_lease(self._namespace, lease, _request_timeout=RETRY)
        except client.ApiException as error:
            raise _refusal(error) from error
        except FAILURES as error:
            raise LeaseUnanswered(str(error)) from error
        return _record(written)

    def _metadata(self, record: Record) -> client.V1ObjectMeta:
        return client.V1ObjectMeta(
            name=self._name,
            namespace=self._namespace,
            resource_version=record.version or None,
            annotations={ADDRESS: record.address} if record.address else None,
        )


def _refusal(error: client.ApiException) -> LeaseLost:
    return _KINDS.get(error.status, LeaseUnanswered)(str(error.reason))


def _spec(record: Record) -> client.V1LeaseSpec:
    return client.V1LeaseSpec(
        holder_identity=record.holder,
        lease_duration_seconds=int(DURATION),
        acquire_time=record.acquired,
        renew_time=record.renewed,
        lease_transitions=record.transitions,
    )


def _record(lease: Any) -> Record:
    spec, epoch = lease.spec, datetime.fromtimestamp(0, UTC)
    return Record(
        holder=spec.holder_identity or "",
        acquired=spec.acquire_time or epoch,
        renewed=spec.renew_time or epoch,
        transitions=spec.lease_transitions or 0,
        version=lease.metadata.resource_version,
        address=(lease.metadata.annotations or {}).get(ADDRESS, ""),
    )
