"""The ForecastPolicy document: typed models, validation, the CRD, the reference page.

One source for all four. Sources, decisions and what is published of them do not belong here.
"""

from agent.policy.conversion import lessons, reserved_fields_used, signals_by_name, to_scaling_policy
from agent.policy.demand import Demand, Signal
from agent.policy.document import ForecastPolicy, document_json
from agent.policy.faults import Fault, InvalidDocument, InvalidPolicy
from agent.policy.objectives import Lesson
from agent.policy.parsing import load_policies, parse_policy, policy_of

__all__ = [
    "Demand",
    "Fault",
    "ForecastPolicy",
    "InvalidDocument",
    "InvalidPolicy",
    "Lesson",
    "Signal",
    "document_json",
    "lessons",
    "load_policies",
    "parse_policy",
    "policy_of",
    "reserved_fields_used",
    "signals_by_name",
    "to_scaling_policy",
]
