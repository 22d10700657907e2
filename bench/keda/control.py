"""The Go program beside which the server is measured: built once, kept in the user's cache."""

from __future__ import annotations

import hashlib
import importlib.resources
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from grpc_tools import protoc

MODULE = Path(__file__).parent / "control"
ROOT = Path(__file__).resolve().parents[2]
PROTO = ROOT / "scalers/keda/proto/externalscaler.proto"
PLUGINS = ("google.golang.org/protobuf/cmd/protoc-gen-go", "google.golang.org/grpc/cmd/protoc-gen-go-grpc")


def go() -> str | None:
    """Return the Go command of this machine, None if there is none."""
    return shutil.which("go") or shutil.which("go", path="/usr/local/go/bin")


def go_version() -> str:
    """Return what this machine's Go calls itself, such as "go1.26.8"."""
    return _run_go("env", "GOVERSION", folder=MODULE).strip()


def built() -> Path:
    """Return the program, built unless the cache holds it; its checksum is that of the module, the proto and Go.

    Raises:
        RuntimeError: Go is absent, or the build failed.
    """
    program = _cache() / f"keda-control-{_checksum()}"
    if not program.exists():
        print("bench    building the Go control (once)", file=sys.stderr, flush=True)
        program.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory() as folder:
            _build(Path(folder) / "module", program)
    return program


def _build(module: Path, program: Path) -> None:
    """Generate the stubs beside a copy of the module, so that none is ever in the checkout, and compile."""
    shutil.copytree(MODULE, module)
    plugins = module / "plugins"
    _run_go("build", "-o", f"{plugins}/", *PLUGINS, folder=module)
    _generate(module, plugins)
    part = program.with_suffix(f".{os.getpid()}")
    _run_go("build", "-trimpath", "-ldflags", "-s -w", "-o", str(part), ".", folder=module)
    part.replace(program)  # two runs may build at once


def _generate(module: Path, plugins: Path) -> None:
    stubs = module / "externalscaler"
    stubs.mkdir()
    outputs = []
    for kind in ("go", "go-grpc"):
        outputs += [f"--plugin=protoc-gen-{kind}={plugins / f'protoc-gen-{kind}'}", f"--{kind}_out={stubs}"]
        outputs += [f"--{kind}_opt=paths=source_relative", f"--{kind}_opt=M{PROTO.name}=./externalscaler"]
    includes = [f"-I{PROTO.parent}", f"-I{importlib.resources.files('grpc_tools') / '_proto'}"]
    status = protoc.main(["protoc", *includes, *outputs, PROTO.name])
    if status:
        raise RuntimeError(f"protoc ended with status {status} on {PROTO}")


def _run_go(*arguments: str, folder: Path) -> str:
    command = go()
    if command is None:
        raise RuntimeError("there is no Go on this machine: put `go` on the PATH")
    environment = {**os.environ, "CGO_ENABLED": "0", "GOTOOLCHAIN": "local"}
    done = subprocess.run(
        ["nice", "-n", "5", command, *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"go {' '.join(arguments)} failed in {folder}:\n{done.stderr}")
    return done.stdout


def _checksum() -> str:
    digest = hashlib.sha256(go_version().encode())
    for file in sorted([*MODULE.iterdir(), PROTO]):
        digest.update(file.name.encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()[:16]


def _cache() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "foretide"
