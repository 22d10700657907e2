"""The page on KEDA's contract names tests that are there, for every row, and leaves none of the contract's out."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
TESTS = ROOT / "tests"
PAGE = (ROOT / "docs" / "keda-conformance.md").read_text()
ROWS = [
    [cell.strip() for cell in line.strip("|").split(" | ")]
    for line in PAGE.splitlines()
    if re.match(r"\| \d+\.\d+", line)
]
NOT_APPLICABLE = "not applicable: "


@cache
def names_in(file: Path) -> frozenset[str]:
    nodes = ast.walk(ast.parse(file.read_text()))
    functions = (node for node in nodes if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))
    return frozenset(node.name for node in functions if node.name.startswith("test_"))


def named(cell: str) -> list[tuple[str, str]]:
    return re.findall(r"`([\w/]+\.py)::(\w+)`", cell)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_a_row_is_shown_by_tests_that_are_there_or_says_why_it_cannot_be(row: list[str]) -> None:
    assert len(row) == 4, "a row has its number, what KEDA does, what Foretide does, and the tests"
    shown = row[3].rstrip("| ").strip()
    if shown.startswith(NOT_APPLICABLE):
        assert len(shown) > len(NOT_APPLICABLE)
        return
    tests = named(shown)
    assert tests
    assert re.sub(r"`[^`]+`", "", shown).strip() == ""
    assert [f"{file}::{test}" for file, test in tests if test not in names_in(TESTS / file)] == []


def test_the_rows_are_numbered_through_and_all_sections_are_there() -> None:
    numbers = [tuple(map(int, row[0].lstrip("| ").split("."))) for row in ROWS]
    heads = sorted({number[:-1] for number in numbers})
    assert heads == [(0,), (1, 1), (1, 2), (1, 3), (1, 4), (1, 5), (2,), (4,), (5,)]
    for head in heads:
        assert [number[-1] for number in numbers if number[:-1] == head] == list(
            range(1, 1 + sum(number[:-1] == head for number in numbers))
        )


@pytest.mark.parametrize("file", sorted(TESTS.glob("real/keda/test_con*.py")), ids=lambda file: file.name)
def test_each_test_of_the_contract_stands_on_the_page(file: Path) -> None:
    name = str(file.relative_to(TESTS))
    on_the_page = {test for path, test in named(PAGE) if path == name}
    assert names_in(file) - on_the_page == set()
