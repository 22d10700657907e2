"""Which policy a trigger means. KEDA sends the trigger's whole `metadata` map, its own connection keys included."""

from __future__ import annotations

import re
from collections.abc import Mapping
from difflib import get_close_matches
from typing import NoReturn

import grpc

from scalers.keda.limits import Limit, LimitExceeded, Limits
from scalers.keda.proto.externalscaler_pb2 import ScaledObjectRef
from scalers.keda.refusal import RpcRefused
from scalers.policy import PolicyKey

POLICY = "policy"
QUEUE_COUNTS = "queueCounts"
_COUNTS = frozenset(("waiting", "waiting+running"))
# The keys of a policy that is written into the trigger itself. No name of a backend, address or credential is among
# them but `source`, which picks from the agent's own configuration.
INLINE_KEYS = frozenset(("query", "source", "capacityPerReplica", "risk", "leadTime", "mode"))
INLINE_NEEDS = frozenset(("query", "capacityPerReplica"))
_OBJECT_NAME = re.compile(r"[a-z0-9]([-.a-z0-9]{0,251}[a-z0-9])?")  # a name of Kubernetes, RFC 1123 subdomain
_FROM_ENVIRONMENT = "FromEnv"


_DEFAULT = Limits()


def policy_key(reference: ScaledObjectRef, limits: Limits = _DEFAULT) -> PolicyKey:
    """Return the policy that a trigger names; it lies in the namespace of the ScaledObject or ScaledJob.

    Of a policy that is written into the trigger the operator makes one with the ScaledObject's own name. Keys that are
    neither `policy` nor part of an inline policy are left alone: KEDA adds its own with every version.

    Raises:
        RpcRefused: the trigger names no policy, or names one in a way that cannot be meant.
        LimitExceeded: its metadata are too many or too long.
    """
    metadata = _read(reference, limits)
    inline = sorted(metadata.keys() & INLINE_KEYS)
    name = metadata.get(POLICY, "")
    if not name and inline:
        return _inline_key(reference, inline)
    if not name:
        raise _no_policy(reference, metadata)
    if inline:
        raise _refused(reference, f"has both `policy` and {_quoted(inline)}: keep `policy`, and set the rest there")
    if not _OBJECT_NAME.fullmatch(name):
        raise _bad_name(reference, name)
    return PolicyKey(namespace=reference.namespace, name=name)


def is_inline(reference: ScaledObjectRef) -> bool:
    """Return whether a trigger that has a policy, by `policy_key`, has it written into itself."""
    return not reference.scalerMetadata.get(POLICY)


def counts_items(reference: ScaledObjectRef) -> bool:
    """Return whether the trigger is a ScaledJob's: KEDA does not say, so `queueCounts` does.

    Its value tells what the policy's demand counts, which KEDA's `scalingStrategy` has to fit: with `accurate` what
    waits, with `default` what waits and what runs.

    Raises:
        RpcRefused: the value is neither.
    """
    if QUEUE_COUNTS not in reference.scalerMetadata:
        return False
    counts = reference.scalerMetadata[QUEUE_COUNTS]
    if counts not in _COUNTS:
        claim = f"has {QUEUE_COUNTS} {counts[:80]!r}: write `waiting` or `waiting+running`, whichever the demand counts"
        raise _refused(reference, claim)
    return True


def refuse_push(reference: ScaledObjectRef) -> NoReturn:
    """Refuse to push to a ScaledJob: KEDA would log a warning for each push, and do nothing else.

    Raises:
        RpcRefused: always, with the mend.
    """
    claim = f"has `{QUEUE_COUNTS}`, and KEDA takes no push for a ScaledJob: give the trigger type `external`"
    raise _refused(reference, claim, code=grpc.StatusCode.FAILED_PRECONDITION)


def _read(reference: ScaledObjectRef, limits: Limits) -> dict[str, str]:
    """Leave out what KEDA resolved from a container's environment: it may be a secret, in clear."""
    given: Mapping[str, str] = reference.scalerMetadata
    if len(given) > limits.metadata_entries:
        claim = f"has {len(given):,} entries, more than the {limits.metadata_entries:,} that are read"
        raise _exceeded(reference, f"{claim}: take out what Foretide does not know", "metadataEntries")
    metadata = {key: value for key, value in given.items() if not key.endswith(_FROM_ENVIRONMENT)}
    for key, value in metadata.items():
        if len(key) > limits.metadata_key:
            claim = f"has a key of {len(key):,} characters, `{key[:40]}…`, more than {limits.metadata_key:,}"
            raise _exceeded(reference, f"{claim}: shorten it", "metadataKey")
        if len(value) > limits.metadata_value:
            claim = f"has `{key[:80]}` of {len(value):,} characters, more than {limits.metadata_value:,}"
            raise _exceeded(reference, f"{claim}: shorten it", "metadataValue")
    return metadata


def _no_policy(reference: ScaledObjectRef, metadata: Mapping[str, str]) -> RpcRefused:
    near = get_close_matches(POLICY, list(metadata)[:50], n=1)
    hint = f"; it has `{near[0]}`, did you mean `policy`?" if near else ""
    return _refused(reference, f"has no `policy`: write `policy: NAME` of a ForecastPolicy in its namespace{hint}")


def _inline_key(reference: ScaledObjectRef, inline: list[str]) -> PolicyKey:
    missing = sorted(INLINE_NEEDS.difference(inline))
    if missing:
        claim = f"has {_quoted(inline)} and no {_quoted(missing)}"
        raise _refused(reference, f"{claim}: a policy in a trigger needs both, or write `policy: NAME`")
    return PolicyKey(namespace=reference.namespace, name=reference.name)


def _bad_name(reference: ScaledObjectRef, name: str) -> RpcRefused:
    if "/" in name:
        return _refused(reference, f"has policy {name[:80]!r}: write the name alone, without a namespace")
    return _refused(reference, f"has policy {name[:80]!r}, which is not a name: use a-z, 0-9, `-` and `.`")


def _exceeded(reference: ScaledObjectRef, claim: str, field: str) -> LimitExceeded:
    mend = f"or raise grpc.limits.{field} of the agent's configuration"
    return LimitExceeded(Limit.METADATA, f"{_of(reference)} {claim}, {mend}")


def _refused(
    reference: ScaledObjectRef, claim: str, *, code: grpc.StatusCode = grpc.StatusCode.INVALID_ARGUMENT
) -> RpcRefused:
    return RpcRefused(code, f"{_of(reference)} {claim}")


def _of(reference: ScaledObjectRef) -> str:
    return f"trigger metadata of {reference.namespace[:63]}/{reference.name[:253]}"


def _quoted(keys: list[str]) -> str:
    return ", ".join(f"`{key}`" for key in keys)
