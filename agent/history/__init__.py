"""What is known of the past: grids in memory, the store behind them, and the ledger of decisions.

Reading the past from a source and deciding what to keep are the engine's.
"""

from agent.history.decision_json import decision_to_json
from agent.history.grid import History, Taken
from agent.history.ledger import Ledger
from agent.history.opening import open_store
from agent.history.store import DataDirInUse, Store, StoredDecision, StoredSample, StoreLimits

__all__ = [
    "DataDirInUse",
    "History",
    "Ledger",
    "Store",
    "StoreLimits",
    "StoredDecision",
    "StoredSample",
    "Taken",
    "decision_to_json",
    "open_store",
]
