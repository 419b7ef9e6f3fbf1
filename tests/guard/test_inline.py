"""The card's two other forms say the same in the same order."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from html.parser import HTMLParser
from typing import Any

import pytest

from secure_ml_ext.guard import RequestBlocked
from secure_ml_ext.guard.inline import bundle, html, text
from secure_ml_ext.guard.records import CARD_MIME, Card
from secure_ml_ext.inventory.words import CONTROL_TITLES

from .conftest import KEY, PROFILE, Shown, training

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
