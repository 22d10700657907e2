from __future__ import annotations

from pathlib import Path

import pytest

from scalers.keda.proto.externalscaler_pb2 import DESCRIPTOR
from scalers.keda.proto.regenerate import ROOT, STUBS, regenerate

FIELDS = {
    "ScaledObjectRef": {"name": 1, "namespace": 2, "scalerMetadata": 3},
    "IsActiveResponse": {"result": 1},
    "GetMetricSpecResponse": {"metricSpecs": 1},
    "MetricSpec": {"metricName": 1, "targetSize": 2, "targetSizeFloat": 3},
    "GetMetricsRequest": {"scaledObjectRef": 1, "metricName": 2},
    "GetMetricsResponse": {"metricValues": 1},
    "MetricValue": {"metricName": 1, "metricValue": 2, "metricValueFloat": 3},
}


def test_the_stubs_are_what_the_proto_generates(tmp_path: Path) -> None:
    regenerate(tmp_path)
    for stub in STUBS:
        committed = (ROOT / stub).read_text()
        assert committed == (tmp_path / stub).read_text(), "python -m scalers.keda.proto.regenerate"


@pytest.mark.parametrize("message", FIELDS)
def test_fields_bear_kedas_names_and_numbers(message: str) -> None:
    fields = DESCRIPTOR.message_types_by_name[message].fields
    assert {field.name: field.number for field in fields} == FIELDS[message]


def test_the_service_lies_at_kedas_path() -> None:
    assert DESCRIPTOR.services_by_name["ExternalScaler"].full_name == "externalscaler.ExternalScaler"
