from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

from agent.cli.render import render_command
from agent.policy import load_policies

EXAMPLES = Path(__file__).parents[4] / "examples"


def render(*arguments):
    return CliRunner().invoke(render_command, arguments)


def test_the_crd_goes_to_stdout_for_kubectl():
    result = render("crd")
    assert result.exit_code == 0
    assert yaml.safe_load(result.stdout)["kind"] == "CustomResourceDefinition"


def test_files_go_into_a_folder_that_need_not_be_there(tmp_path):
    result = render("crd", "--out", str(tmp_path / "new"))
    assert result.stdout == ""
    assert result.stderr == f"wrote {tmp_path}/new/forecastpolicies.foretide.dev.yaml\n"
    assert (tmp_path / "new" / "forecastpolicies.foretide.dev.yaml").read_text().startswith("# ForecastPolicy")


def test_the_examples_that_are_written_can_be_run_as_they_are(tmp_path):
    assert render("examples", "--out", str(tmp_path)).exit_code == 0
    written = sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*.yaml"))
    assert written == sorted(str(path.relative_to(EXAMPLES)) for path in EXAMPLES.rglob("*.yaml"))
    assert len(load_policies(tmp_path / "policies")) == 3


def test_the_examples_on_stdout_are_one_stream_of_documents():
    documents = [document for document in yaml.safe_load_all(render("examples").stdout) if document]
    policies = [each["metadata"]["name"] for each in documents if each.get("kind") == "ForecastPolicy"]
    assert sorted(policies) == ["chat", "embeddings", "image-generation", "render"]


def test_the_reference_is_markdown():
    assert render("policy-reference").stdout.startswith("# ForecastPolicy reference\n")


@pytest.mark.parametrize("name", ["dashboards", "rules"])
def test_what_later_versions_render_says_so(name):
    result = render(name)
    assert result.exit_code == 2
    said = f"`render {name}` comes with a later version; this one renders crd, examples, policy-reference"
    assert said in result.stderr


def test_a_folder_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    result = render("crd", "--out", str(tmp_path / "file" / "below"))
    assert result.exit_code == 1
    assert f"--out: {tmp_path}/file/below/forecastpolicies.foretide.dev.yaml cannot be written" in result.stderr
