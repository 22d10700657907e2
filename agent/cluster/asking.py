"""What one pod asks for in all: mirrors k8s.io/component-helpers resource/helpers.go, which quotas count by.

What a RuntimeClass adds for itself is not in the template, and is left out: a pod may ask for more, never for less.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable

from agent.cluster.workloads import Amounts, Container, PodTemplate


def requests_of(pods: PodTemplate) -> Amounts:
    """Return what one pod requests."""
    return _whole(pods, lambda container: container.requests)


def limits_of(pods: PodTemplate) -> Amounts:
    """Return what one pod is limited to."""
    return _whole(pods, lambda container: container.limits)


def _whole(pods: PodTemplate, of: Callable[[Container], Amounts]) -> Amounts:
    """Return the sum of containers, or what an init container has beside the sidecars before it, if that is more."""
    together: dict[str, float] = defaultdict(float)
    for container in pods.containers:
        if container.stays:
            _add(together, of(container))
    sidecars: dict[str, float] = defaultdict(float)
    for container in (each for each in pods.containers if each.is_init):
        if container.stays:
            _add(sidecars, of(container))
            continue
        for name, value in of(container).items():
            together[name] = max(together[name], value + sidecars[name])
    return {**together, **(of(pods.whole) if pods.whole is not None else {})}


def _add(total: dict[str, float], more: Amounts) -> None:
    for name, value in more.items():
        total[name] += value
