import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

from agent.history.decision_json import decision_to_json, instant_to_json
from scalers.decision import Replicas
from tests.fakes.history import decided

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


def test_a_decision_has_one_json_form():
    decision = decided(NOON, 10.5, clamps=("tolerance",), replicas=Replicas(existing=10, ready=9))

    assert decision_to_json(decision) == {
        "namespace": "ml",
        "name": "chat",
        "at": "2026-11-22T12:00:00Z",
        "mode": "Active",
        "basis": "forecast",
        "signals": [
            {
                "name": "demand",
                "capacity": 12.0,
                "demand": 96.0,
                "at": "2026-11-22T12:00:00Z",
                "state": "OK",
                "peak": {
                    "model": "harmonic",
                    "origin": "2026-11-22T12:00:00Z",
                    "until": "2026-11-22T12:02:00Z",
                    "level": 0.99,
                    "value": 120.0,
                    "median": 100.0,
                    "calibration": 4.0,
                },
                "distrust": None,
                "isLearning": False,
            }
        ],
        "replicas": {"existing": 10, "ready": 9},
        "lookAheadSeconds": 150.0,
        "rawNeed": 8.0,
        "need": 10.0,
        "clamps": [{"name": "tolerance", "before": 10.0, "after": 11.0, "reason": "because"}],
        "answer": 10.5,
        "forKeda": 10.5,
        "isActive": True,
        "sentence": "10 replicas",
    }


def test_what_is_not_known_is_null_and_every_key_is_there():
    known = decided(NOON, 10.5)
    blind = replace(known.signals[0], demand=None, at=None, peak=None, distrust="no samples since 12:04")
    unknown = replace(known, signals=(blind,), raw_need=None, need=None, answer=None, for_keda=None)

    plain = json.loads(json.dumps(decision_to_json(unknown)))

    assert plain.keys() == decision_to_json(known).keys()
    assert (plain["answer"], plain["replicas"], plain["rawNeed"]) == (None, None, None)
    assert (plain["signals"][0]["peak"], plain["signals"][0]["at"]) == (None, None)


def test_an_instant_is_told_in_utc_with_its_fraction():
    zoned = datetime(2026, 11, 22, 14, 0, 0, 250_000, tzinfo=timezone(timedelta(hours=2)))

    assert instant_to_json(zoned) == "2026-11-22T12:00:00.250000Z"
