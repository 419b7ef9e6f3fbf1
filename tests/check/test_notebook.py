"""Notebooks and Python files as source: real ones, their cells, and anything at all."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import secure_ml_ext.demo
from secure_ml_ext.check.documents import read_text
from secure_ml_ext.check.files import InputError
from secure_ml_ext.check.notebook import COMMAND, NOTHING, is_notebook, read_notebook, read_python
from tests.check.sources import CLIENT, REQUEST, messages, notebook, places, states

NOTEBOOKS = Path(secure_ml_ext.demo.__file__).parent / "notebooks"


# -- real notebooks -------------------------------------------------------------------------------

# Counted by hand in the notebooks: cells from 1 with the text between them, the line where the
# name of the method that sends the request stands.
LAB = {
    "lab4.ipynb": [
        ("cell 9, line 24", "CreateTrainingJob"),
        ("cell 14, line 2", "CreateTrainingJob"),
        ("cell 17, line 2", "CreateTrainingJob"),
        ("cell 21, line 11", "CreateTrainingJob"),
        ("cell 25, line 3", "CreateTrainingJob"),
        ("cell 28, line 2", "CreateProcessingJob"),
        ("cell 29, line 2", "CreateModel"),
        ("cell 30, line 1", "CreateEndpointConfig"),
        ("cell 31, line 2", "CreateHyperParameterTuningJob"),
        ("cell 33, line 3", "CreateTrainingJob"),
        ("cell 33, line 4", "CreateTransformJob"),
    ],
    "lab4-sdk-v2.ipynb": [
        ("cell 9, line 14", "CreateTrainingJob"),
        ("cell 14, line 1", "CreateTrainingJob"),
        ("cell 17, line 2", "CreateTrainingJob"),
        ("cell 21, line 11", "CreateTrainingJob"),
        ("cell 25, line 2", "CreateTrainingJob"),
        ("cell 28, line 11", "CreateProcessingJob"),
        ("cell 29, line 11", "CreateModel"),
        ("cell 30, line 9", "CreateEndpointConfig"),
        ("cell 31, line 12", "CreateHyperParameterTuningJob"),
        ("cell 33, line 4", "CreateTrainingJob"),
        ("cell 33, line 12", "CreateTransformJob"),
    ],
    "lab4-sdk-v3.ipynb": [
        ("cell 9, line 14", "CreateTrainingJob"),
        ("cell 14, line 2", "CreateTrainingJob"),
        ("cell 17, line 2", "CreateTrainingJob"),
        ("cell 21, line 15", "CreateTrainingJob"),
        ("cell 25, line 3", "CreateTrainingJob"),
        ("cell 28, line 15", "CreateProcessingJob"),
        ("cell 29, line 5", "CreateModel"),
        ("cell 30, line 4", "CreateEndpointConfig"),
        ("cell 31, line 15", "CreateHyperParameterTuningJob"),
        ("cell 33, line 3", "CreateTrainingJob"),
    ],
}


@pytest.mark.parametrize("name", LAB)
def test_the_sample_notebooks_are_read_to_the_line(name: str) -> None:
    reading = read_text((NOTEBOOKS / name).read_text(encoding="utf-8"), name)
    assert places(reading) == LAB[name]
    assert {item.kind for item in reading.items} == {"notebook-cell"}


@pytest.mark.parametrize("name", LAB)
def test_the_lab_s_open_job_fails_and_its_compliant_one_does_not(name: str) -> None:
    """The first job of the lab has no network and no keys; the fourth is the compliant one."""
    items = read_text((NOTEBOOKS / name).read_text(encoding="utf-8"), name).items
    opened, compliant = states(items[0]), states(items[3])
    for control in ("vpc", "volume-kms", "output-kms", "traffic-encryption"):
        assert opened[control] == "fail"
    assert "fail" not in compliant.values()
    # Its keys come from a function of the notebook, its flags are literal.
    assert compliant["volume-kms"] == compliant["output-kms"] == "depends"
    assert compliant["isolation"] == compliant["traffic-encryption"] == "pass"


def test_the_notebook_of_the_secure_mlops_sample_submits_nothing_itself() -> None:
    """Cells of sagemaker-pipeline.ipynb (aws-samples/amazon-sagemaker-secure-mlops, MIT-0).

    ``<PROJECT NAME>`` is no Python, and the pipeline is made by a module beside the notebook.
    """
    reading = read_notebook(
        notebook(
            "if False:\n    !pip install -U sagemaker",
            "!python --version",
            "import boto3\nimport sagemaker\nimport sagemaker.session\nimport json\n\n"
            'print(f"SageMaker version: {sagemaker.__version__}")',
            "#\u00a0use the current project name\nproject_name = <PROJECT NAME>\n"
            "project_id = sm.describe_project(ProjectName=project_name)['ProjectId']",
            "from pipelines.abalone.pipeline import get_pipeline\n\n"
            'pipeline = get_pipeline(\n    region=region,\n    base_job_prefix="Abalone"\n)',
            'pipeline.upsert(role_arn=env_data["PipelineExecutionRole"])',
        )
    )
    assert messages(reading) == [
        ("cell 4, line 2", "not readable as Python: invalid syntax"),
        (None, NOTHING),
    ]


# -- cells ----------------------------------------------------------------------------------------


def test_magics_commands_and_broken_cells_leave_lines_and_the_rest_in_place() -> None:
    send = "sm.create_model(ModelName='m')"
    content = notebook(
        "%%bash\naws sagemaker create-training-job --cli-input-json file://x",
        "%load_ext x\n!aws --region eu-west-1 sagemaker create-model --model-name x\nimport boto3",
        "def broken(:\n",
        f"%%time\nsm = boto3.client('sagemaker')\n{send}",
        f"x = (5\n  % 3)\ny = '''\n!aws sagemaker create-model\n'''\n?x\n{send}",
        f"%%writefile job.py\n{send}",
        f"for i in x:\n    !echo {{i}} \\\n      more\n{send}",
        f"%%secure_ml dry-run\nawait sm.create_model(ModelName='n')\nfiles = !ls\n{send}",
        "%%html\n<b>create_model</b>",
    )
    content["cells"].insert(0, {"cell_type": "markdown", "source": send})
    reading = read_notebook(content)
    assert places(reading) == [
        ("cell 5, line 3", "CreateModel"),
        ("cell 6, line 7", "CreateModel"),
        ("cell 8, line 4", "CreateModel"),
        ("cell 9, line 2", "CreateModel"),
        ("cell 9, line 4", "CreateModel"),
    ]
    assert messages(reading) == [
        ("cell 2, line 2", COMMAND),
        ("cell 3, line 2", COMMAND),
        ("cell 4, line 1", "not readable as Python: invalid syntax"),
    ]


def test_the_forms_of_nbformat() -> None:
    cell = {"cell_type": "code", "input": [CLIENT, "sm.create_model(ModelName='m')"]}
    old = {"nbformat": 3, "metadata": {}, "worksheets": [{"cells": [cell]}]}
    assert places(read_notebook(old)) == [("cell 1, line 3", "CreateModel")]
    assert is_notebook(old)
    assert is_notebook(notebook("x"))
    for other in ({}, [], None, {"nbformat": 4}, {"cells": []}, {"cells": [1]}):
        assert not is_notebook(other)
    with pytest.raises(InputError, match="nbformat"):
        read_notebook({"cells": 3})
    with pytest.raises(InputError, match="cell 1: its source is no text"):
        read_notebook({"nbformat": 4, "cells": [{"cell_type": "code", "source": 3}]})


def test_other_languages_are_not_read() -> None:
    for metadata in ({"kernelspec": {"language": "R"}}, {"language_info": {"name": "scala"}}):
        reading = read_notebook(notebook("sm.create_model(ModelName='m')", **metadata))
        assert reading.items == []
        assert "only Python is read" in reading.notes[0].message


# -- anything -------------------------------------------------------------------------------------

WORDS = st.sampled_from(
    [
        *("p", "=", "(", ")", "[", "]", "{", "}", "**", "*", ":", ",", ".", "|", "+", "if", "else"),
        *("for", "in", "while", "try:", "except", "finally:", "def", "class", "return", "break"),
        *("continue", "lambda", "await", "async", "with", "as", "import", "from", "sagemaker"),
        *("boto3", "client", "'sagemaker'", "sm", ".create_training_job(", "**p", ".update("),
        *(".fit(", "Estimator", "ModelTrainer", "\n", "\n\t", "\n\t\t", "%time", "!ls", "global"),
        *("nonlocal", "yield", "match", "case", "_", "1", "'a'", "f'{p}'", "#", "\\", "?", "@"),
        *(":=", "~", "not", "del"),
    ]
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    *("cells", "worksheets", "nbformat", "source", "input", "metadata"),
                    *("cell_type", "kernelspec", "language", "language_info", "name"),
                ]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@settings(max_examples=300, deadline=None)
@given(st.lists(WORDS, max_size=40).map(" ".join) | st.text(max_size=80))
def test_any_text_gives_a_reading(source: str) -> None:
    for reading in (read_python(source), read_notebook(notebook(source, source))):
        assert reading.items or reading.notes


@settings(max_examples=300, deadline=None)
@given(JSON)
def test_any_json_gives_a_reading_or_says_why_not(content: Any) -> None:
    if not isinstance(content, Mapping):
        assert not is_notebook(content)
        return
    try:
        reading = read_notebook(content)
    except InputError:
        return
    json.dumps([item.params for item in reading.items])


HUGE = {
    "nesting": "x = " + "(" * 5000 + ")" * 5000,
    "a chain": "x = " + "a.b" * 1 + ".c" * 50_000,
    "a sum": "x = " + "+".join(["a"] * 50_000),
    "nested lists": "x = " + "[" * 150 + "]" * 150,
    "branches": REQUEST + "if y:\n    p['a'] = 1\n" * 4_000,
    "loops": "".join(f"{' ' * n}for i{n} in x:\n" for n in range(60)) + " " * 60 + "y = 1",
    "functions": REQUEST + "def f():\n    p.update(a=1)\n" * 4_000,
    "doubling": "x = {'a': 1}\n" + "x = {'a': x, 'b': x}\n" * 200 + "sm.create_model(**x)\n" * 50,
    "doubling lists": "x = [1]\n" + "x = x + x\n" * 200,
    "doubling text": "x = 'a'\n" + "x = x + x\n" * 200,
    "numbers": "x = 10\n" + "x = x * x\n" * 200,
    "a deep value": "x = []\n" + "x = [x]\n" * 4_000 + CLIENT + "sm.create_model(ModelName=x)",
    "a circle": "x = {}\nx['a'] = x\n" + CLIENT + "sm.create_model(ModelName='m', VpcConfig=x)",
    "many names": "".join(f"n{i} = {{}}\n" for i in range(8_000)) + "if x:\n    y = 1\n" * 500,
    "long list": "x = [" + "1, " * 90_000 + "]",
    "questions": "a" * 900_000 + "?",
    "quotes": "'" * 900_001,
}


@pytest.mark.parametrize("source", HUGE.values(), ids=HUGE)
def test_the_huge_is_read_within_bounds(source: str) -> None:
    before = time.monotonic()
    for reading in (read_python(source), read_notebook(notebook(source))):
        json.dumps([item.params for item in reading.items])
        assert reading.items or reading.notes
    assert time.monotonic() - before < 60  # seconds; generous, a runaway takes hours


def test_what_is_too_large_is_refused_with_the_remedy() -> None:
    with pytest.raises(InputError, match="split it"):
        read_python("x" * 5_000_001)
    with pytest.raises(InputError, match="split it"):
        read_notebook(notebook(*["x" * 900_000] * 6))
    with pytest.raises(InputError, match="split it"):
        read_notebook({"nbformat": 4, "cells": [{"cell_type": "raw"}] * 20_001})
