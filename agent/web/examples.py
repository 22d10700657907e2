"""The examples of the API's documentation; tests hold each against its model, so none can go stale."""

from __future__ import annotations

from typing import Final

from pydantic import JsonValue

Example = dict[str, JsonValue]

NOW: Final = "2026-11-17T14:29:45Z"

_BOUGHT: Final = (
    "quantile-0.95 at 77% answers since 13:57:15; in the simulation of the last 5 d 22 h it took 8.1 replicas where "
    "reactive at 55% takes 9.6 (16 % fewer); short 0.4 % of the time, that one 0.6 %, risk 1 %"
)

CONDITION: Example = {
    "type": "ForecastTrusted",
    "status": True,
    "reason": "Trusted",
    "message": _BOUGHT,
    "since": "2026-11-17T13:57:15Z",
}

SUMMARY: Example = {
    "namespace": "ml",
    "name": "chat",
    "mode": "Active",
    "state": "Trusted",
    "stateSince": "2026-11-17T13:57:15Z",
    "stateNote": None,
    "sentence": "148 by 14:32:15 needs 12.33; one replica serves 12",
    "rawNeed": 9.6,
    "need": 12.33,
    "answer": 12.33,
    "forKeda": 12.33,
    "replicas": {"existing": 11, "ready": 11, "isRollingOut": False},
    "model": "quantile-0.95 at 77%",
    "risk": 0.01,
    "riskUsed": 0.0042,
    "lookAheadSeconds": 150.0,
    "leadTimeSeconds": 120.0,
    "leadTimeMeasuredFrom": None,
    "ages": {"data": 4.0, "forecast": 4.0, "decision": 1.0},
    "conditions": [CONDITION],
}

DECISION: Example = {
    "namespace": "ml",
    "name": "chat",
    "at": NOW,
    "mode": "Active",
    "basis": "forecast",
    "signals": [
        {
            "name": "demand",
            "capacity": 12.0,
            "demand": 115.2,
            "at": "2026-11-17T14:29:45Z",
            "state": "OK",
            "peak": {
                "model": "quantile-0.95 at 77%",
                "origin": "2026-11-17T14:29:45Z",
                "until": "2026-11-17T14:32:15Z",
                "level": 0.99,
                "value": 148.0,
                "median": 134.0,
                "calibration": 2.1,
            },
            "distrust": None,
            "isLearning": False,
            "fall": None,
            "ceiling": None,
            "learned": None,
        }
    ],
    "replicas": {"existing": 11, "ready": 11, "isRollingOut": False},
    "lookAheadSeconds": 150.0,
    "leadTimeSeconds": 120.0,
    "leadTimeMeasuredFrom": None,
    "rawNeed": 9.6,
    "need": 12.33,
    "clamps": [],
    "answer": 12.33,
    "forKeda": 12.33,
    "isActive": True,
    "sentence": "148 by 14:32:15 needs 12.33; one replica serves 12",
}

DECISION_ROW: Example = {
    "since": "2026-11-17T14:20:45Z",
    "until": NOW,
    "count": 37,
    "decision": DECISION,
}

ADVANTAGE: Example = {
    "signal": "demand",
    "family": "quantile-regression",
    "isReactive": False,
    "keepsRisk": True,
    "since": "2026-11-17T13:57:15Z",
    "latelySeconds": 511200.0,
    "own": {"expert": "quantile-0.95 at 77%", "replicas": 8.1, "short": 0.004},
    "reactive": {"expert": "reactive at 55%", "replicas": 9.6, "short": 0.006},
    "saved": 0.15625,
    "sentence": _BOUGHT,
}

DETAIL: Example = {
    **SUMMARY,
    "now": NOW,
    "minimum": 1,
    "maximum": 40,
    "gang": 1,
    "tolerance": 0.1,
    "stabilizationSeconds": 300.0,
    "signals": [{"name": "demand", "stepSeconds": 15.0, "delaySeconds": 0.0, "windowSeconds": 60.0, "capacity": 12.0}],
    "advantages": [ADVANTAGE],
    "trust": [
        {
            "signal": "demand",
            "model": "quantile-regression",
            "loss": 0.84,
            "isTrusted": True,
            "note": "quantile-0.95 at 77%",
        }
    ],
    "coverage": [{"signal": "demand", "level": 0.99, "observed": 0.989, "count": 40320}],
    "leadTime": None,
    "decision": DECISION,
    "document": {"apiVersion": "foretide.dev/v1alpha1", "kind": "ForecastPolicy"},
    "hasComparison": False,
}

FORECAST: Example = {
    "signal": "demand",
    "capacity": 12.0,
    "nowSeconds": 1795012185.0,
    "oldestSeconds": 1794998700.0,
    "demand": {"startSeconds": 1795012155.0, "stepSeconds": 15.0, "values": [113.8, None, 115.2]},
    "forecast": {
        "model": "harmonic",
        "originSeconds": 1795012185.0,
        "stepSeconds": 15.0,
        "valueAtOrigin": 115.2,
        "levels": [0.01, 0.5, 0.99],
        "quantiles": [[108.1, 106.9], [116.0, 116.9], [121.2, 123.4]],
        "decidingLevel": 0.99,
        "deciding": [121.2, 123.4],
    },
    "replicas": {
        "timesSeconds": [1795012140.0, 1795012185.0],
        "needed": [10.86, 12.33],
        "answered": [10.86, 12.33],
        "existing": [11.0, 11.0],
        "ready": [11.0, 11.0],
        "basis": ["forecast", "forecast"],
        "expectedAtSeconds": [1795012290.0, 1795012335.0],
        "expected": [117.5, 134.0],
    },
}

TREND: Example = {
    "namespace": "ml",
    "name": "chat",
    "stepSeconds": 225.0,
    "demand": [84.0, None, 115.2],
    "median": [134.0, 131.5],
    "low": [112.0, 108.9],
    "high": [148.0, 150.2],
}

_SIDE: Example = {
    "name": "Foretide",
    "existing": [11.0, 13.0],
    "ready": [11.0, 11.0],
    "score": {"replicaHours": 201.4, "unservedPct": 0.06, "shortPct": 0.42, "actionsPerH": 4.1, "cost": 1.12},
}

COMPARISON: Example = {
    "sinceSeconds": 1794960000.0,
    "untilSeconds": 1795012185.0,
    "startSeconds": 1795012170.0,
    "stepSeconds": 15.0,
    "need": [9.5, 9.6],
    "foretide": _SIDE,
    "reactive": {**_SIDE, "name": "HPA at 70 %"},
}
