"""Whether this process may be asked: the board answers. A source that is down does not make it unready."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Readiness:
    """An answer to `/readyz`."""

    is_ready: bool
    reasons: tuple[str, ...] = ()  # why not, or what is missing though it is ready; nothing secret
