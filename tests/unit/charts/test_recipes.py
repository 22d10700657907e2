"""What docs/install.md tells people to write is taken by the tools it is written for."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.chart import CHART, HELM, ROOT, URL, helm, nested, rendered, the

PAGE = (ROOT / "docs" / "install.md").read_text("utf-8")
NAMED = sorted({*re.findall(r"`((?:rbac|crds|networkPolicy|image|tls\.\w{4,})\.?[\w.]*)", PAGE)})
KUBECTL = HELM.with_name("kubectl")


def block(heading: str, first: str) -> str:
    """Return the indented block under a heading that begins with a word."""
    section = PAGE.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    blocks = ["\n".join(line[4:] for line in part.splitlines()) for part in section.split("\n\n") if part[:4] == "    "]
    return next(each for each in blocks if each.startswith(first))


def test_the_values_for_argo_cd_render() -> None:
    application = yaml.safe_load(block("Argo CD", "apiVersion"))
    values = application["spec"]["source"]["helm"]["valuesObject"]

    assert ROOT / application["spec"]["source"]["path"] == CHART
    assert the("Deployment", values)["spec"]["template"]["spec"]["containers"][0]["image"].startswith(
        "registry.example"
    )


def test_the_values_for_sources_render() -> None:
    values: dict[str, Any] = yaml.safe_load(block("Sources and their secrets", "prometheus"))
    configuration = yaml.safe_load(the("ConfigMap", values)["data"]["agent.yaml"])

    assert configuration["sources"].keys() == {"default", "mimir"}


def test_the_kustomization_changes_image_and_replicas(tmp_path: Path) -> None:
    if not KUBECTL.exists() and "CI" not in os.environ:
        pytest.skip("kubectl is not in .venv/bin, so the Kustomize recipe is not tested: make .venv/bin/helm")
    given = f"--set=prometheus.url={URL}"
    text = helm("template", "foretide", str(CHART), "-n=foretide", "--no-hooks", given)
    (tmp_path / "foretide.yaml").write_text(text)
    (tmp_path / "kustomization.yaml").write_text(block("Kustomize", "apiVersion"))
    done = subprocess.run([str(KUBECTL), "kustomize", str(tmp_path)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    objects = [each for each in yaml.safe_load_all(done.stdout) if each]
    (deployment,) = [each for each in objects if each["kind"] == "Deployment"]

    assert len(objects) == len(rendered({"crds.install": True})) - 1  # without the pod of `helm test`
    assert deployment["spec"]["replicas"] == 3
    assert deployment["spec"]["template"]["spec"]["containers"][0]["image"] == "registry.example.com/foretide:0.1.0"


@pytest.mark.parametrize("path", NAMED)
def test_every_value_that_the_page_names_is_there(path: str) -> None:
    values: Any = yaml.safe_load((CHART / "values.yaml").read_text("utf-8"))
    for step in path.split("."):
        values = values[step]
    assert nested({path: values})
