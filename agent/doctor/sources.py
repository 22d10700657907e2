"""The sources of the configuration, and the signals that policies read from them."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import numpy as np

from agent.configuration import Configuration, PrometheusAddress
from agent.doctor.finding import Finding, Level, failed
from agent.policy import ForecastPolicy, signals_by_name, to_scaling_policy
from agent.policy.quantities import format_duration
from agent.sources.prometheus import PrometheusServer
from agent.sources.source import RangeSource, Reading, Source, SourceError
from agent.sources.table import SourceTable
from scalers.policy import ScalingPolicy, SignalPolicy
from scalers.recommend import fresh_for
from scalers.sentence import number

SKEW_WORTH_A_WORD = timedelta(seconds=2)  # the Date header has whole seconds
SKEW_TOO_FAR = timedelta(seconds=15)  # one default step: samples would count as stale or from the future
SLOW_SHARE = 0.25  # of the step: every signal is read once in each
DEPTH_STEP = timedelta(hours=1)


async def check_sources(configuration: Configuration) -> list[Finding]:
    """Look at every configured server: does it answer, to us, and with the right time."""
    if not configuration.sources:
        mend = "give --prometheus-url URL, or `sources` in the file of --config"
        return [Finding("sources", Level.WARN, "none is configured", mend)]
    findings: list[Finding] = []
    for name, address in configuration.sources.items():
        findings += await _check_server(name, address.prometheus)
    return findings


async def check_policy(document: ForecastPolicy, sources: SourceTable, *, now: datetime) -> list[Finding]:
    """Look at every signal of a policy: does its query give a demand, how fresh, how far back, how fast."""
    policy = to_scaling_policy(document)
    demands = signals_by_name(document)
    findings: list[Finding] = []
    for signal in policy.signals:
        check = f"policy {policy.key}: {signal.name}"
        try:
            source = sources.open(demands[signal.name], namespace=policy.key.namespace)
            findings += await _check_reading(check, source, signal, policy, now=now)
            if isinstance(source, RangeSource):
                findings.append(await _check_depth(check, source, policy, until=now - signal.delay))
        except SourceError as error:
            findings.append(failed(check, error))
    return findings


async def _check_server(name: str, address: PrometheusAddress) -> Sequence[Finding]:
    check = f"source {name}"
    server = PrometheusServer(name, address)
    try:
        identity = await server.identity()
    except SourceError as error:
        return [failed(check, error)]
    finally:
        server.close()
    findings = [Finding(check, Level.OK, f"{address.url} answers, version {identity.version}")]
    findings.append(_skew(check, identity.time - datetime.now(UTC)))
    if address.tls.insecure_skip_verify:
        mend = "give tls.caFile and take tls.insecureSkipVerify out"
        findings.append(Finding(check, Level.WARN, "any certificate is accepted", mend))
    return findings


def _skew(check: str, skew: timedelta) -> Finding:
    seconds = abs(skew.total_seconds())
    level = Level.OK if seconds <= SKEW_WORTH_A_WORD.total_seconds() else Level.WARN
    level = Level.FAIL if seconds > SKEW_TOO_FAR.total_seconds() else level
    ahead = "ahead of" if skew > timedelta(0) else "behind"
    what = "its clock agrees with ours" if level is Level.OK else f"its clock is {seconds:.0f} s {ahead} ours"
    return Finding(f"{check}: clock", level, what, "" if level is Level.OK else "set both clocks by NTP")


async def _check_reading(
    check: str, source: Source, signal: SignalPolicy, policy: ScalingPolicy, *, now: datetime
) -> list[Finding]:
    began = time.monotonic()
    reading = await source.latest(now)
    took = time.monotonic() - began
    findings = [_value(check, reading, signal, policy, now=now)]
    findings += [Finding(check, Level.WARN, warning, "look at the source's own log") for warning in reading.warnings]
    if took > SLOW_SHARE * signal.step.total_seconds():
        mend = "make the query cheaper with a recording rule, or raise the policy's step"
        findings.append(Finding(check, Level.WARN, f"reading it takes {took:.1f} s of every {signal.step}", mend))
    return findings


def _value(check: str, reading: Reading, signal: SignalPolicy, policy: ScalingPolicy, *, now: datetime) -> Finding:
    newest = reading.newest or reading.sample.at
    age = now - newest
    need = reading.sample.value / signal.capacity
    what = f"{number(reading.sample.value)} now, {age.total_seconds():.0f} s old, {number(need)} replicas' worth"
    if age > policy.stale_data:
        return Finding(check, Level.FAIL, what, "its samples have stopped: check the scrape target")
    if age > fresh_for(signal):
        mend = (
            f"set the policy's step to the scrape interval, and delay to what the source is late by (now {signal.step})"
        )
        return Finding(check, Level.WARN, f"{what}: too old to count as the present", mend)
    return Finding(check, Level.OK, what)


async def _check_depth(check: str, source: RangeSource, policy: ScalingPolicy, *, until: datetime) -> Finding:
    past = (await source.range(until - policy.history, until, DEPTH_STEP)).series
    known = np.flatnonzero(np.isfinite(past.values))
    wanted = format_duration(policy.history)
    if not known.size:
        mend = "nothing, if the workload is new: decisions are reactive until there is history"
        return Finding(f"{check}: history", Level.WARN, f"there is none of the {wanted} wanted", mend)
    depth = until - (past.start + int(known[0]) * past.step)
    what = f"{depth.days} d {depth.seconds // 3600} h of the {wanted} wanted, {known.size / len(past):.0%} of it there"
    if depth < policy.history - 2 * DEPTH_STEP:
        mend = "raise the server's retention, or name a source that keeps more; forecasts start with what there is"
        return Finding(f"{check}: history", Level.WARN, what, mend)
    return Finding(f"{check}: history", Level.OK, what)
