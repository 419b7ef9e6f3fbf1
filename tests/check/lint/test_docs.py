"""The page about the lint: its examples are linted, its table is the table of the codes."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from msgspec.structs import fields

from secure_ml_ext.check.lint import CODES, LintFinding, lint_documents

PAGE = (Path(__file__).parents[3] / "docs" / "policy-lint.md").read_text(encoding="utf-8")
SECTIONS = dict(re.findall(r"^### ([a-z-]+)\n\n```json\n(.*?)```", PAGE, re.DOTALL | re.MULTILINE))


def test_every_code_has_a_section_and_its_severity_in_the_table() -> None:
    assert set(SECTIONS) == set(CODES)
    rows = re.findall(r"^\| \[`([a-z-]+)`\]\(#\1\) \| ([a-z]+)", PAGE, re.MULTILINE)
    assert dict(rows) == {code: info.severity for code, info in CODES.items()}


@pytest.mark.parametrize("code", sorted(CODES))
def test_an_example_shows_its_code(code: str) -> None:
    text = SECTIONS[code]
    text = text if text.startswith('{"Statement"') else f'{{"Statement": [{text}]}}'
    found = {finding.code: finding for finding in lint_documents([("example.json", text)])}
    assert code in found
    says_corrected = "*Corrected:*" in PAGE.partition(f"### {code}\n")[2].partition("\n### ")[0]
    assert says_corrected is (found[code].corrected is not None or code == "unknown-key")


def test_the_shape_of_the_json_is_that_of_a_finding() -> None:
    block = PAGE.partition("## JSON and Python")[2].partition("```json\n")[2].partition("```")[0]
    shown = json.loads(block)["findings"][0]
    assert set(shown) == {field.name for field in fields(LintFinding)}
