"""How much one replica serves: declared, derived from how it saturates or lets wait, or learned while it runs.

Here are numbers and their sources; what reads demand, replicas and objectives from a cluster does not belong here.
"""

from scalers.capacity.drift import Direction
from scalers.capacity.evidence import Interval
from scalers.capacity.learning import CapacityLearner, Drifted, Estimate, Knowledge, LearningPolicy
from scalers.capacity.objective import Limit, Sense
from scalers.capacity.saturation import Measured, Saturation, capacity_of_measured, fit_saturation
from scalers.capacity.sizing import Sizing
from scalers.capacity.waiting import Service, WaitObjective, highest_rate, replicas_for
from scalers.capacity.watching import Observation, Taken

__all__ = [
    "CapacityLearner",
    "Direction",
    "Drifted",
    "Estimate",
    "Interval",
    "Knowledge",
    "LearningPolicy",
    "Limit",
    "Measured",
    "Observation",
    "Saturation",
    "Sense",
    "Service",
    "Sizing",
    "Taken",
    "WaitObjective",
    "capacity_of_measured",
    "fit_saturation",
    "highest_rate",
    "replicas_for",
]
