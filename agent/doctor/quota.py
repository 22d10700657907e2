"""The limits of namespaces: which of the policies are beyond one."""

from __future__ import annotations

from collections.abc import Sequence

from agent.doctor.finding import Finding, Level
from agent.policy import ForecastPolicy
from agent.quota import beyond_in_words, beyond_limit


def check_quota(documents: Sequence[ForecastPolicy], most: int | None) -> list[Finding]:
    """Return a finding for each policy of files that would not be acted on; `most` is the limit of each namespace."""
    findings = []
    for key in sorted(beyond_limit(sorted(document.key for document in documents), most)):
        told, mend = beyond_in_words(key.namespace, most)
        findings.append(Finding(f"policy {key}: limit", Level.FAIL, f"it is not acted on: {told}", mend))
    return findings
