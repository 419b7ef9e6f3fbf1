"""Every policy of the examples, with the findings its text means, each derived by hand.

A finding is written (code, statement, condition keys, actions); for ``unknown-action`` the last are
the entries that name nothing. Which action carries which key is AWS's Service Authorization
Reference, as of the data in ``inventory/authorization.json``.
"""

from __future__ import annotations

import pytest

from secure_ml_ext.check.lint import lint_documents
from tests.check.lint.support import EXAMPLES, example

SUBNETS, GROUPS = "sagemaker:VpcSubnets", "sagemaker:VpcSecurityGroupIds"
OLD_VOLUME, OLD_OUTPUT = "sagemaker:VolumeKmsKey", "sagemaker:OutputKmsKey"
TRAFFIC = "sagemaker:InterContainerTrafficEncryption"
TYPES = "sagemaker:InstanceTypes"

Expected = tuple[str, int, list[str], list[str]]

EXPECTED: dict[str, list[Expected]] = {
    # Statement 0 lists patterns. Of the 57, four fit none of the 460 actions: SageMaker never had
    # "environments". Statement 1 (*FlowDefinition) is an Allow with StringEqualsIfExists: passing
    # without the key is what IfExists is for, and the page says so; statement 0 has
    # *FlowDefinitions, in the plural, which names ListFlowDefinitions alone, so nothing is undone.
    "devguide-02-console-access": [
        (
            "unknown-action",
            0,
            [],
            [
                "sagemaker:*Environment",
                "sagemaker:*EnvironmentVersion",
                "sagemaker:*EnvironmentVersions",
                "sagemaker:*Environments",
            ],
        ),
    ],
    # Two Allows with equal keys and another directory each: alternatives. Both actions carry all
    # four FileSystem keys; a missing key fails StringEquals.
    "devguide-04-accesstoelasticfilesystem": [],
    # ForAllValues with the Null guard that it needs, over actions that carry both keys.
    "devguide-06-allowfromvpc": [],
    # CreateLabelingJob carries WorkteamArn. A positive operator in a Deny: only public work teams.
    "devguide-08-restrictworkteamtype": [],
    # VolumeKmsKey was renamed. "CreateFlowDefiniton" is misspelt in the guide itself. A g5 training
    # or tuning job cannot have the key that this, the only Allow, demands; CreateLabelingJob
    # chooses its instances itself.
    "devguide-10-enforceencryption": [
        (
            "deprecated-key",
            0,
            [OLD_VOLUME],
            ["CreateHyperParameterTuningJob", "CreateLabelingJob", "CreateTrainingJob"],
        ),
        ("unknown-action", 0, [], ["sagemaker:CreateFlowDefiniton"]),
        (
            "unsatisfiable-local-disk",
            0,
            [OLD_VOLUME],
            ["CreateHyperParameterTuningJob", "CreateTrainingJob"],
        ),
    ],
    # Bool true in an Allow: a missing key fails it, whichever way SageMaker fills omitted flags.
    "devguide-12-enforceisolation": [],
    # ForAllValues and no Null: a request without accelerators passes. (All three carry the key.)
    "devguide-14-enforceacceleratortype": [
        (
            "vacuous-for-all-values",
            0,
            ["sagemaker:AcceleratorTypes"],
            ["CreateEndpointConfig", "CreateNotebookInstance", "UpdateNotebookInstance"],
        ),
    ],
    # Line 21 is a comment, and line 20 ends in a comma before it. The old key. The exemption is
    # meant for types with local disks, but "m5.*" fits no type, as all begin with "ml.": every
    # g5 request is refused without a key, and by SageMaker with one. A notebook instance takes a
    # volume key on every type.
    "mlspace-kms-instance-constraint-raw": [
        (
            "deprecated-key",
            0,
            [OLD_VOLUME],
            [
                "CreateEndpointConfig",
                "CreateHyperParameterTuningJob",
                "CreateNotebookInstance",
                "CreateTrainingJob",
                "CreateTransformJob",
            ],
        ),
        (
            "unsatisfiable-local-disk",
            0,
            [OLD_VOLUME],
            [
                "CreateEndpointConfig",
                "CreateHyperParameterTuningJob",
                "CreateTrainingJob",
                "CreateTransformJob",
            ],
        ),
        ("not-strict-json", 0, [], []),
    ],
    # Statement 1: both keys in one Null block, over five actions that carry both, so a request
    # with one of them passes. CreateCompilationJob carries neither: both are missing in every
    # call, and every call is denied. Statement 2 (ListTags) and the other services are fine.
    "secure-mlops-execution-policy": [
        (
            "anded-null",
            1,
            [GROUPS, SUBNETS],
            [
                "CreateHyperParameterTuningJob",
                "CreateModel",
                "CreateNotebookInstance",
                "CreateProcessingJob",
                "CreateTrainingJob",
            ],
        ),
        ("always-denied", 1, [GROUPS, SUBNETS], ["CreateCompilationJob"]),
    ],
    # Statement 1 demands keys and encryption of five job types. Statement 3 allows four of them
    # (not CreateTransformJob) and looks at subnets and groups only, with ForAllValues, which a
    # request without them passes: the demands are undone. Both keys have their old names. For
    # CreateTransformJob statement 1 is the only Allow, and a g5 cannot have the volume key;
    # AutoML chooses its instances itself, the others are let through by statement 3.
    # Statement 2: an endpoint configuration without instance types (serverless) passes. Its
    # ml.m5.* has no local disks (m5d is another family), so its demand can be met.
    # Statement 3: of its 30 actions five carry subnets and groups; CreateApp and the others never
    # do. Statement 4 allows DescribeApp without conditions, but DescribeApp carries neither key of
    # statement 3, so that nothing is undone there.
    "workshop-v1-policy": [
        (
            "undone-by-allow",
            1,
            [TRAFFIC, OLD_OUTPUT, OLD_VOLUME],
            [
                "CreateAutoMLJob",
                "CreateHyperParameterTuningJob",
                "CreateProcessingJob",
                "CreateTrainingJob",
            ],
        ),
        (
            "deprecated-key",
            1,
            [OLD_OUTPUT, OLD_VOLUME],
            [
                "CreateAutoMLJob",
                "CreateHyperParameterTuningJob",
                "CreateProcessingJob",
                "CreateTrainingJob",
                "CreateTransformJob",
            ],
        ),
        ("unsatisfiable-local-disk", 1, [OLD_VOLUME], ["CreateTransformJob"]),
        ("vacuous-for-all-values", 2, [TYPES], ["CreateEndpointConfig"]),
        ("deprecated-key", 2, [OLD_VOLUME], ["CreateEndpointConfig"]),
        (
            "vacuous-for-all-values",
            3,
            [GROUPS, SUBNETS],
            [
                "CreateAutoMLJob",
                "CreateHyperParameterTuningJob",
                "CreateModel",
                "CreateProcessingJob",
                "CreateTrainingJob",
            ],
        ),
    ],
}


def test_no_example_is_left_out() -> None:
    assert sorted(EXPECTED) == EXAMPLES


@pytest.mark.parametrize("name", EXAMPLES)
def test_findings(name: str) -> None:
    findings = lint_documents([(name, example(name))])
    assert [(f.code, f.statement.index, f.keys, f.actions) for f in findings] == EXPECTED[name]


def test_lines_are_those_of_the_statements_and_remarks() -> None:
    """Of the files' own text: the bracket that opens a statement; the comma before a comment."""
    lines = {
        (f.file, f.code): f.line
        for name in EXAMPLES
        for f in lint_documents([(name, example(name))])
    }
    assert lines[("secure-mlops-execution-policy", "anded-null")] == 12
    assert lines[("mlspace-kms-instance-constraint-raw", "deprecated-key")] == 4
    assert lines[("mlspace-kms-instance-constraint-raw", "not-strict-json")] == 20
    text = example("secure-mlops-execution-policy").splitlines()
    assert text[11].strip() == "{"
    assert "sagemaker:CreateNotebookInstance" in text[13]


def test_what_is_said_about_the_comment() -> None:
    name = "mlspace-kms-instance-constraint-raw"
    (finding,) = (f for f in lint_documents([(name, example(name))]) if f.code == "not-strict-json")
    assert finding.message == (
        "IAM refuses what is not JSON: a comma before a closing bracket in line 20 and a comment "
        "in line 21."
    )
    assert finding.corrected["Condition"]["ForAllValues:StringNotLike"] == {  # type: ignore[index,call-overload]
        "sagemaker:InstanceTypes": ["m5.*"]
    }
