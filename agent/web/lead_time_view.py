"""From what is known of a policy's start-ups to the API's document."""

from __future__ import annotations

from dataclasses import asdict
from datetime import timedelta

from agent.web.models import LeadTimeView
from scalers.lead_time import LeadTimeReport
from scalers.start_ups import Stages


def lead_time_view(report: LeadTimeReport) -> LeadTimeView:
    """Return the document."""
    measured = report.measured
    return LeadTimeView(
        sentence=report.sentence,
        trouble=report.trouble,
        count=0 if measured is None else measured.count,
        p90_seconds=None if measured is None else measured.p90.total_seconds(),
        with_node_seconds=None if measured is None else _seconds(measured.with_node),
        without_node_seconds=None if measured is None else _seconds(measured.without_node),
        stages={} if measured is None else _stages(measured.stages),
        advice=None if measured is None else measured.advice,
        image=None if measured is None else measured.image,
        node_classes=[] if measured is None else list(measured.node_classes),
    )


def _stages(stages: Stages) -> dict[str, float]:
    return {name: duration.total_seconds() for name, duration in asdict(stages).items() if duration is not None}


def _seconds(duration: timedelta | None) -> float | None:
    return None if duration is None else duration.total_seconds()
