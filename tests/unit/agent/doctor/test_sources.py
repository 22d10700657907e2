from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from agent.configuration import Configuration, PrometheusAddress, SourceAddress
from agent.doctor.finding import Finding, Level
from agent.doctor.sources import check_policy, check_sources
from agent.policy import ForecastPolicy, parse_policy, policy_of
from agent.sources.source import Reading, Sample, SignalState, SourceError
from agent.sources.table import SourceTable
from forecasters.series import Series
from tests.fakes.policies import document
from tests.fakes.sources import ScriptedSource

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
POLICY = """
apiVersion: foretide.dev/v1alpha1
kind: ForecastPolicy
metadata: {name: chat, namespace: ml}
spec:
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: chat}
  demand: {simulator: {}, step: 15s}
  capacity: {perReplica: 12}
  replicas: {min: 1, max: 40}
  leadTime: {declared: 2m}
  forecast: {history: 2d}
"""


def _policy() -> ForecastPolicy:
    return parse_policy(POLICY, file="policy.yaml")[0]


def _reading(age: timedelta) -> Reading:
    return Reading(Sample(NOW, 24.0), newest=NOW - age)


def _hourly(hours: int) -> Series:
    return Series(NOW - (hours - 1) * timedelta(hours=1), timedelta(hours=1), np.ones(hours))


async def _look(source: ScriptedSource) -> list[Finding]:
    table = SourceTable(Configuration(), extra={"simulator": lambda _: source})
    return await check_policy(_policy(), table, now=NOW)


async def test_a_signal_that_is_well_says_value_age_and_depth() -> None:
    findings = await _look(ScriptedSource([_reading(timedelta(seconds=10))], past=_hourly(49)))

    assert [finding.level for finding in findings] == [Level.OK, Level.OK]
    assert findings[0].check == "policy ml/chat: demand"
    assert findings[0].what == "24 now, 10 s old, 2 replicas' worth"
    assert findings[1].what == "2 d 0 h of the 2d wanted, 100% of it there"


@pytest.mark.parametrize(
    ("age", "level", "mend"),
    [
        (timedelta(minutes=2), Level.WARN, "set the policy's step to the scrape interval"),
        (timedelta(minutes=11), Level.FAIL, "its samples have stopped"),
    ],
)
async def test_old_samples_are_told_by_what_they_mean(age: timedelta, level: Level, mend: str) -> None:
    finding = (await _look(ScriptedSource([_reading(age)], past=_hourly(49))))[0]

    assert finding.level is level
    assert mend in finding.mend


@pytest.mark.parametrize(("hours", "what"), [(0, "there is none of the 2d wanted"), (11, "0 d 10 h of the 2d wanted")])
async def test_short_history_is_a_warning(hours: int, what: str) -> None:
    past = _hourly(hours) if hours else None
    finding = (await _look(ScriptedSource([_reading(timedelta(0))], past=past)))[1]

    assert finding.level is Level.WARN
    assert finding.what.startswith(what)


async def test_a_signal_that_cannot_be_read_fails_with_its_mend() -> None:
    error = SourceError(SignalState.EMPTY, "returns no series", mend="check the metric's name", is_retriable=True)

    assert await _look(ScriptedSource([error])) == [
        Finding("policy ml/chat: demand", Level.FAIL, "Empty: returns no series", "check the metric's name")
    ]


async def test_no_source_at_all_is_a_warning() -> None:
    findings = await check_sources(Configuration())

    assert [(finding.level, finding.what) for finding in findings] == [(Level.WARN, "none is configured")]


async def test_a_query_that_its_namespace_may_not_ask_is_told_and_not_asked() -> None:
    address = PrometheusAddress(url="http://127.0.0.1:9")  # nobody is there, and nobody is asked
    source = SourceAddress(prometheus=address, require_matcher={"namespace": "{namespace}"})
    policy = policy_of(document(), origin="here")
    with closing(SourceTable(Configuration(sources={"default": source}))) as table:
        (finding,) = await check_policy(policy, table, now=NOW)

    assert finding.level is Level.FAIL
    assert finding.what == (
        "OutOfScope: source default answers namespace default by sources.default.requireMatcher: "
        'the selector demand has no namespace="default"'
    )
    assert finding.mend == 'write it as demand{namespace="default"}'
