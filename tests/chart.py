"""The chart as Helm renders it, for tests."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from copy import deepcopy
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[1]
CHART = ROOT / "charts" / "foretide"
HELM = ROOT / ".venv" / "bin" / "helm"
URL = "http://prometheus.monitoring:9090"

Object = dict[str, Any]


class Refused(Exception):
    """Helm renders nothing; the message is Helm's."""


def helm(*words: str) -> str:
    """Run helm and return what it prints.

    Raises:
        Refused: it failed.
    """
    if not HELM.exists() and "CI" not in os.environ:
        pytest.skip("helm is not in .venv/bin, so nothing of the chart is tested: make .venv/bin/helm")
    with tempfile.TemporaryDirectory() as home:  # plugins and caches of the machine stay out of it
        environment = {"HOME": home, "PATH": os.environ["PATH"]}
        done = subprocess.run([str(HELM), *words], env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Refused(done.stderr + done.stdout)
    return done.stdout


def nested(values: Mapping[str, object]) -> Object:
    """Return values by dotted path as Helm takes them: `{"crds.keep": False}` is `{crds: {keep: False}}`."""
    whole: Object = {}
    for path, value in values.items():
        *parents, name = path.split(".")
        part = whole
        for parent in parents:
            part = part.setdefault(parent, {})
        part[name] = value
    return whole


def template(values: Mapping[str, object], *words: str, chart: Path = CHART) -> str:
    """Return the manifests as text. Unless the values say so, `prometheus.url` is given and the long CRD left out."""
    return _template(yaml.safe_dump(nested({"prometheus.url": URL, "crds.install": False, **values})), words, chart)


@cache
def _template(values: str, words: tuple[str, ...], chart: Path) -> str:
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
        file.write(values)
        file.flush()
        return helm("template", "foretide", str(chart), "--namespace=foretide", f"--values={file.name}", *words)


def rendered(values: Mapping[str, object] | None = None, *words: str, chart: Path = CHART) -> list[Object]:
    """Return the manifests."""
    return deepcopy(_objects(template(values or {}, *words, chart=chart)))


@cache
def _objects(text: str) -> list[Object]:
    return [each for each in yaml.load_all(text, yaml.CSafeLoader) if each]


def of_kind(kind: str, values: Mapping[str, object] | None = None) -> list[Object]:
    """Return the manifests of one kind."""
    return [each for each in rendered(values) if each["kind"] == kind]


def the(kind: str, values: Mapping[str, object] | None = None, *, name: str = "foretide") -> Object:
    """Return the manifest of a kind and name."""
    (found,) = [each for each in of_kind(kind, values) if each["metadata"]["name"] == name]
    return found


def pods(values: Mapping[str, object] | None = None) -> Iterator[Object]:
    """Yield the specs of all pods."""
    yield the("Deployment", values)["spec"]["template"]["spec"]
    yield the("Pod", values, name="foretide-doctor")["spec"]


def leaves(values: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, Any]]:
    """Yield values by dotted path; an empty mapping is a value."""
    for name, value in values.items():
        where = f"{path}.{name}".removeprefix(".")
        if isinstance(value, Mapping) and value and not _is_free(where):
            yield from leaves(value, where)
        else:
            yield where, value


def _is_free(path: str) -> bool:
    return path in {"resources", "dashboards.labels", "commonLabels"}
