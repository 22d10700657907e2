"""What an agent is to the others, as metrics: one role at a time, silence only of a leader that is followed."""

from __future__ import annotations

import pytest

from agent.telemetry import Metrics, PeersTelemetry
from tests.fakes.telemetry import value


@pytest.fixture
def telemetry(metrics: Metrics) -> PeersTelemetry:
    return PeersTelemetry(metrics)


def test_a_follower_that_leads_has_one_role_and_no_leader_that_is_silent(
    metrics: Metrics, telemetry: PeersTelemetry
) -> None:
    telemetry.standing_seen("following", silence_seconds=1.5)
    silence = value(metrics, "leader_silence_seconds", role="following")
    telemetry.standing_seen("leading", silence_seconds=None)

    assert silence == 1.5
    assert value(metrics, "leader_silence_seconds", role="following") is None
    assert [value(metrics, "role", role=role) for role in ("following", "leading")] == [0, 1]


def test_followers_are_counted(metrics: Metrics, telemetry: PeersTelemetry) -> None:
    telemetry.followers(2)

    assert value(metrics, "followers") == 2
