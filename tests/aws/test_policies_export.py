"""Exporting a bundle over HTTP: what is read, in which order, and what is said to be missing."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from secure_ml_ext.aws import policies_export
from secure_ml_ext.aws.policies_export import Exported, ExportFailed, RoleError, export, to_json
from secure_ml_ext.demo.aws import Embedded, running
from secure_ml_ext.demo.aws.client import MANAGEMENT_KEY, SECRET
from secure_ml_ext.iam import PolicyBundle, evaluate

ACCOUNT = "123456789012"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/sm-mlops-dev-execution-role"
PIPELINE = f"arn:aws:iam::{ACCOUNT}:role/sm-mlops-dev-pipeline-execution-role"
ALLOW_ALL = json.dumps(
    {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
)
TRUST = json.dumps({"Version": "2012-10-17", "Statement": []})


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three attempts, so that what always fails fails in seconds."""
    monkeypatch.setattr(policies_export, "ATTEMPTS", 3)


@pytest.fixture(scope="module")
def lonely() -> Iterator[Embedded]:
    """An embedded AWS without a seed: one account, no organisation, one role."""
    with running(seed="none") as embedded:
        iam = embedded.client("iam")
        iam.create_role(RoleName="alone", AssumeRolePolicyDocument=TRUST)
        iam.put_role_policy(RoleName="alone", PolicyName="all", PolicyDocument=ALLOW_ALL)
        yield embedded


@pytest.fixture
def alone(lonely: Embedded, monkeypatch: pytest.MonkeyPatch) -> Embedded:
    """The same with its environment set."""
    for name, value in lonely.env().items():
        monkeypatch.setenv(name, value)
    return lonely


def names(documents: list[dict[str, Any]]) -> list[str]:
    return [document["name"] for document in documents]


def verdict(exported: Exported) -> str:
    """What the bundle says about describing a domain, which every policy of the demo allows."""
    bundle = PolicyBundle.from_dict(exported.bundle)
    action = "sagemaker:DescribeDomain"
    return evaluate(bundle, action, "*", {"aws:PrincipalArn": ROLE}).verdict


def test_identity_boundary_and_every_level(aws: Embedded) -> None:
    exported = export([ROLE])
    assert exported.complete
    assert (exported.unread, exported.invalid) == ([], None)
    bundle = exported.bundle
    assert list(bundle) == ["schema", "principals", "scps", "unread"]
    assert (bundle["schema"], bundle["unread"]) == ("secure-ml/policies@1", [])
    own = bundle["principals"][ROLE]
    assert list(own) == ["identity", "boundary", "session"]
    # Managed policies first, then inline ones; each with what IAM itself says it holds.
    assert names(own["identity"]) == ["sm-mlops-dev-sagemaker-execution", "sagemaker"]
    managed, inline = own["identity"]
    iam = aws.client("iam")
    version = iam.get_policy_version(PolicyArn=managed["arn"], VersionId="v1")["PolicyVersion"]
    assert managed["arn"] == f"arn:aws:iam::{ACCOUNT}:policy/sm-mlops-dev-sagemaker-execution"
    assert managed["document"] == version["Document"]
    told = iam.get_role_policy(RoleName=ROLE.rpartition("/")[2], PolicyName="sagemaker")
    assert (inline["arn"], inline["document"]) == (None, told["PolicyDocument"])
    assert names(own["boundary"]) == ["sm-mlops-dev-boundary"]
    assert own["session"] is None
    # Root, the unit `workloads`, the account.
    assert [names(level) for level in bundle["scps"]] == [
        ["FullAWSAccess"],
        ["FullAWSAccess", "sm-mlops-dev-guardrails"],
        ["FullAWSAccess"],
    ]
    guardrails = bundle["scps"][1][1]
    assert guardrails["document"]["Statement"][0]["Sid"] == "DenyNoVpc"
    assert ":policy/o-" in guardrails["arn"]
    assert any("resource control policies" in note for note in exported.notes)
    assert verdict(exported) == "allowed"


def test_exporting_again_gives_the_same_bytes_whatever_the_order(aws: Embedded) -> None:
    first = to_json(export([ROLE, PIPELINE]).bundle)
    assert to_json(export([PIPELINE, ROLE, ROLE]).bundle) == first
    assert list(json.loads(first)["principals"]) == [ROLE, PIPELINE]


@pytest.mark.parametrize(
    "named",
    [(), (f"arn:aws:sts::{ACCOUNT}:assumed-role/sm-mlops-dev-execution-role/SageMaker",)],
)
def test_the_caller_and_sessions_stand_for_their_role(
    aws: Embedded, named: tuple[str, ...]
) -> None:
    assert list(export(named).bundle["principals"]) == [ROLE]


def test_the_path_of_a_role_is_found_and_a_wrong_one_refused(aws: Embedded) -> None:
    iam = aws.client("iam")
    iam.create_role(RoleName="deep", Path="/team/ml/", AssumeRolePolicyDocument=TRUST)
    try:
        session = f"arn:aws:sts::{ACCOUNT}:assumed-role/deep/me"
        exported = export([session])
        wrong = export([f"arn:aws:iam::{ACCOUNT}:role/team/deep"])
    finally:
        iam.delete_role(RoleName="deep")
    arn = f"arn:aws:iam::{ACCOUNT}:role/team/ml/deep"
    assert exported.bundle["principals"][arn]["identity"] == []
    assert wrong.bundle["principals"] == {}
    (missing,) = wrong.unread
    assert missing.problem.code == "not-found"
    assert arn in missing.problem.remedy


def test_many_policies_come_in_pages(aws: Embedded) -> None:
    iam = aws.client("iam")
    iam.create_role(RoleName="many", AssumeRolePolicyDocument=TRUST)
    for number in range(105):
        iam.put_role_policy(
            RoleName="many", PolicyName=f"inline-{number:03}", PolicyDocument=ALLOW_ALL
        )
        made = iam.create_policy(PolicyName=f"many-{number:03}", PolicyDocument=ALLOW_ALL)
        iam.attach_role_policy(RoleName="many", PolicyArn=made["Policy"]["Arn"])
    aws.reset_log()
    exported = export([f"arn:aws:iam::{ACCOUNT}:role/many"])
    found = names(exported.bundle["principals"][f"arn:aws:iam::{ACCOUNT}:role/many"]["identity"])
    wanted = [f"{kind}-{number:03}" for kind in ("many", "inline") for number in range(105)]
    assert found == wanted
    # IAM gives 100 per page where nobody asks for another number.
    assert len(aws.requests(operation="ListAttachedRolePolicies")) == 2
    assert len(aws.requests(operation="ListRolePolicies")) == 2


def test_a_policy_of_several_roles_is_read_once(aws: Embedded) -> None:
    iam = aws.client("iam")
    arn = f"arn:aws:iam::{ACCOUNT}:policy/sm-mlops-dev-sagemaker-execution"
    iam.attach_role_policy(RoleName=PIPELINE.rpartition("/")[2], PolicyArn=arn)
    try:
        aws.reset_log()
        export([ROLE, PIPELINE])
    finally:
        iam.detach_role_policy(RoleName=PIPELINE.rpartition("/")[2], PolicyArn=arn)
    # The execution policy and the boundary; FullAWSAccess stands on three levels.
    assert len(aws.requests(operation="GetPolicyVersion")) == 2
    assert len(aws.requests(operation="DescribePolicy")) == 2


@pytest.mark.parametrize(
    ("operation", "times", "unread", "kept"),
    [
        # Without GetRole the boundary is not known; the lists go by the role's name.
        ("GetRole", -1, ["boundary"], ["sm-mlops-dev-sagemaker-execution", "sagemaker"]),
        ("ListAttachedRolePolicies", -1, ["identity"], ["sagemaker"]),
        ("ListRolePolicies", -1, ["identity"], ["sm-mlops-dev-sagemaker-execution"]),
        ("GetRolePolicy", -1, ["identity"], ["sm-mlops-dev-sagemaker-execution"]),
        ("GetPolicy", -1, ["boundary", "identity"], ["sagemaker"]),
        # The first version that is asked for is that of the attached policy.
        ("GetPolicyVersion", 1, ["identity"], ["sagemaker"]),
    ],
)
def test_a_denied_call_of_iam(
    aws: Embedded, operation: str, times: int, unread: list[str], kept: list[str]
) -> None:
    aws.fault("iam", operation, "AccessDenied", times=times)
    exported = export([ROLE])
    own = exported.bundle["principals"][ROLE]
    assert own["unread"] == unread
    assert names(own["identity"]) == kept
    assert {(each.layer, each.principal) for each in exported.unread} == {
        (layer, ROLE) for layer in unread
    }
    for each in exported.unread:
        assert (each.problem.code, each.problem.action) == ("access-denied", f"iam:{operation}")
        assert "--part policy-export" in each.problem.remedy
    assert not exported.complete
    assert verdict(exported) == "depends"


@pytest.mark.parametrize(
    ("operation", "times", "unread", "levels"),
    [
        ("DescribeOrganization", -1, ["scps"], []),
        ("ListParents", -1, ["scps"], []),
        ("ListPoliciesForTarget", -1, ["scps"], []),
        ("DescribePolicy", -1, ["scps"], []),
        ("ListPoliciesForTarget", 1, ["scp:0"], [0, 2, 1]),
        # FullAWSAccess of the root is denied; on the next level it is asked for again.
        ("DescribePolicy", 1, ["scp:0"], [0, 2, 1]),
    ],
)
def test_a_denied_call_of_organizations(
    aws: Embedded, operation: str, times: int, unread: list[str], levels: list[int]
) -> None:
    aws.fault("organizations", operation, "AccessDeniedException", times=times)
    exported = export([ROLE])
    assert exported.bundle["unread"] == unread
    assert [len(level) for level in exported.bundle["scps"]] == levels
    for each in exported.unread:
        assert (each.principal, each.problem.code) == (None, "access-denied")
        assert each.problem.action == f"organizations:{operation}"
        assert "--organizations-profile" in each.problem.remedy
    assert verdict(exported) == "depends"


def test_what_is_throttled_is_asked_again_and_then_said(aws: Embedded) -> None:
    aws.fault("iam", "ListRolePolicies", "Throttling", times=2)
    assert export([ROLE]).complete
    aws.fault("iam", "ListRolePolicies", "Throttling", times=-1)
    (missing,) = export([ROLE]).unread
    assert (missing.layer, missing.problem.code) == ("identity", "throttled")


def test_roles_that_are_not_there_or_elsewhere(aws: Embedded) -> None:
    exported = export([ROLE, f"arn:aws:iam::{ACCOUNT}:role/nobody"])
    assert list(exported.bundle["principals"]) == [ROLE]
    (missing,) = exported.unread
    assert missing.problem.code == "not-found"
    foreign = export(["arn:aws:iam::999999999999:role/sm-mlops-dev-execution-role"])
    assert foreign.bundle["principals"] == {}
    (missing, *_) = foreign.unread
    assert missing.problem.code == "bad-input"
    assert "999999999999" in missing.problem.message
    assert ACCOUNT in missing.problem.message
    # One each for the first export; the namesake in this account is not taken for the other.
    assert len(aws.requests(operation="GetRole")) == 2


@pytest.mark.parametrize(
    ("named", "said"),
    [
        ([f"arn:aws:iam::{ACCOUNT}:user/ann"], "is a user"),
        ([f"arn:aws:iam::{ACCOUNT}:root"], "is the root user"),
        ([f"arn:aws:sts::{ACCOUNT}:federated-user/ann"], "is no role"),
        (["sm-mlops-dev-execution-role"], "is no role"),
        ([ROLE + "/"], "is no role"),
        ([ROLE, "arn:aws:iam::999999999999:role/x"], "several accounts"),
    ],
)
def test_what_cannot_be_exported_is_refused(named: list[str], said: str) -> None:
    with pytest.raises(RoleError, match=said):
        export(named)


def test_a_user_without_a_role_is_told_to_name_one(
    aws: Embedded, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in aws.env("AKIASECUREMLADMIN001").items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("AWS_SESSION_TOKEN")
    with pytest.raises(RoleError, match="user/demo-admin is a user; name a role"):
        export()


def test_without_a_way_to_aws(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(policies_export, "ATTEMPTS", 1)
    with pytest.raises(ExportFailed, match="could not reach its endpoint"):
        export()
    exported = export([ROLE])
    assert exported.bundle["principals"] == {}
    assert {each.problem.code for each in exported.unread} == {"endpoint-unreachable"}
    assert exported.bundle["unread"] == ["scps"]


def test_a_member_that_may_not_read_the_organisation(
    aws: Embedded, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The usual case: the account is no delegated administrator, another profile may read."""
    manager = aws.client("organizations", access_key=MANAGEMENT_KEY)
    delegated = {"AccountId": ACCOUNT, "ServicePrincipal": "access-analyzer.amazonaws.com"}
    complete = export([ROLE]).bundle
    manager.deregister_delegated_administrator(**delegated)
    try:
        alone = export([ROLE])
        config = tmp_path / "config"
        config.write_text(
            "[profile audit]\nregion = eu-west-1\n"
            f"aws_access_key_id = {MANAGEMENT_KEY}\naws_secret_access_key = {SECRET}\n"
        )
        monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
        with_profile = export([ROLE], organizations_profile="audit")
        misspelt = export([ROLE], organizations_profile="odit")
    finally:
        manager.register_delegated_administrator(**delegated)
    assert alone.bundle["unread"] == ["scps"]
    assert alone.bundle["principals"] == complete["principals"]
    assert (with_profile.complete, with_profile.bundle) == (True, complete)
    assert [each.problem.code for each in misspelt.unread] == ["no-credentials"]
    assert "odit" in misspelt.unread[0].problem.message


def test_a_document_that_cannot_be_evaluated_is_named(aws: Embedded) -> None:
    manager = aws.client("organizations", access_key=MANAGEMENT_KEY)
    content = json.loads(ALLOW_ALL)
    content["Statement"][0]["Resource"] = "everything"
    made = manager.create_policy(
        Name="odd", Description="", Type="SERVICE_CONTROL_POLICY", Content=json.dumps(content)
    )
    policy = made["Policy"]["PolicySummary"]["Id"]
    manager.attach_policy(PolicyId=policy, TargetId=ACCOUNT)
    try:
        exported = export([ROLE])
    finally:
        manager.detach_policy(PolicyId=policy, TargetId=ACCOUNT)
        manager.delete_policy(PolicyId=policy)
    assert exported.unread == []
    assert exported.invalid == "odd, statement 0, Resource: a resource must be an ARN or *"
    assert not exported.complete


def test_accounts_without_service_control_policies(alone: Embedded) -> None:
    """In no organisation; managing one; in one for billing alone; in one without the policies."""
    role = f"arn:aws:iam::{ACCOUNT}:role/alone"

    def said(arn: str) -> tuple[list[Any], list[str], str]:
        exported = export([arn])
        return exported.bundle["scps"], exported.bundle["unread"], exported.notes[0]

    levels, unread, note = said(role)
    assert (levels, unread) == ([], [])
    assert note == f"{ACCOUNT} is in no organisation: no service control policies."
    assert export([role]).complete

    organizations = alone.client("organizations")
    organizations.create_organization(FeatureSet="CONSOLIDATED_BILLING")
    levels, unread, note = said(role)
    assert (levels, unread) == ([], [])
    assert note.startswith(f"{ACCOUNT} manages its organisation")
    organizations.delete_organization()

    for features, expected in (
        ("CONSOLIDATED_BILLING", "consolidated billing alone"),
        ("ALL", "not enabled"),
    ):
        organizations.create_organization(FeatureSet=features)
        made = organizations.create_account(AccountName="m", Email="m@example.com")
        member = made["CreateAccountStatus"]["AccountId"]
        (root,) = organizations.list_roots()["Roots"]
        for target in (root["Id"], member):
            organizations.detach_policy(PolicyId="p-FullAWSAccess", TargetId=target)
        levels, unread, note = said(f"arn:aws:iam::{member}:role/any")
        assert (levels, unread) == ([], [])
        assert expected in note
        organizations.remove_account_from_organization(AccountId=member)
        organizations.delete_organization()


def test_as_text_it_is_what_it_was(aws: Embedded) -> None:
    bundle = export([ROLE]).bundle
    assert json.loads(to_json(bundle)) == json.loads(to_json(bundle, compact=True)) == bundle
    assert "\n" not in to_json(bundle, compact=True)
