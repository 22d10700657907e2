"""The lock holds all that the project needs, each package by hash, and names no place to fetch it from."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[3]
LOCKS = sorted(file.name for file in ROOT.glob("requirements*.lock"))


def locked(name: str) -> dict[str, str]:
    """Return each entry of a lock by package name: its line and the lines that belong to it."""
    entries = re.split(r"\n(?=\S)", (ROOT / name).read_text())
    return {canonicalize_name(entry.split("==")[0]): entry for entry in entries}


def declared() -> list[tuple[str, str]]:
    """Return every declared requirement with the lock that has it."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    serving, extras = project["project"]["dependencies"], project["project"]["optional-dependencies"]
    groups = tomllib.loads((ROOT / "pyproject.toml").read_text())["dependency-groups"]
    return [
        *((f"requirements-{group}.lock", line) for group, lines in groups.items() for line in lines),
        *(("requirements-run.lock", line) for line in serving),
        *(("requirements.lock", line) for line in (*serving, *extras["dev"], *project["build-system"]["requires"])),
        *(("requirements-bench.lock", line) for line in (*serving, *extras["bench"])),
    ]


@pytest.mark.parametrize(("lock", "line"), declared())
def test_every_declared_dependency_is_locked_within_its_bound(lock: str, line: str) -> None:
    requirement = Requirement(line)
    entry = locked(lock).get(canonicalize_name(requirement.name), "")

    version = re.match(r"\S+==(\S+)", entry)
    assert version is not None, f"{line} is not in {lock}: run `make lock`"
    assert requirement.specifier.contains(version.group(1)), f"{entry.splitlines()[0]} breaks {line}: run `make lock`"


@pytest.mark.parametrize("lock", LOCKS)
def test_every_entry_has_hashes(lock: str) -> None:
    entries = locked(lock)

    assert entries
    assert [name for name, entry in entries.items() if not re.search(r"--hash=sha256:[0-9a-f]{64}\b", entry)] == []


@pytest.mark.parametrize("lock", LOCKS)
def test_the_lock_names_no_place(lock: str) -> None:
    text = (ROOT / lock).read_text()

    assert re.findall(r"\w+://|--index|--extra-index|--find-links|--trusted-host| @ |/\w+/", text) == []


def test_the_image_runs_what_was_tested() -> None:
    tested, run = locked("requirements.lock"), locked("requirements-run.lock")

    def version(entry: str) -> str:
        return entry.split(maxsplit=1)[0]

    assert [name for name, entry in run.items() if version(tested.get(name, "none")) != version(entry)] == []


def test_what_only_benchmarks_need_is_not_served_with() -> None:
    assert "statsforecast" not in locked("requirements.lock")


def test_every_dependency_has_a_lower_bound_and_stands_in_order() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    for lines in (project["dependencies"], *project["optional-dependencies"].values()):
        assert [line for line in lines if ">=" not in line] == []
        names = [canonicalize_name(Requirement(line).name) for line in lines]
        assert names == sorted(names)
