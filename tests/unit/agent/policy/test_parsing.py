import json

import pytest

from agent.policy import InvalidPolicy, document_json, load_policies, parse_policy
from tests.fakes.policies import VALID_TEXT

SCALED_OBJECT = "apiVersion: keda.sh/v1alpha1\nkind: ScaledObject\nmetadata: {name: chat}\n"


def named(name):
    return VALID_TEXT.replace("name: workload, n", f"name: {name}, n")


def refusal(path):
    with pytest.raises(InvalidPolicy) as caught:
        load_policies(path)
    return [str(fault) for fault in caught.value.faults]


def test_a_folder_is_read_in_the_order_of_names(tmp_path):
    (tmp_path / "b.yaml").write_text(named("second"))
    (tmp_path / "c.yml").write_text(f"{named('third')}---\n{named('fourth')}")
    (policy,) = parse_policy(named("first"), file="x")
    (tmp_path / "a.json").write_text(json.dumps(document_json(policy)))
    (tmp_path / "notes.txt").write_text("not read")
    assert [policy.key.name for policy in load_policies(tmp_path)] == ["first", "second", "third", "fourth"]


def test_a_file_is_read_whatever_its_name(tmp_path):
    (tmp_path / "policy").write_text(VALID_TEXT)
    assert [policy.key.name for policy in load_policies(tmp_path / "policy")] == ["workload"]


def test_documents_of_other_kinds_are_left_out_with_a_note(tmp_path):
    (tmp_path / "all.yaml").write_text(f"{SCALED_OBJECT}---\n{VALID_TEXT}")
    (tmp_path / "keda.yaml").write_text(SCALED_OBJECT)
    notes = []
    assert len(load_policies(tmp_path, note=notes.append)) == 1
    assert notes == [
        f"{tmp_path}/all.yaml:1: left out: a ScaledObject, not a ForecastPolicy",
        f"{tmp_path}/keda.yaml:1: left out: a ScaledObject, not a ForecastPolicy",
    ]


def test_a_misspelt_kind_is_a_fault_and_not_another_kind():
    with pytest.raises(InvalidPolicy, match="did you mean `ForecastPolicy`"):
        parse_policy(VALID_TEXT.replace("ForecastPolicy", "ForcastPolicy"), file="x")


def test_a_policy_given_twice_names_both_files(tmp_path):
    (tmp_path / "a.yaml").write_text(VALID_TEXT)
    (tmp_path / "b.yaml").write_text(VALID_TEXT)
    assert refusal(tmp_path) == [
        f"{tmp_path}/b.yaml: metadata.name is given twice: default/workload is in {tmp_path}/a.yaml already"
    ]


def test_the_same_name_in_another_namespace_is_another_policy(tmp_path):
    (tmp_path / "a.yaml").write_text(f"{VALID_TEXT}---\n{VALID_TEXT.replace('namespace: default', 'namespace: ml')}")
    assert [str(policy.key) for policy in load_policies(tmp_path)] == ["default/workload", "ml/workload"]


def test_faults_of_all_files_are_told_together(tmp_path):
    (tmp_path / "a.yaml").write_text(VALID_TEXT.replace("0.05%", "5"))
    (tmp_path / "b.yaml").write_text("a: [")
    (tmp_path / "c.yaml").write_bytes(b"a: caf\xe9\n")
    (tmp_path / "d.yaml").write_text("# nothing here\n")
    (tmp_path / "e.yaml").write_text("#" * (1 << 20) + "é")
    assert [line.removeprefix(f"{tmp_path}/") for line in refusal(tmp_path)] == [
        "a.yaml:10: spec.risk must be a share with a percent sign: write 5%, not 5",
        "b.yaml:2: is not YAML: did not find expected node content",
        "c.yaml:1: must be UTF-8 text",
        "d.yaml: holds no ForecastPolicy",
        "e.yaml: must be at most 1 MiB",
    ]


def test_a_folder_without_policies_is_refused(tmp_path):
    assert refusal(tmp_path) == [f"{tmp_path}: holds no .yaml, .yml, .json file"]
    (tmp_path / "keda.yaml").write_text(SCALED_OBJECT)
    assert refusal(tmp_path) == [f"{tmp_path}: holds no ForecastPolicy"]


def test_a_path_that_is_not_there_is_refused(tmp_path):
    assert refusal(tmp_path / "none.yaml") == [f"{tmp_path}/none.yaml: cannot be read: No such file or directory"]


def test_a_document_that_is_no_mapping_is_refused():
    with pytest.raises(InvalidPolicy, match=r"x:1: must be a mapping with apiVersion: .*, not a list"):
        parse_policy("[1, 2]", file="x")
