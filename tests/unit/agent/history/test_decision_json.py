import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

from agent.history.decision_json import decision_to_json, instant_to_json
from forecasters.ceiling import Ceiling
from scalers.decision import Fall, LearnedCapacity, Replicas
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
                "fall": None,
                "ceiling": None,
                "learned": None,
            }
        ],
        "replicas": {"existing": 10, "ready": 9, "isRollingOut": False},
        "lookAheadSeconds": 150.0,
        "leadTimeSeconds": 120.0,
        "leadTimeMeasuredFrom": None,
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


def test_a_fall_and_a_ceiling_are_told_with_their_times():
    known = decided(NOON, 10.5)
    fall = Fall(since=NOON, until=NOON + timedelta(hours=2), before=96.0, is_back=False)
    ceiling = Ceiling(120.0, plateaus=2, total=timedelta(hours=3), longest=timedelta(hours=2), since=NOON)
    (signal,) = known.signals
    told = decision_to_json(replace(known, signals=(replace(signal, fall=fall, ceiling=ceiling),)))["signals"][0]

    assert told["fall"] == {
        "since": "2026-11-22T12:00:00Z",
        "until": "2026-11-22T14:00:00Z",
        "before": 96.0,
        "isBack": False,
    }
    assert told["ceiling"] == {
        "level": 120.0,
        "plateaus": 2,
        "totalSeconds": 10800.0,
        "longestSeconds": 7200.0,
        "since": "2026-11-22T12:00:00Z",
    }


def test_a_learned_capacity_is_told_with_what_it_rests_on():
    known = decided(NOON, 10.5)
    learned = LearnedCapacity(NOON, 12.0, 10.0, 12.0, 13.6, 0.9, 412.0, "capacity 12 learned; declared 10")
    (signal,) = known.signals
    told = decision_to_json(replace(known, signals=(replace(signal, learned=learned),)))["signals"][0]

    assert told["learned"] == {
        "at": "2026-11-22T12:00:00Z",
        "capacity": 12.0,
        "declared": 10.0,
        "low": 12.0,
        "high": 13.6,
        "confidence": 0.9,
        "samples": 412.0,
        "sentence": "capacity 12 learned; declared 10",
    }


def test_an_instant_is_told_in_utc_with_its_fraction():
    zoned = datetime(2026, 11, 22, 14, 0, 0, 250_000, tzinfo=timezone(timedelta(hours=2)))

    assert instant_to_json(zoned) == "2026-11-22T12:00:00.250000Z"
