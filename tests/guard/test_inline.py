"""The card's two other forms say the same in the same order."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from html.parser import HTMLParser
from typing import Any

import pytest
from msgspec.structs import replace

from secure_ml_ext.check import Caller, check_request
from secure_ml_ext.check.records import Note, Report, Subject
from secure_ml_ext.demo.seed.policies import GUARDRAILS
from secure_ml_ext.guard import RequestBlocked
from secure_ml_ext.guard.inline import bundle, html, text
from secure_ml_ext.guard.records import CARD_MIME, Action, Card
from secure_ml_ext.inventory.words import CONTROL_TITLES
from secure_ml_ext.rules import Profile
from secure_ml_ext.rules.profile import ProfileValue

from .conftest import KEY, PROFILE, Shown, compliant, training

MakeGuard = Callable[..., Any]


class Words(HTMLParser):
    """The visible text of a page; fails on a tag that is left open."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.said = ""

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        assert not any(name.startswith("on") for name, _ in attrs)
        if tag != "br":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag
        self.said += " "

    def handle_data(self, data: str) -> None:
        self.said += data


@pytest.fixture
def card(make_guard: MakeGuard, sagemaker: Any, shown: Shown) -> Card:
    make_guard("block")
    with pytest.raises(RequestBlocked):
        sagemaker.create_training_job(**training("abalone-card"))
    return shown.cards[0]


def test_both_forms_say_the_same_in_the_same_order(card: Card) -> None:
    page = Words()
    page.feed(html(card))
    assert page.open == []
    subject = card.report.subjects[0]
    assert subject.findings[0].severity == "error"
    facts = ["CreateTrainingJob abalone-card", "not sent"]
    facts += [CONTROL_TITLES[f.control] for f in subject.findings if f.severity == "error"]
    facts += ["Isolation", PROFILE["subnets"][0], KEY, "profile.json"]
    for form in (text(card), re.sub(r"\s+", " ", page.said)):
        places = [form.index(fact) for fact in facts]
        assert places[:-3] == sorted(places[:-3])
        for finding in subject.findings:
            assert finding.rule in form
            assert finding.severity in form
    for code in (card.code.v3, card.code.v2, card.code.boto3) if card.code else ():
        assert re.sub(r"\s+", " ", code.strip()) in re.sub(r"\s+", " ", page.said)


def test_the_bundle_is_json_and_complete(card: Card) -> None:
    data = bundle(card)
    assert set(data) == {CARD_MIME, "text/html", "text/plain"}
    payload = json.loads(json.dumps(data[CARD_MIME]))
    assert payload["mode"] == "block"
    assert payload["action"] == "blocked"
    assert re.fullmatch(r"[0-9a-f]{32}", payload["held"])
    assert payload["report"]["schema"] == "secure-ml/report@1"
    assert set(payload["code"]) == {"v3", "v2", "boto3"}
    compile(payload["code"]["boto3"], "card", "exec")


def test_a_line_is_escaped() -> None:
    assert bundle("a <b> & c") == {
        "text/plain": "a <b> & c",
        "text/html": '<div style="white-space:pre-wrap">a &lt;b&gt; &amp; c</div>',
    }


def test_outside_a_notebook_it_goes_to_stderr(
    make_guard: MakeGuard, sagemaker: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    from secure_ml_ext.guard.inline import present

    guard = make_guard("warn")
    guard.presenter = present
    sagemaker.create_training_job(**training("abalone-plain"))
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("Secure ML: CreateTrainingJob abalone-plain, sent as it was\n")


ALL = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}],
}
POLICIES = {"identity": [ALL], "scps": [[ALL], [ALL, {"name": "rails", "document": GUARDRAILS}]]}
CALLER = Caller(
    account="123456789012",
    region="eu-west-1",
    role_arn="arn:aws:iam::123456789012:role/sm-mlops-dev-pipeline-role",
)


def said(page: str) -> str:
    """Return the visible text of a page, one blank between words."""
    words = Words()
    words.feed(page)
    assert words.open == []
    return re.sub(r"\s+", " ", words.said).strip()


def step(where: str, params: dict[str, Any], note: str | None = None) -> Subject:
    """Return a training step of a pipeline, checked against the demo's policies."""
    report = check_request(
        "CreateTrainingJob",
        {key: value for key, value in params.items() if key != "TrainingJobName"},
        profile=Profile(values={name: ProfileValue(v, "test") for name, v in PROFILE.items()}),
        bundle=POLICIES,
        caller=CALLER,
        kind="pipeline-step",
        where=where,
    )
    return replace(report.subjects[0], note=note)


def pipeline(action: Action, *steps: Subject, notes: list[Note] | None = None) -> Card:
    """Return the card of a pipeline's call with its steps."""
    params = {"PipelineName": "abalone", "RoleArn": CALLER.role_arn, "PipelineDefinition": "{}"}
    call = check_request("CreatePipeline", params, bundle=POLICIES, caller=CALLER).subjects
    report = Report.of([*call, *steps], notes)
    return Card(report, "warn", action, None, None, [], None, {})


def in_order(form: str, *facts: str) -> None:
    """Assert that the facts are said, one after the other."""
    at = 0
    for fact in facts:
        found = form.find(fact, at)
        assert found >= 0, (fact, form[at:])
        at = found + len(fact)


def test_the_steps_of_a_pipeline_follow_the_call_in_both_forms() -> None:
    card = pipeline(
        "blocked",
        step("step Prepare", compliant()),
        step("step Train, in Check (if)", training(), note="The SDK added <this> step."),
        step("step Evaluate", compliant()),
        notes=[Note("nothing to check here", "step Notify")],
    )
    facts = [
        "Secure ML",
        "CreatePipeline abalone",
        "not sent",
        "✓ CreatePipeline abalone compliant, allowed by IAM",
        "CreateTrainingJob (step Train, in Check (if))",
        "The SDK added <this> step.",
        "IAM would deny this",
        'scp:1 "DenyNoVpc" · sagemaker:VpcSubnets is absent (Null true)',
        "VPC",
        "no subnets or security groups",
        "training-vpc at VpcConfig",
        "Fix",
        "+ VpcConfig",
        # The calm ones are counted below, by name; then what was not checked.
        "✓ 2 steps compliant, allowed by IAM: step Prepare; step Evaluate",
        "– step Notify: nothing to check here",
    ]
    plain = text(card)
    in_order(plain, "CreatePipeline abalone, not sent", *facts[3:])
    in_order(said(html(card)), *facts)
    assert "<this>" not in html(card)
    assert plain.splitlines()[0] == "Secure ML: CreatePipeline abalone, not sent"
    assert all(line.startswith("  ") for line in plain.splitlines()[1:])


def test_a_pipeline_without_findings_is_quiet() -> None:
    card = pipeline("dry-run", step("step Train", compliant()))
    assert text(card).splitlines() == [
        "✓ CreatePipeline abalone compliant, allowed by IAM, dry run, not sent",
        "  ✓ 1 step compliant, allowed by IAM: step Train",
    ]
    assert said(html(card)) == re.sub(r"\s+", " ", text(card))
    assert "<section" not in html(card)


def test_a_quiet_step_with_something_to_know_has_a_line_of_its_own() -> None:
    card = pipeline("passed", step("step Repack", compliant(), note="The SDK added this step."))
    line = "✓ CreateTrainingJob compliant, allowed by IAM (step Repack) · The SDK added this step."
    assert text(card).splitlines()[1] == f"  {line}"
    assert line in said(html(card))


def test_both_forms_name_the_statement_and_where_the_answers_differ() -> None:
    card = pipeline("warned", step("step Train", {**compliant(), "EnableNetworkIsolation": False}))
    for form in (text(card), said(html(card))):
        in_order(form, "✓ IAM would allow this", "IAM allows it, the baseline warns", "Isolation")
