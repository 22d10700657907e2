"""From what is known of a policy's start-ups to its status."""

from __future__ import annotations

from agent.policy.status import LeadTimeOrigin, LeadTimeStages, LeadTimeStatus
from scalers.lead_time import LeadTimeReport
from scalers.policy import ScalingPolicy
from scalers.start_ups import Stages


def lead_time_status(policy: ScalingPolicy, report: LeadTimeReport | None) -> LeadTimeStatus:
    """Return what decisions use, and what the newest start-ups come to."""
    origin = LeadTimeOrigin.DECLARED if policy.lead_time_from is None else LeadTimeOrigin.MEASURED
    if report is None:
        return LeadTimeStatus(used=policy.lead_time, origin=origin)
    measured = report.measured
    if measured is None:
        return LeadTimeStatus(used=policy.lead_time, origin=origin, message=report.sentence)
    return LeadTimeStatus(
        used=policy.lead_time,
        origin=origin,
        message=report.sentence,
        withNode=measured.with_node,
        withoutNode=measured.without_node,
        samples=measured.count,
        stages=_stages(measured.stages),
        advice=measured.advice,
        image=measured.image,
        nodeClass=", ".join(measured.node_classes)[:_LONGEST_CLASS] or None,
    )


_LONGEST_CLASS = 128  # characters


def lead_time_meaning(policy: ScalingPolicy, report: LeadTimeReport | None) -> object:
    """Return what must differ for a status to be written anew: not each second that another pod took."""
    measured = None if report is None else report.measured
    sample = None if measured is None else (measured.image, measured.node_classes, measured.is_enough)
    return policy.lead_time, policy.lead_time_from, sample, report is not None and report.trouble is not None


def _stages(stages: Stages) -> LeadTimeStages:
    return LeadTimeStages(
        schedule=stages.schedule, node=stages.node, start=stages.start, pull=stages.pull, ready=stages.ready
    )
