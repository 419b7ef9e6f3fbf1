"""SARIF: valid by the published schema, and saying what the findings say."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from secure_ml_ext.check.lint import CODES, LintFinding, StatementRef, lint_documents
from secure_ml_ext.check.records import Finding, Iam, Note, Report, Statement, Subject
from secure_ml_ext.check.request import check_request
from secure_ml_ext.check.sarif import FINGERPRINT, lint_sarif, report_sarif, sarif_json
from secure_ml_ext.rules.config import Waiver
from tests.worlds import profile, training

DATA = Path(__file__).parents[1] / "data"
POLICIES = DATA / "policies"
SCHEMA = json.loads((DATA / "sarif" / "sarif-2.1.0-rtm.5.json").read_text(encoding="utf-8"))
VALIDATOR = jsonschema.Draft4Validator(
    SCHEMA, format_checker=jsonschema.Draft4Validator.FORMAT_CHECKER
)


def valid(log: dict[str, Any]) -> dict[str, Any]:
    """The run of a log, after the schema had its say on the text."""
    parsed = json.loads(sarif_json(log))
    VALIDATOR.validate(parsed)
    (run,) = parsed["runs"]
    for result in run["results"]:
        assert run["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] == result["ruleId"]
    return dict(run)


def examples() -> list[LintFinding]:
    return [
        finding
        for path in sorted(POLICIES.glob("*.json"))
        for finding in lint_documents([(str(path), path.read_text(encoding="utf-8"))])
    ]


def test_the_schema_refuses_what_is_wrong() -> None:
    log = lint_sarif([])
    log["runs"][0]["results"].append({"message": {"txt": "x"}})
    with pytest.raises(jsonschema.ValidationError):
        VALIDATOR.validate(log)


def test_lint() -> None:
    findings = examples()
    run = valid(lint_sarif(findings, root=DATA.parent))
    assert run["tool"]["driver"]["name"] == "secure_ml_ext"
    assert [rule["id"] for rule in run["tool"]["driver"]["rules"]] == list(CODES)
    assert [each["ruleId"] for each in run["results"]] == [each.code for each in findings]
    anded = next(each for each in run["results"] if each["ruleId"] == "anded-null")
    assert anded["level"] == "error"
    location = anded["locations"][0]
    assert location["physicalLocation"] == {
        "artifactLocation": {
            "uri": "data/policies/secure-mlops-execution-policy.json",
            "uriBaseId": "%SRCROOT%",
        },
        "region": {"startLine": 12, "startColumn": 3, "endLine": 31, "endColumn": 4},
    }
    assert location["logicalLocations"][0]["name"] == "Statement[1]"
    levels = {each["ruleId"]: each["level"] for each in run["results"]}
    assert levels["deprecated-key"] == "warning"


def test_a_fix_replaces_the_text_of_its_statement() -> None:
    """Applied to the file, it gives a document without the finding."""
    name = "secure-mlops-execution-policy.json"
    text = (POLICIES / name).read_text(encoding="utf-8")
    findings = lint_documents([(name, text)])
    run = valid(lint_sarif(findings))
    for result in run["results"]:
        (change,) = result["fixes"][0]["artifactChanges"]
        (replacement,) = change["replacements"]
        mended = replaced(text, replacement)
        json.loads(mended)
        again = lint_documents([(name, mended)])
        assert result["ruleId"] not in [finding.code for finding in again]


def replaced(text: str, replacement: dict[str, Any]) -> str:
    lines = text.splitlines(keepends=True)
    region = replacement["deletedRegion"]

    def at(line: int, column: int) -> int:
        return sum(map(len, lines[: line - 1])) + column - 1

    start = at(region["startLine"], region["startColumn"])
    end = at(region["endLine"], region["endColumn"])
    return text[:start] + replacement["insertedContent"]["text"] + text[end:]


def test_a_fix_of_two_statements_is_not_given_as_text() -> None:
    name = "workshop-v1-policy.json"
    findings = lint_documents([(name, (POLICIES / name).read_text(encoding="utf-8"))])
    undone = next(
        each
        for each in valid(lint_sarif(findings))["results"]
        if each["ruleId"] == "undone-by-allow"
    )
    assert "fixes" not in undone
    assert [each["index"] for each in undone["properties"]["replaces"]] == [1, 3]
    assert len(undone["properties"]["corrected"]) == 3


def test_fingerprints_survive_moved_lines_and_tell_findings_apart() -> None:
    name = "workshop-v1-policy.json"
    text = (POLICIES / name).read_text(encoding="utf-8")

    def fingerprints(content: str) -> list[str]:
        run = valid(lint_sarif(lint_documents([(name, content)])))
        return [each["partialFingerprints"][FINGERPRINT] for each in run["results"]]

    before = fingerprints(text)
    assert len(set(before)) == len(before)
    assert fingerprints("\n\n" + text) == before
    assert fingerprints(json.dumps(json.loads(text))) == before
    same = finding_at("a.json")
    run = valid(lint_sarif([same, same]))
    assert len({each["partialFingerprints"][FINGERPRINT] for each in run["results"]}) == 2


def finding_at(file: str, **more: Any) -> LintFinding:
    return LintFinding(
        file=file,
        code="no-effect",
        severity="info",
        statement=StatementRef(None),
        message="Nothing.",
        **more,
    )


@pytest.mark.parametrize(
    ("file", "uri"),
    [
        ("policies/a b#1%.json", "policies/a%20b%231%25.json"),
        ("./x/../policies/é.json", "policies/%C3%A9.json"),
        ("/srv/ml ops/here/a.json", "a.json"),
        ("/elsewhere/a b.json", "file:///elsewhere/a%20b.json"),
        ("../a.json", "file:///srv/ml%20ops/a.json"),
    ],
)
def test_paths_are_uris_relative_to_the_working_directory(file: str, uri: str) -> None:
    run = valid(lint_sarif([finding_at(file)], root=Path("/srv/ml ops/here")))
    artifact = run["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"]
    assert artifact["uri"] == uri
    assert ("uriBaseId" in artifact) is not uri.startswith("file:")


def test_standard_input_has_no_file() -> None:
    run = valid(lint_sarif([finding_at("standard input", document="net")]))
    assert run["results"][0]["locations"] == [
        {"logicalLocations": [{"name": "net", "fullyQualifiedName": "net", "kind": "object"}]}
    ]


def test_files_that_cannot_be_read_are_notifications() -> None:
    run = valid(lint_sarif([], problems=["a.json: cannot be read"]))
    (invocation,) = run["invocations"]
    assert invocation["executionSuccessful"] is False
    assert invocation["toolExecutionNotifications"] == [
        {"level": "error", "message": {"text": "a.json: cannot be read"}}
    ]


# The report


def test_report() -> None:
    report = check_request(
        "CreateTrainingJob", training(), profile=profile(), path="jobs/train.json"
    )
    run = valid(report_sarif(report, root=Path.cwd()))
    findings = report.subjects[0].findings
    assert [each["ruleId"] for each in run["results"]] == [each.rule for each in findings]
    levels = {"error": "error", "warning": "warning", "info": "note"}
    assert [each["level"] for each in run["results"]] == [levels[f.severity] for f in findings]
    vpc = next(each for each in run["results"] if each["ruleId"] == "training-vpc")
    physical = vpc["locations"][0]["physicalLocation"]
    assert physical["artifactLocation"]["uri"] == "jobs/train.json"
    assert physical["region"] == {"startLine": 1}
    assert vpc["locations"][0]["logicalLocations"][0]["name"] == "CreateTrainingJob abalone-1"
    assert vpc["properties"]["fix"][0]["path"] == "/VpcConfig"
    assert "fixes" not in vpc
    rule = run["tool"]["driver"]["rules"][vpc["ruleIndex"]]
    assert rule["name"] == "TrainingVpc"
    assert rule["shortDescription"]["text"].startswith("A training job without a VPC")
    assert (
        "prowler:sagemaker_training_jobs_vpc_settings_configured"
        in (rule["properties"]["references"])
    )


def subject(**more: Any) -> Subject:
    fields: dict[str, Any] = {
        "path": "pipelines/p.json",
        "kind": "pipeline-step",
        "operation": "CreateTrainingJob",
        "name": "abalone-1",
        "where": "step Train",
        "controls": [],
        "findings": [],
        "iam": Iam(),
        "fix": [],
    }
    return Subject(**{**fields, **more})


FINDING = Finding("training-vpc", "vpc", "error", "/VpcConfig", "no subnets")


def test_a_waived_finding_is_suppressed_with_its_reason() -> None:
    waiver = Waiver("training-*", "*", "migration until spring", "SEC-12", "2027-03-01")
    waived = Finding("training-vpc", "vpc", "error", "/VpcConfig", "no subnets", waiver=waiver)
    run = valid(report_sarif(Report.of([subject(findings=[waived])])))
    assert run["results"][0]["suppressions"] == [
        {
            "kind": "external",
            "status": "accepted",
            "justification": "migration until spring (SEC-12, until 2027-03-01)",
        }
    ]


def test_an_iam_denial_names_its_statements() -> None:
    statement = Statement("scp:1", "network", "DenyNoVpc", 0, "sagemaker:VpcSubnets is absent")
    report = Report.of(
        [
            subject(iam=Iam("explicitly-denied", statements=[statement])),
            subject(iam=Iam("depends", question="Is sagemaker:NetworkIsolation absent or false?")),
            subject(iam=Iam("allowed")),
        ]
    )
    run = valid(report_sarif(report))
    denied, depends = run["results"]
    assert (denied["ruleId"], denied["level"]) == ("iam/explicitly-denied", "error")
    assert denied["message"]["text"] == (
        "IAM would deny this call. scp:1 network DenyNoVpc: sagemaker:VpcSubnets is absent."
    )
    assert denied["properties"]["statements"][0]["sid"] == "DenyNoVpc"
    assert (depends["ruleId"], depends["level"]) == ("iam/depends", "warning")
    assert "Is sagemaker:NetworkIsolation absent or false?" in depends["message"]["text"]


@pytest.mark.parametrize(
    ("kind", "where", "line"),
    [
        ("template-resource", "resource Job (line 14)", 14),
        ("template-resource", "resource line 5", 1),
        ("notebook-cell", "line 12", 12),  # of Python source
        ("notebook-cell", "cell 3, line 12", 1),  # a line of the cell, not of the file
        ("pipeline-step", "step line 7", 1),
    ],
)
def test_the_line_of_a_subject(kind: Any, where: str, line: int) -> None:
    run = valid(report_sarif(Report.of([subject(kind=kind, where=where, findings=[FINDING])])))
    location = run["results"][0]["locations"][0]
    assert location["physicalLocation"]["region"]["startLine"] == line
    name = f"{where}/CreateTrainingJob abalone-1"
    assert location["logicalLocations"][0]["fullyQualifiedName"] == name


def test_a_live_request_has_no_file() -> None:
    run = valid(report_sarif(Report.of([subject(path=None, where=None, findings=[FINDING])])))
    assert "physicalLocation" not in run["results"][0]["locations"][0]


def test_notes_are_notifications() -> None:
    report = Report.of([], [Note("a Lambda step has nothing to check", "step Notify", "p.json")])
    (notification,) = valid(report_sarif(report))["invocations"][0]["toolExecutionNotifications"]
    assert notification["level"] == "note"
    assert notification["locations"][0]["logicalLocations"][0]["name"] == "step Notify"


def test_nothing_of_this_machine_is_in_it() -> None:
    run = sarif_json(report_sarif(Report.of([subject(findings=[FINDING])])))
    assert str(Path.home()) not in run
    assert str(Path.cwd()) not in run
