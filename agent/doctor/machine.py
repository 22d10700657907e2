"""The machine under the agent: its data folder and the addresses it listens on."""

from __future__ import annotations

import re
import shutil
import socket
import tempfile
from pathlib import Path

import requests

from agent.doctor.finding import Finding, Level

LEAST_FREE_BYTES = 1 << 30  # weeks of samples of hundreds of policies
ASK_SECONDS = 3.0


def check_data_dir(folder: Path | None) -> list[Finding]:
    """Look whether history and decisions can be kept."""
    if folder is None:
        mend = "give --data-dir: a restart then begins with what the last one knew"
        return [Finding("data folder", Level.WARN, "none: everything is kept in memory only", mend)]
    existing = next(parent for parent in (folder, *folder.absolute().parents) if parent.exists())
    try:
        with tempfile.TemporaryFile(dir=existing):
            pass
    except OSError as error:
        mend = f"let the agent's user write to {existing}"
        return [Finding("data folder", Level.FAIL, f"{folder} cannot be written: {error.strerror}", mend)]
    free = shutil.disk_usage(existing).free
    what = f"{folder} can be written, {free / 2**30:.1f} GiB free"
    if free < LEAST_FREE_BYTES:
        return [Finding("data folder", Level.WARN, what, "free 1 GiB; a full disk leaves the agent with its memory")]
    return [Finding("data folder", Level.OK, what)]


def check_addresses(*, grpc: str, http: str) -> list[Finding]:
    """Look whether the addresses are free, or an agent answers on them already."""
    wrong = [address for address in (grpc, http) if not re.fullmatch(r".+:\d{1,5}", address)]
    if wrong:
        return [Finding("address", Level.FAIL, f"{address!r} is no address", "write HOST:PORT") for address in wrong]
    agent = None if _is_free(http) else _ask_agent(http)
    if agent is not None:
        return [agent]
    return [_free(f"{name} address", address) for name, address in (("gRPC", grpc), ("HTTP", http))]


def _free(check: str, address: str) -> Finding:
    if _is_free(address):
        return Finding(check, Level.OK, f"{address} is free")
    mend = "stop what listens there, or give another address"
    return Finding(check, Level.FAIL, f"{address} is taken, and not by an agent", mend)


def _is_free(address: str) -> bool:
    host, _, port = address.rpartition(":")
    host = host.strip("[]")
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as servers do: a closing connection is no claim
        try:
            probe.bind((host, int(port)))
        except (OSError, OverflowError):
            return False
    return True


def _ask_agent(address: str) -> Finding | None:
    """Return how the agent at an HTTP address is; None where something else answers there."""
    asked = address.replace("0.0.0.0", "127.0.0.1").replace("[::]", "[::1]")  # noqa: S104 - nothing is bound
    try:
        reply = requests.get(f"http://{asked}/readyz", timeout=ASK_SECONDS)
    except requests.RequestException:
        return None  # told as taken
    lines = reply.text.splitlines() or [""]
    if reply.ok and lines[0] == "ready":
        return Finding("agent", Level.OK, f"one runs at {address} and is ready")
    if lines[0] == "not ready":
        mend = "see `foretide explain` and the conditions of its policies"
        return Finding("agent", Level.WARN, f"one runs at {address} and is not ready: {'; '.join(lines[1:])}", mend)
    return None
