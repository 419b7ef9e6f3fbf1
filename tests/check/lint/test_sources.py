"""What is read: documents as people keep them and as commands print them; and what is refused."""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import quote

import pytest

from secure_ml_ext.check.files import InputError
from secure_ml_ext.check.lint import NotAPolicy, lint_documents
from secure_ml_ext.check.lint.positions import Lines, spans
from secure_ml_ext.check.lint.rows import MOST_CLAUSES, MOST_ENTRIES, MOST_STATEMENTS
from secure_ml_ext.check.lint.tolerant import tolerant
from tests.check.lint.support import codes, document, statement

# One finding, in statement 0.
POLICY = document(
    statement("Deny", "CreateModel", {"Bool": {"sagemaker:NetworkIsolation": "false"}}, Sid="Deny1")
)
FOUND = [("bool-by-omission", 0)]


@pytest.mark.parametrize(
    ("content", "document_name"),
    [
        (POLICY, None),
        ({**POLICY, "Statement": POLICY["Statement"][0]}, None),
        (json.dumps(POLICY), None),
        (quote(json.dumps(POLICY)), None),  # aws iam get-role-policy, raw
        ({"PolicyVersion": {"Document": POLICY, "VersionId": "v1"}}, None),
        ({"RoleName": "a", "PolicyName": "net", "PolicyDocument": POLICY}, "net"),
        ({"PolicyName": "net", "PolicyDocument": quote(json.dumps(POLICY))}, "net"),
        (  # aws organizations describe-policy
            {
                "Policy": {
                    "PolicySummary": {
                        "Id": "p-1",
                        "Name": "scp-ml",
                        "Arn": "arn:aws:organizations",
                    },
                    "Content": json.dumps(POLICY),
                }
            },
            "scp-ml",
        ),
        ({"Policy": json.dumps(POLICY)}, None),  # aws s3api get-bucket-policy
        ({"ModelPackageGroupName": "g", "ResourcePolicy": json.dumps(POLICY)}, None),
        ({"name": "own", "document": POLICY}, "own"),
        ([POLICY], "[0]"),
        ({"identity": [POLICY]}, "identity[0]"),
        ({"scps": [[], [{"name": "root", "document": POLICY}]]}, "root"),
        (
            {
                "schema": "secure-ml/policies@1",
                "principals": {"arn:aws:iam::1:role/a": {"boundary": [json.dumps(POLICY)]}},
            },
            "arn:aws:iam::1:role/a boundary[0]",
        ),
    ],
)
def test_forms(content: Any, document_name: str | None) -> None:
    for given in (content, content if isinstance(content, str) else json.dumps(content, indent=1)):
        found = lint_documents([("a.json", given)])
        assert codes(found) == FOUND
        assert found[0].document == document_name
        assert found[0].statement.sid == "Deny1"
        assert found[0].file == "a.json"


def test_a_resource_based_policy_keeps_its_principal_in_the_correction() -> None:
    principal = {"AWS": ["arn:aws:iam::1:root"], "Service": "sagemaker.amazonaws.com"}
    policy = document({**POLICY["Statement"][0], "Principal": principal})
    (found,) = lint_documents([("a.json", policy)])
    assert found.corrected["Principal"] == principal  # type: ignore[index,call-overload]


def test_a_trust_policy_has_no_resource() -> None:
    trust = {
        "Effect": "Allow",
        "Principal": {"Service": "sagemaker.amazonaws.com"},
        "Action": "sts:AssumeRole",
    }
    made = lint_documents([("a.json", {"AssumeRolePolicyDocument": document(trust)})])
    assert codes(made) == [("no-effect", None)]


def test_passing_a_role_to_sagemaker_is_an_effect() -> None:
    passed = {"StringEquals": {"iam:PassedToService": ["sagemaker.amazonaws.com"]}}
    assert lint_documents([("a", document(statement("Allow", "iam:PassRole", passed)))]) == []
    other = {"StringEquals": {"iam:PassedToService": "glue.amazonaws.com"}}
    made = lint_documents([("a", document(statement("Allow", "iam:PassRole", other)))])
    assert codes(made) == [("no-effect", None)]
    assert codes(lint_documents([("a", document())])) == [("no-effect", None)]


# not-strict-json

TEXT = """{
  // who may isolate
  "Version": "2012-10-17", # the newest
  "Statement": [
    {
      "Effect": "Deny", /* two
      lines */
      "Action": ["sagemaker:CreateModel",],
      "Resource": "arn:aws:sagemaker:*:*:model/a//b/*,]",
      "Condition": {"Bool": {"sagemaker:NetworkIsolation": "false"}},
    },
  ]
}
"""


def test_comments_and_commas_are_read_and_reported_where_they_stand() -> None:
    found = lint_documents([("a.json", TEXT)])
    assert [(f.code, f.statement.index, f.line) for f in found] == [
        ("not-strict-json", None, 2),
        ("bool-by-omission", 0, 5),
        ("not-strict-json", 0, 6),
    ]
    assert found[0].message == (
        "IAM refuses what is not JSON: a comment in line 2, a comment in line 3 and a comma before "
        "a closing bracket in line 11."
    )
    assert found[2].message.endswith(
        "a comment in line 6, a comma before a closing bracket in line 8 and a comma before a "
        "closing bracket in line 10."
    )
    # Slashes, commas and brackets inside strings are text.
    assert found[2].corrected["Resource"] == "arn:aws:sagemaker:*:*:model/a//b/*,]"  # type: ignore[index,call-overload]


def test_a_byte_order_mark() -> None:
    found = lint_documents([("a.json", "\N{ZERO WIDTH NO-BREAK SPACE}" + json.dumps(POLICY))])
    assert codes(found) == [("not-strict-json", None), *FOUND]
    assert "a byte order mark in line 1" in found[0].message


def test_comments_inside_an_embedded_document() -> None:
    made = lint_documents([("a.json", {"PolicyName": "net", "PolicyDocument": TEXT})])
    assert sorted(f.code for f in made) == ["bool-by-omission", "not-strict-json"]
    assert {f.document for f in made} == {"net"}


@pytest.mark.parametrize(
    "text", ['"a // b"', '"a \\" // b"', "[1, 2]", '{"a": "/*"}', '"#"', '"unended // ']
)
def test_strict_text_stays(text: str) -> None:
    assert tolerant(text) == (text, [])


@pytest.mark.parametrize("text", ["/* no end", "[1 /*/ ]", "[1,, 2]", "// only"])
def test_places_stay_and_nothing_is_guessed(text: str) -> None:
    made, _ = tolerant(text)
    assert len(made) == len(text)
    with pytest.raises(json.JSONDecodeError):
        json.loads(made)


def test_lines_of_every_statement_in_a_bundle() -> None:
    bundle = {"principals": {"arn:1": {"identity": [POLICY, POLICY]}}, "scps": [[POLICY]]}
    text = json.dumps(bundle, indent=2)
    found = lint_documents([("a.json", text)])
    starts = [n for n, line in enumerate(text.splitlines(), 1) if line.strip() == '"Sid": "Deny1",']
    effect = [n for n, line in enumerate(text.splitlines(), 1) if '"Effect"' in line]
    assert [f.line for f in found] == [n - 1 for n in effect]
    assert len(starts) <= 3
    lines = text.splitlines()
    for each in found:
        region = each.region
        assert region is not None
        assert lines[region.start_line - 1][region.start_column - 1] == "{"
        assert lines[region.end_line - 1][region.end_column - 2] == "}"


def test_spans_skip_what_is_not_asked_for() -> None:
    text = '{"a": [{"b": "]}"}, 2], "c": {"d": [ {"x": 1} ,"y"]}}'
    found = spans(text, [("c", "d"), ("a", 0, "b"), ("nowhere",)])
    cut = {path: text[span.start : span.end] for path, span in found.items()}
    assert cut == {
        ("a", 0, "b"): '"]}"',
        ("c", "d", 0): '{"x": 1}',
        ("c", "d", 1): '"y"',
        ("c", "d"): '[ {"x": 1} ,"y"]',
    }
    assert Lines("a\nbc\r\nd").place(6) == (3, 1)


# what is refused


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "line 1 column 1"),
        ('{"Statement": [}', "line 1 column 16"),
        ("[1, 2]", "holds no policy document"),
        ("3", "holds no policy; what is read is a document"),
        ('{"hello": 1}', 'a document with "Statement"'),
        ('{"Statements": []}', "it has Statements; IAM writes Statement"),
        ('{"Statement": 3}', "Statement is an object or a list, not a number"),
        (document({**POLICY["Statement"][0], "Effect": "Forbid"}), "Effect is Allow or Deny"),
        (document({**POLICY["Statement"][0], "Effects": "x"}), "there is no element Effects"),
        (document(statement("Deny", "CreateModel", {"Is": {"a": "b"}})), "no condition operator"),
        (document({**POLICY["Statement"][0], "Principal": [["x"]]}), "a principal is"),
        ({"identiy": [POLICY], "scps": []}, "did you mean identity"),
        ({"scps": [POLICY]}, "scps is a list of levels"),
        ('{"Statement": [], "Statement": []}', "given twice"),
        ("[" * 100_000, "nested too deeply"),
        ({"PolicyDocument": "{"}, "not JSON"),
    ],
)  # fmt: skip
def test_refused(content: Any, said: str) -> None:
    with pytest.raises(InputError, match=r"^a\.json: ") as caught:
        lint_documents([("a.json", content)])
    assert said in str(caught.value)


def test_what_is_no_policy_has_an_error_of_its_own() -> None:
    for content in ('{"name": "x", "version": "1.0.0"}', "[]", "{}"):
        if content == "[]":
            assert lint_documents([("a.json", content)]) == []
            continue
        with pytest.raises(NotAPolicy):
            lint_documents([("package.json", content)])


def test_errors_name_the_line_of_the_statement() -> None:
    bad = {**POLICY["Statement"][0], "Action": "CreateModel"}
    text = json.dumps(document(POLICY["Statement"][0], bad), indent=2)
    line = [n for n, each in enumerate(text.splitlines(), 1) if each == "    {"][1]
    with pytest.raises(InputError) as caught:
        lint_documents([("a.json", text)])
    assert str(caught.value) == (
        f"a.json: line {line}: statement 1, Action: an action is written service:action, or *"
    )


def test_bounds() -> None:
    one = statement("Deny", "CreateModel")
    with pytest.raises(InputError, match="1001 statements in one document, more than 1000"):
        lint_documents([("a", document(*[one] * (MOST_STATEMENTS + 1)))])
    with pytest.raises(InputError, match="1002 statements of one principal are about SageMaker"):
        lint_documents([("a", {"identity": [document(*[one] * 501)] * 2})])
    many = [f"s3:Get{n}" for n in range(MOST_ENTRIES + 1)]
    with pytest.raises(InputError, match="statement 0 has 2001 actions, more than 2000"):
        lint_documents([("a", document(statement("Deny", many)))])
    keys = {f"aws:RequestTag/{n}": "true" for n in range(MOST_CLAUSES + 1)}
    with pytest.raises(InputError, match="statement 0 has 501 conditions, more than 500"):
        lint_documents([("a", document(statement("Deny", "CreateModel", {"Null": keys})))])


def test_messages_are_one_sentence() -> None:
    made = lint_documents([("a.json", TEXT)])
    assert all(re.fullmatch(r"[^\n]+\.", f.message) for f in made)
