"""Which HPA or ScaledObject a name means."""

from __future__ import annotations

import pytest

from agent.adopt.cannot import CannotAdopt
from agent.adopt.finding import Found, Kind, find, others
from tests.fakes.scaler_documents import Object, a_keda_hpa, a_scaled_object, an_hpa


def found(name: str, *documents: Object, kind: Kind | None = None) -> Found:
    hpas = [each for each in documents if each["kind"] == "HorizontalPodAutoscaler"]
    scaled_objects = [each for each in documents if each["kind"] == "ScaledObject"]
    return find(name, namespace="ml", kind=kind, hpas=hpas, scaled_objects=scaled_objects)


def test_a_name_is_an_objects_or_that_of_what_it_scales() -> None:
    assert found("chat-cpu", an_hpa()).shown == "HPA ml/chat-cpu"
    assert found("chat", an_hpa()).shown == "HPA ml/chat-cpu"
    assert found("talk", a_scaled_object("talk")).shown == "ScaledObject ml/talk"


def test_an_objects_own_name_goes_before_that_of_a_target() -> None:
    assert found("chat", an_hpa("chat-cpu"), an_hpa("chat", scaleTargetRef={"name": "other"})).target == "other"


def test_an_hpa_that_keda_made_stands_for_its_scaled_object() -> None:
    there = (a_scaled_object("chat"), a_keda_hpa("chat"))
    assert found("keda-hpa-chat", *there).shown == "ScaledObject ml/chat"
    assert found("chat", *there).shown == "ScaledObject ml/chat"


def test_what_is_not_there_is_told_with_what_is() -> None:
    with pytest.raises(CannotAdopt, match=r"named 'caht'.*it has HPA chat-cpu \(of chat\).*kubectl get hpa"):
        found("caht", an_hpa())
    with pytest.raises(CannotAdopt, match="it has neither"):
        found("chat")


def test_a_name_of_two_is_refused_until_the_kind_is_said() -> None:
    there = (an_hpa("chat"), a_scaled_object("chat", target={"name": "talk"}))
    with pytest.raises(CannotAdopt, match=r"means ScaledObject chat \(of talk\), HPA chat \(of chat\): name one"):
        found("chat", *there)
    assert found("chat", *there, kind=Kind.HPA).kind is Kind.HPA
    assert found("chat", *there, kind=Kind.SCALED_OBJECT).target == "talk"


def test_a_second_hpa_on_the_target_is_seen_and_kedas_own_is_none() -> None:
    hpas = [an_hpa("one"), an_hpa("two"), a_keda_hpa("chat")]
    assert others(Found(Kind.HPA, hpas[0]), hpas[:2]) == ["two"]
    assert others(Found(Kind.SCALED_OBJECT, a_scaled_object("chat")), hpas) == ["one", "two"]
