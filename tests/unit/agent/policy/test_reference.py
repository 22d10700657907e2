"""`foretide render policy-reference --out docs/reference` mends a failure of the first test here."""

from pathlib import Path

from agent.policy.reference import policy_reference

PAGE = Path(__file__).parents[4] / "docs" / "reference" / "policy.md"


def test_the_page_in_the_docs_is_the_one_the_models_make():
    assert PAGE.read_text("utf-8") == policy_reference()


def test_a_field_is_told_with_type_default_rule_and_meaning():
    page = policy_reference()
    assert (
        "| `spec.replicas.min` | whole number | `1` | 0 to 100000 | Fewest replicas; 0 allows scale to zero. |" in page
    )
    assert "| `spec.replicas.max` | whole number | required | 1 to 100000 | Most replicas. |" in page
    assert "| `spec.drain` | mapping |  |  | How soon a backlog must be gone. *Reserved.* |" in page


def test_every_row_has_five_cells():
    rows = [line for line in policy_reference().splitlines() if line.startswith("|")]
    assert len(rows) > 90
    assert {row.count("|") for row in rows} == {6}
