"""What the cluster tests start: Kubernetes, KEDA and KWOK, built from their Go modules once and kept in a user cache.

    python -m tests.cluster.binaries     builds what is missing, with a line of progress for each module

The folder of a module is named by the checksum of its `go.mod` and `go.sum`, of the flags and of Go's version.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

MODULES = Path(__file__).parent / "modules"
FLAGS = ("-trimpath", "-buildvcs=false", "-ldflags", "-s -w")


class CannotBuild(Exception):
    """A program is not there and cannot be built; the message says why."""


@dataclass(frozen=True, slots=True)
class GoModule:
    """Programs that share the versions of one go.mod."""

    name: str  # folder in MODULES
    programs: dict[str, str]  # file name -> package
    module: str  # whose folder has the files below
    files: tuple[str, ...] = ()  # patterns in the module's folder of files that are kept too
    minutes: float = 1.0  # of a cold build on two cores

    @property
    def folder(self) -> Path:
        """Where its programs are, once they are built."""
        digest = hashlib.sha256(" ".join((*FLAGS, _go_version())).encode())
        for file in ("go.mod", "go.sum"):
            digest.update((MODULES / self.name / file).read_bytes())
        return cache() / f"{self.name}-{digest.hexdigest()[:16]}"

    def built(self) -> Path:
        """Return the folder with its programs, built now where they are not there.

        Raises:
            CannotBuild: Go is not there, or it failed.
        """
        folder = self.folder
        if not folder.exists():
            cache().mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=cache(), prefix=f".{self.name}-") as unfinished:
                self._build(Path(unfinished))
                shutil.copytree(unfinished, f"{unfinished}.done")
            _into_place(Path(f"{unfinished}.done"), folder)
        return folder

    def _build(self, folder: Path) -> None:
        for program, package in self.programs.items():
            _go("build", *FLAGS, "-o", str(folder / program), package, at=self.name)
        if self.files:
            source = _go("list", "-m", "-f", "{{.Dir}}", self.module, at=self.name).strip()
            for file in sorted(found for pattern in self.files for found in Path(source).glob(pattern)):
                (folder / file.name).write_bytes(file.read_bytes())  # writable, unlike Go's own


KUBERNETES = GoModule(
    name="kubernetes",
    module="k8s.io/kubernetes",
    programs={
        "etcd": "go.etcd.io/etcd/server/v3",
        "kube-apiserver": "k8s.io/kubernetes/cmd/kube-apiserver",
        "kube-controller-manager": "k8s.io/kubernetes/cmd/kube-controller-manager",
        "kube-scheduler": "k8s.io/kubernetes/cmd/kube-scheduler",
    },
    minutes=6,
)
KEDA = GoModule(
    name="keda",
    module="github.com/kedacore/keda/v2",
    programs={
        "keda-operator": "github.com/kedacore/keda/v2/cmd/operator",
        "keda-adapter": "github.com/kedacore/keda/v2/cmd/adapter",
    },
    files=("config/crd/bases/*.yaml",),
    minutes=8,
)
KWOK = GoModule(
    name="kwok",
    module="sigs.k8s.io/kwok",
    programs={"kwok": "sigs.k8s.io/kwok/cmd/kwok"},
    files=(
        "kustomize/stage/node/fast/node-*.yaml",
        "kustomize/stage/node/heartbeat/node-*.yaml",
        "kustomize/stage/pod/fast/pod-delete.yaml",
    ),
    minutes=3,
)
ALL = (KUBERNETES, KEDA, KWOK)


def cache() -> Path:
    """Return the folder that outlives a checkout; XDG_CACHE_HOME moves it."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "foretide" / "cluster"


def _into_place(finished: Path, folder: Path) -> None:
    try:
        finished.rename(folder)
    except OSError:
        shutil.rmtree(finished)
        if not folder.exists():  # else somebody else built it meanwhile
            raise


def _go_version() -> str:
    return _go("version", at="kubernetes").strip()


def _go(*arguments: str, at: str) -> str:
    environment = {**os.environ, "CGO_ENABLED": "0", "GOFLAGS": "-mod=readonly", "GOTOOLCHAIN": "local"}
    command = ["nice", "-n", "5", "go", *arguments]
    if shutil.which("go") is None:
        raise CannotBuild("the cluster tests build Kubernetes, KEDA and KWOK, and need Go 1.26 or newer: install it")
    done = subprocess.run(command, cwd=MODULES / at, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise CannotBuild(f"{' '.join(command)} in {MODULES / at} failed:\n{done.stderr[-3000:]}")
    return done.stdout


def main() -> int:
    """Build what is missing, and say what is done."""
    for module in ALL:
        if module.folder.exists():
            continue
        names = ", ".join(module.programs)
        print(f"e2e      building {names}: about {module.minutes:g} min on two cores, once", flush=True)
        began = time.monotonic()
        folder = module.built()
        print(f"e2e      built in {time.monotonic() - began:.0f} s: {folder}", flush=True)
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except CannotBuild as failure:
        sys.exit(f"e2e      {failure}")
