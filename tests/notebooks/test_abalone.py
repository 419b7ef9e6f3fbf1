"""The abalone notebook in boto3, run headless in the demo's own environment."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import nbclient
import nbformat
import pytest

from secure_ml_ext.check.pipeline import read_pipeline
from secure_ml_ext.demo.aws import Embedded, running
from secure_ml_ext.demo.workspace import Workspace, samples
from tests.notebooks import abalone, lab4

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOKS = ROOT / "secure_ml_ext" / "demo" / "notebooks"
SEED = ROOT / "tests" / "data" / "pipelines" / "secure-mlops-abalone.json"


@pytest.fixture(scope="module")
def executed(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The notebook's run, and the AWS it ran against, whose jobs take half a second."""
    with running(seed="demo", job_seconds=0.5) as aws:
        folder = tmp_path_factory.mktemp("abalone")
        yield lab4.execute(NOTEBOOKS / "abalone.ipynb", folder, aws.environ()), aws


def test_the_notebook_runs_and_tells_the_story(executed: tuple[lab4.Run, Embedded]) -> None:
    run, aws = executed
    abalone.check_story(run, aws, registered="RegisterAbaloneModel")
    for cell in ("blocked", "empty-key", "local-disks"):
        assert run.errors(cell) == ["RequestBlocked"]
    assert abalone.notes(run, "blocked") == {}


def test_it_is_the_pipeline_of_the_seed(executed: tuple[lab4.Run, Embedded]) -> None:
    """The seed's steps by name, kind and branch; the notebook adds a Fail step."""
    _, aws = executed
    stored = aws.client("sagemaker").describe_pipeline(PipelineName=abalone.NAME)
    made = json.loads(stored["PipelineDefinition"])
    seed = json.loads(SEED.read_text(encoding="utf-8"))
    kinds = [(step["Name"], step["Type"]) for step in made["Steps"]]
    assert kinds == [(step["Name"], step["Type"]) for step in seed["Steps"]]
    (fail,) = made["Steps"][-1]["Arguments"]["ElseSteps"]
    assert fail["Type"] == "Fail"
    operations = [item.operation for item in read_pipeline(made).items]
    assert operations == [item.operation for item in read_pipeline(seed).items]
    names = {parameter["Name"] for parameter in made["Parameters"]}
    seeded = {parameter["Name"] for parameter in seed["Parameters"]}
    assert seeded - names == {"ProcessingInstanceCount"}
    assert names - seeded == {"MseThreshold", "VolumeKmsKey"}


def test_a_second_run_updates_the_pipeline(
    executed: tuple[lab4.Run, Embedded], tmp_path: Path
) -> None:
    _, aws = executed
    aws.reset_log()
    run = lab4.execute(NOTEBOOKS / "abalone.ipynb", tmp_path, aws.environ())
    assert "RequestBlocked: UpdatePipeline abalone was not sent" in run.text("blocked")
    assert [r["status"] for r in aws.requests(operation="UpdatePipeline")] == [200]
    assert aws.requests(operation="CreatePipeline") == []


@pytest.mark.parametrize("generation", [2, 3])
def test_without_the_sdk_its_notebooks_say_what_is_needed(generation: int) -> None:
    """This environment has no SageMaker SDK: one line, no traceback of an import."""
    name = f"abalone-sdk-v{generation}.ipynb"
    notebook = nbformat.read(NOTEBOOKS / name, as_version=nbformat.NO_CONVERT)
    notebook.cells = [cell for cell in notebook.cells if cell.cell_type == "code"][:1]
    nbclient.NotebookClient(notebook, allow_errors=True).execute()
    (error,) = [o for o in notebook.cells[0].outputs if o.output_type == "error"]
    wanted = {2: "sagemaker<3", 3: "sagemaker>=3"}[generation]
    line = f'This notebook needs pip install "secure_ml_ext[sagemaker]" "{wanted}"'
    assert (error.ename, error.evalue) == ("SystemExit", line)
    assert len("\n".join(error.traceback).strip().splitlines()) <= 3


def test_the_demo_offers_it_and_opens_the_first(tmp_path: Path) -> None:
    """The notebooks of the SDK are copied only beside the SDK, which is not here."""
    assert [path.name for path in samples()] == ["lab4.ipynb", "abalone.ipynb"]
    workspace = Workspace(tmp_path / "work")
    workspace.prepare()
    assert workspace.first_notebook() == "lab4.ipynb"
    assert (workspace.root / "abalone.ipynb").exists()
    lab = json.loads((workspace.root / "lab4.ipynb").read_text(encoding="utf-8"))
    assert any("(abalone.ipynb)" in "".join(cell["source"]) for cell in lab["cells"])
