"""The Makefile says what there is, and its scripts fail with a sentence, not with pages."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
BASH = shutil.which("bash") or ""
TARGETS = {
    "help",
    "demo",
    "test",
    "e2e",
    "bench",
    "bench-env",
    "bench-forecasts",
    "lint",
    "lock",
    "clean",
    "page",
    "env",
}

pytestmark = pytest.mark.skipif(not BASH, reason="no bash: the Makefile's scripts are not tested")


def script(
    name: str, *arguments: str, cwd: Path = ROOT, path: str = "/usr/bin:/bin"
) -> subprocess.CompletedProcess[str]:
    command = [BASH, str(ROOT / ".ci" / name), *arguments]
    return subprocess.run(command, cwd=cwd, env={"PATH": path}, capture_output=True, text=True, check=False)


def test_every_target_has_a_line_of_help() -> None:
    makefile = (ROOT / "Makefile").read_text()
    phony = set(re.findall(r"^\.PHONY: (\S+)$", makefile, re.MULTILINE))
    helped = set(re.findall(r"^([a-z0-9-]+):.*## ", makefile, re.MULTILINE))

    assert phony >= TARGETS
    assert phony == helped


def test_what_ci_calls_is_a_target_and_ends_at_the_first_failure() -> None:
    text = (ROOT / ".ci" / "run").read_text()
    makefile = (ROOT / "Makefile").read_text()

    assert text.splitlines()[0] == "#!/usr/bin/env bash"
    assert "set -euo pipefail" in text
    for target in re.findall(r"^make (\S+)", text, re.MULTILINE):
        assert f"\n{target}:" in makefile


@pytest.mark.parametrize(
    ("failing", "called", "code"),
    [
        ("test", ["test"], 1),
        ("e2e", ["test", "e2e"], 1),
        ("bench", ["test", "e2e", "bench"], 0),  # a busy machine says nothing of a change
        ("nothing", ["test", "e2e", "bench"], 0),
    ],
)
def test_ci_fails_with_the_tests_and_not_with_the_figures(
    tmp_path: Path, failing: str, called: list[str], code: int
) -> None:
    (tmp_path / ".ci").mkdir()
    shutil.copy(ROOT / ".ci" / "run", tmp_path / ".ci" / "run")
    make = tmp_path / "make"
    make.write_text(f'#!/bin/sh\necho "$1" >>called\n[ "$1" != {failing} ]\n')
    make.chmod(0o755)
    environment = {"PATH": f"{tmp_path}:/usr/bin:/bin"}
    done = subprocess.run([BASH, str(tmp_path / ".ci" / "run")], env=environment, capture_output=True, check=False)

    assert (tmp_path / "called").read_text().split() == called
    assert (done.returncode != 0) == bool(code)


@pytest.mark.parametrize("name", ["run", "python", "quietly", "system-packages", "helm", "pin-base"])
def test_scripts_can_be_run(name: str) -> None:
    assert (ROOT / ".ci" / name).stat().st_mode & 0o111 == 0o111


def test_without_a_python_that_is_new_enough_one_sentence_says_what_to_do(tmp_path: Path) -> None:
    old = tmp_path / "python3"
    old.write_text("#!/bin/sh\nexit 1\n")
    old.chmod(0o755)
    done = script("python", path=str(tmp_path))

    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.startswith("Foretide needs Python 3.11 or newer with venv and pip, and found none.")


def test_the_systems_own_python_comes_before_a_version_managers(tmp_path: Path) -> None:
    system = Path("/usr/bin/python3")
    if script("python", path=str(system.parent)).stdout != f"{system}\n":
        pytest.skip(f"not seen to come first: no {system} of 3.11 or newer with venv and pip")
    managed = tmp_path / "python3"
    managed.write_text("#!/bin/sh\nexit 0\n")
    managed.chmod(0o755)

    assert script("python", path=f"{tmp_path}:{system.parent}").stdout == f"{system}\n"


def test_a_python_that_is_new_enough_is_found(tmp_path: Path) -> None:
    new = tmp_path / "python3.13"
    new.write_text("#!/bin/sh\nexit 0\n")
    new.chmod(0o755)

    assert script("python", path=str(tmp_path)).stdout == f"{new}\n"


def test_a_quiet_step_is_one_line_and_a_log(tmp_path: Path) -> None:
    done = script("quietly", "page", "bundling the page", "seq", "1000", cwd=tmp_path)

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "page     bundling the page (log: out/make/page.log)\n"
    assert (tmp_path / "out/make/page.log").read_text().splitlines()[-1] == "1000"


def test_a_quiet_step_that_fails_shows_the_end_of_its_output(tmp_path: Path) -> None:
    done = script("quietly", "page", "bundling the page", BASH, "-c", "seq 1000; exit 3", cwd=tmp_path)

    assert done.returncode == 1
    assert done.stderr.splitlines()[-2:] == ["1000", "page     failed; all of its output is in out/make/page.log"]
    assert len(done.stderr.splitlines()) == 31
