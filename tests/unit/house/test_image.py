"""The image's build file is linted, names what is there, and leaves a user without rights and nothing that builds."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.chart import pods

ROOT = Path(__file__).parents[3]
FILE = ROOT / "Containerfile"
TEXT = FILE.read_text("utf-8")
BASH = shutil.which("bash") or ""
DIGEST = f"sha256:{'5' * 64}"


def hadolint(file: Path) -> subprocess.CompletedProcess[str]:
    command = [str(ROOT / ".venv" / "bin" / "hadolint"), "--config", str(ROOT / ".hadolint.yaml"), str(file)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def stages() -> list[str]:
    return re.split(r"^(?=FROM )", TEXT, flags=re.MULTILINE)[1:]


def test_hadolint_finds_nothing() -> None:
    done = hadolint(FILE)
    assert (done.returncode, done.stdout) == (0, "")


def test_hadolint_would_find_something(tmp_path: Path) -> None:
    bad = tmp_path / "Containerfile"
    bad.write_text("FROM docker.io/library/python\nRUN pip install foretide\n")
    assert hadolint(bad).returncode == 1


def test_every_base_is_pinned_by_the_same_digest() -> None:
    bases = [stage.split()[1] for stage in stages() if re.match(r"FROM [^ ]*[:/]", stage)]

    assert len(bases) == 2
    assert re.fullmatch(r"docker\.io/library/python:3\.13-slim-trixie@sha256:[0-9a-f]{64}", bases[0])
    assert bases[0] == bases[1]


def test_what_is_copied_is_there_and_is_let_through() -> None:
    ignored = (ROOT / ".dockerignore").read_text("utf-8").splitlines()
    copied = [word for line in re.findall(r"^COPY (?!--from)(.*)", TEXT, re.MULTILINE) for word in line.split()[:-1]]

    assert len(copied) > 8
    assert [name for name in copied if not (ROOT / name).exists()] == []
    assert {f"!{name}" for name in copied} == {line for line in ignored if line.startswith("!")}
    assert "*" in ignored


def test_everything_installed_is_locked_by_hash() -> None:
    installs = re.findall(r"pip (?:--python \S+ )?(?:install|wheel) [^\n\\&]*", TEXT)

    assert len(installs) == 4
    for words in installs:
        assert "--require-hashes" in words or "--no-deps" in words, words


def test_the_last_stage_builds_nothing_and_runs_as_the_chart_says() -> None:
    last = stages()[-1]
    (user,) = {spec["securityContext"]["runAsUser"] for spec in pods()}

    assert re.findall(r"^RUN (.*)", last, re.MULTILINE) == ["python -m pip uninstall --yes pip"]
    assert f"\nUSER {user}:{user}\n" in last
    assert last.index("USER") < last.index("ENTRYPOINT")


def test_the_listing_of_what_is_in_it_is_a_target() -> None:
    assert [stage for stage in stages() if stage.startswith("FROM scratch AS sbom\n")]


def pinned(folder: Path, *, says: str, file: str = TEXT) -> tuple[subprocess.CompletedProcess[str], str]:
    """Run `.ci/pin-base` with a skopeo that says something, and return what became of the file."""
    target = folder / "Containerfile"
    target.write_text(file, "utf-8")
    skopeo = folder / "skopeo"
    skopeo.write_text(f'#!/bin/sh\necho "$@" >>{folder}/asked\necho "{says}"\n')
    skopeo.chmod(0o755)
    command = [BASH, str(ROOT / ".ci" / "pin-base"), str(target)]
    environment = {"PATH": f"{folder}:/usr/bin:/bin"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    return done, target.read_text("utf-8")


needs_bash = pytest.mark.skipif(not BASH, reason="no bash: .ci/pin-base is not tested")


@needs_bash
def test_a_release_pins_every_stage_by_the_digest_that_the_registry_gives(tmp_path: Path) -> None:
    done, text = pinned(tmp_path, says=DIGEST)
    _, again = pinned(tmp_path, says=f"sha256:{'6' * 64}", file=text)

    assert done.returncode == 0
    assert text.count(f"python:3.13-slim-trixie@{DIGEST}") == 2
    assert again == text.replace("5" * 64, "6" * 64)
    assert "docker://docker.io/library/python:3.13-slim-trixie" in (tmp_path / "asked").read_text()


@needs_bash
def test_what_is_no_digest_is_not_written(tmp_path: Path) -> None:
    done, text = pinned(tmp_path, says="unauthorized")

    assert (done.returncode, text) == (1, TEXT)
    assert "got no digest of docker.io/library/python:3.13-slim-trixie but: unauthorized" in done.stderr
