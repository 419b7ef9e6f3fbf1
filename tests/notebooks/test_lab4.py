"""The first sample notebook in boto3, run headless; and that the SDKs' are generated."""

from __future__ import annotations

import json
import runpy
from copy import deepcopy
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import nbformat
import pytest

from secure_ml_ext.demo.aws import Embedded, running
from tests.notebooks import lab4

FORMS = ("-sdk-v2", "-sdk-v3")
ROOT = Path(__file__).resolve().parents[2]
NOTEBOOKS = ROOT / "secure_ml_ext" / "demo" / "notebooks"
NAMES = [f"{story}{form}.ipynb" for story in ("lab4", "abalone") for form in ("", *FORMS)]


@pytest.fixture
def builder() -> dict[str, Any]:
    return runpy.run_path(str(ROOT / "scripts" / "build_notebooks.py"))


@pytest.fixture(scope="module")
def executed(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The notebook's run, and the AWS it ran against."""
    with running(seed="demo") as aws:
        folder = tmp_path_factory.mktemp("lab4")
        yield lab4.execute(NOTEBOOKS / "lab4.ipynb", folder, aws.environ()), aws


def test_the_story_is_told_and_nothing_else_is_sent(executed: tuple[lab4.Run, Embedded]) -> None:
    run, aws = executed
    lab4.check_story(run, aws)
    assert run.errors("blocked") == run.errors("foreign") == ["RequestBlocked"]
    raised = {cell for cell in run.outputs if run.errors(cell)}
    assert raised == {"blocked", "foreign"}


def test_the_dry_run_checks_every_call_of_the_cell(executed: tuple[lab4.Run, Embedded]) -> None:
    run, _ = executed
    first, second = run.displayed("dry-run")
    assert "CreateTrainingJob credit-risk-asked-" in first
    assert "CreateTransformJob credit-risk-score-" in second
    assert "Requests seen: 11 (7 sent, 4 not sent, 0 refused)" in run.text("status")


def test_the_code_of_the_card_works_in_the_notebook(
    executed: tuple[lab4.Run, Embedded],
) -> None:
    """The boto3 form names what the notebook's own cells name: request and sagemaker."""
    run, aws = executed
    code = run.cards("blocked")[0][lab4.CARD]["code"]["boto3"]
    base = json.loads((NOTEBOOKS / "lab4.ipynb").read_text())
    source = {cell["id"]: "".join(cell["source"]) for cell in base["cells"]}
    sent: list[dict[str, Any]] = []
    client = SimpleNamespace(create_training_job=lambda **params: sent.append(deepcopy(params)))
    names = dict.fromkeys(("role", "image", "data", "models", "run"), "text")
    world: dict[str, Any] = {**names, "sagemaker": client}
    exec(source["open"], world)
    exec(code, world)
    open_request, pasted = sent
    assert lab4.errors_of(aws, "CreateTrainingJob", open_request) != []
    assert lab4.errors_of(aws, "CreateTrainingJob", pasted) == []


def test_the_sdk_notebooks_are_what_the_builder_writes(builder: dict[str, Any]) -> None:
    for path, text in builder["built"]().items():
        assert path.read_text(encoding="utf-8") == text, f"run scripts/build_notebooks.py: {path}"


@pytest.mark.parametrize("name", NAMES)
def test_committed_notebooks_are_valid_and_empty(name: str) -> None:
    notebook = nbformat.read(NOTEBOOKS / name, as_version=nbformat.NO_CONVERT)
    nbformat.validate(notebook)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            assert cell.outputs == []
            assert cell.execution_count is None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("## no-such-cell\n\n```python\n1\n```\n", "no-such-cell"),
        ("## open\n\nwords\n", "open is code"),
        ("## open\n\n```python\n1\n```\n\n## open\n\n```python\n2\n```\n", "twice"),
    ],
)
def test_a_variant_that_does_not_fit_is_refused(
    builder: dict[str, Any], text: str, message: str
) -> None:
    base = json.loads((NOTEBOOKS / "lab4.ipynb").read_text())
    with pytest.raises(builder["VariantError"], match=message):
        builder["generate"](base, text)


def test_a_variant_takes_the_cells_place(builder: dict[str, Any]) -> None:
    base = json.loads((NOTEBOOKS / "lab4.ipynb").read_text())
    before = json.dumps(base)
    made = builder["generate"](base, "A note.\n\n## open\n\n```python\nprint(1)\n```\n")
    assert json.dumps(base) == before
    changed = [
        new["id"]
        for old, new in zip(base["cells"], made["cells"], strict=True)
        if old["source"] != new["source"]
    ]
    assert changed == ["open"]
    assert [c["source"] for c in made["cells"] if c["id"] == "open"] == [["print(1)"]]
