"""What scales Deployment/chat, as an API server shows it, and proposals for it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from agent.adopt.demand import demand_of
from agent.adopt.finding import Found, Kind
from agent.adopt.proposal import Around, Proposal, Wish, propose
from agent.adopt.today import today_of
from tests.fakes.scaler_documents import Object, a_scaled_object, an_hpa

QUERY = 'sum(rate(http_requests_total{app="chat"}[1m]))'
WISH = Wish(0.01, timedelta(minutes=2), "foretide.foretide:6000")
BEHAVIOR = {
    "scaleUp": {"tolerance": "50m", "policies": [{"type": "Pods", "value": 4, "periodSeconds": 15}]},
    "scaleDown": {
        "stabilizationWindowSeconds": 120,
        "policies": [{"type": "Percent", "value": 50, "periodSeconds": 60}],
    },
}


def pods_metric(name: str = "http_requests", value: str = "12") -> Object:
    target = {"type": "AverageValue", "averageValue": value}
    return {"type": "Pods", "pods": {"metric": {"name": name}, "target": target}}


def external_metric(name: str, value: str, **labels: str) -> Object:
    metric = {"name": name, "selector": {"matchLabels": labels}}
    return {
        "type": "External",
        "external": {"metric": metric, "target": {"type": "AverageValue", "averageValue": value}},
    }


def prometheus_trigger(threshold: str = "12", **metadata: str) -> Object:
    known = {"serverAddress": "http://reader:secret@prometheus:9090", "query": QUERY, "threshold": threshold}
    return {"type": "prometheus", "metadata": {**known, **metadata}}


def hpa(*metrics: Object, **spec: Any) -> Found:
    return Found(Kind.HPA, an_hpa("chat-hpa", **({"metrics": metrics} if metrics else {}), **spec))


def scaled_object(*triggers: Object, **spec: Any) -> Found:
    return Found(Kind.SCALED_OBJECT, a_scaled_object(triggers=triggers, **spec))


def proposed(found: Found, *, query: str | None = None, capacity: float | None = None, **more: Any) -> Proposal:
    today = today_of(found)
    return propose(today, demand_of(today, query=query, capacity=capacity), WISH, Around(**more))


def file(proposal: Proposal, name: str) -> Object:
    """Return a file's document."""
    return dict(next(each.document for each in proposal.files if each.name == name))
