"""Write the gRPC stubs anew from the protos: `python -m scalers.keda.proto.regenerate [FOLDER]`.

Needs the `dev` extra (grpcio-tools, mypy-protobuf). A proto keeps its place in the package as its name, so the stubs
import each other as `scalers.keda.proto...`.
"""

from __future__ import annotations

import importlib.resources
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
PROTOS = ("scalers/keda/proto/externalscaler.proto", "agent/cluster/peers/proto/peers.proto")
_KINDS = ("pb2.py", "pb2.pyi", "pb2_grpc.py", "pb2_grpc.pyi")
STUBS = tuple(f"{proto.removesuffix('.proto')}_{kind}" for proto in PROTOS for kind in _KINDS)


def regenerate(folder: Path) -> None:
    """Write the stubs below a folder, in the place that they have below the checkout.

    Raises:
        RuntimeError: protoc refused a proto; it has told why on stderr.
    """
    from grpc_tools import protoc  # a build tool, absent where the agent runs

    outputs = [f"--{kind}_out={folder}" for kind in ("python", "grpc_python", "mypy", "mypy_grpc")]
    includes = [f"-I{ROOT}", f"-I{importlib.resources.files('grpc_tools') / '_proto'}"]
    plugins = [f"--plugin={plugin}={_beside_python(plugin)}" for plugin in ("protoc-gen-mypy", "protoc-gen-mypy_grpc")]
    status = protoc.main(["protoc", *includes, *plugins, *outputs, *PROTOS])
    if status:
        raise RuntimeError(f"protoc ended with status {status} on {PROTOS}")


def _beside_python(command: str) -> Path:
    """Return where a console script of this environment lies, which need not be on the PATH."""
    return Path(sys.executable).parent / command


if __name__ == "__main__":
    regenerate(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT)
