"""One thing that was looked at."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from agent.sources.source import SourceError


class Level(StrEnum):
    """How it is."""

    OK = "OK"
    WARN = "WARN"  # works, with a cost that the finding names
    FAIL = "FAIL"


@dataclass(frozen=True, slots=True)
class Finding:
    """What was looked at, how it is, and what to do where it is not well."""

    check: str  # such as "source default: reachable"
    level: Level
    what: str
    mend: str = ""  # empty where all is well


def failed(check: str, error: SourceError) -> Finding:
    """Return the finding for a source that gave nothing."""
    return Finding(check, Level.FAIL, f"{error.state}: {error}", error.mend)
