"""What this agent is to the others that hold the same Lease."""

from __future__ import annotations

from agent.telemetry.metrics import Metrics, show


class PeersTelemetry:
    """Who leads and who follows, as one agent knows it."""

    def __init__(self, metrics: Metrics) -> None:
        self._roles: frozenset[str] = frozenset()  # that this agent has been in
        self._role = metrics.gauge(
            "role", "1 for what this agent is to the others that hold the same Lease.", ("role",)
        )
        self._followers = metrics.gauge("followers", "Agents that follow this one.", ())
        self._silence = metrics.gauge(
            "leader_silence_seconds", "Time since a follower has heard of its leader.", ("role",)
        )

    def standing_seen(self, role: str, *, silence_seconds: float | None) -> None:
        """Show what this agent is to the others and, of a follower, how long the leader has said nothing."""
        for other in self._roles - {role}:
            self._role.labels(other).set(0)
            show(self._silence, (other,), None)
        self._roles |= {role}
        self._role.labels(role).set(1)
        show(self._silence, (role,), silence_seconds)

    def followers(self, count: int) -> None:
        """Show how many agents follow this one."""
        self._followers.set(count)
