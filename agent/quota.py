"""How many policies of one namespace are acted on: the oldest ones stay, so that a new one takes nobody's place."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from scalers.policy import PolicyKey


def beyond_limit(oldest_first: Iterable[PolicyKey], most: int | None) -> frozenset[PolicyKey]:
    """Return the policies that are not acted on; none where `most`, the limit of each namespace, is None."""
    counted: Counter[str] = Counter()
    beyond = set()
    for key in oldest_first:
        counted[key.namespace] += 1
        if most is not None and counted[key.namespace] > most:
            beyond.add(key)
    return frozenset(beyond)


def beyond_in_words(namespace: str, most: int | None) -> tuple[str, str]:
    """Return what is told of a policy beyond the limit, and what a person can do."""
    policies = "policy is" if most == 1 else "policies are"
    told = f"{most} {policies} acted on in namespace {namespace}, and others come first"
    return told, "delete one of them, or have namespaceLimits.policies of the agent's configuration raised"
