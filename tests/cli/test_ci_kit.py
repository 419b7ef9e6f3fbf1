"""The hooks, the sample buildspec and docs/ci.md: all that they run is in this command line."""

from __future__ import annotations

import ast
import inspect
import json
import re
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from secure_ml_ext.check import testing
from secure_ml_ext.cli.main import build_parser, main
from tests.worlds import training

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "ci.md").read_text(encoding="utf-8")
HOOKS: dict[str, dict[str, Any]] = {
    hook["id"]: hook for hook in yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())
}
BUILDSPEC = yaml.safe_load((ROOT / "docs" / "ci" / "buildspec.yml").read_text())
OURS = ("jupyter secure-ml", "jupyter-secure-ml")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


def arguments(line: str) -> list[str] | None:
    """Return the arguments of a command line of ours, without what the shell takes for itself."""
    for name in OURS:
        if line.strip().startswith(f"{name} "):
            words = shlex.split(line.strip()[len(name) :], comments=True)
            return words[: words.index(">")] if ">" in words else words
    return None


def strings(node: Any) -> Iterator[str]:
    """Yield the lines of every text in a YAML document."""
    if isinstance(node, str):
        yield from node.splitlines()
    elif isinstance(node, dict | list):
        for each in node.values() if isinstance(node, dict) else node:
            yield from strings(each)


def hook_lines(content: Any) -> Iterator[str]:
    """Yield what pre-commit runs for the hooks of its configuration, with a file."""
    for repository in content.get("repos", ()) if isinstance(content, dict) else ():
        for hook in repository["hooks"]:
            entry = hook.get("entry") or HOOKS[hook["id"]]["entry"]
            yield shlex.join([*entry.split(), *hook.get("args", []), "some.json"])


def documented() -> list[str]:
    """Return every command line of ours in the kit."""
    lines = [f"{hook['entry']} some.json" for hook in HOOKS.values()]
    lines += strings(BUILDSPEC["phases"])
    for block in blocks("bash"):
        lines += block.splitlines()
    for block in blocks("yaml"):
        content = yaml.safe_load(block)
        lines += hook_lines(content)
        if "jobs" in content:
            lines += strings(content["jobs"])
    lines += re.findall(r"`(jupyter[ -]secure-ml [^`]+)`", PAGE)
    return [line for line in lines if arguments(line) is not None]


def test_the_kit_has_commands() -> None:
    # 2 hooks, 4 lines of the buildspec, 5 in bash, 3 + 1 hooks of the page, 2 in the workflow,
    # 1 in the text.
    assert len(documented()) == 18


@pytest.mark.parametrize("line", documented())
def test_every_command_line_is_one_of_ours(line: str) -> None:
    words = arguments(line)
    assert words is not None
    assert callable(build_parser().parse_args(words).run)


def test_the_hooks_are_console_scripts_with_a_command_and_the_files_they_are_for() -> None:
    scripts = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"]
    assert set(HOOKS) == {"secure-ml-check", "secure-ml-lint-policy"}
    for hook in HOOKS.values():
        script, command = hook["entry"].split()
        assert script in scripts
        assert f"secure-ml-{command}" == hook["id"]
        assert hook["language"] == "python"
        assert {"name", "description"} <= set(hook)
        # One process and one report, not one per core.
        assert hook["require_serial"] is True
    assert HOOKS["secure-ml-check"]["types_or"] == ["jupyter", "python"]
    assert HOOKS["secure-ml-lint-policy"]["types"] == ["json"]


@pytest.mark.parametrize(
    ("path", "taken"),
    [
        ("policies/role.json", True),
        ("infra/IAM/execution.json", True),
        ("scp/deny.json", True),
        ("scps/level-1/deny.json", True),
        ("execution-policy.json", True),
        ("infra/RolePolicies.json", True),
        ("deny-scp.json", True),
        ("package.json", False),
        ("requests/train.json", False),
        ("iam/readme.md", False),
        ("diamonds/data.json", False),
        ("policies/role.yaml", False),
    ],
)
def test_which_files_the_lint_hook_takes(path: str, taken: bool) -> None:
    # pre-commit searches, as re.search does.
    assert bool(re.search(HOOKS["secure-ml-lint-policy"]["files"], path)) is taken


def test_the_check_hook_is_quiet_about_files_that_submit_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "setup.py").write_text("print(1)\n")
    (tmp_path / "empty.ipynb").write_text(
        json.dumps({"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5})
    )
    assert main(["check", str(tmp_path / "setup.py"), str(tmp_path / "empty.ipynb")]) == 0


def test_the_buildspec_is_one_and_stops_before_the_pipeline_runs() -> None:
    assert BUILDSPEC["version"] == 0.2
    assert list(BUILDSPEC["phases"]) == ["install", "pre_build", "build"]
    gates = [
        arguments(line)
        for line in BUILDSPEC["phases"]["pre_build"]["commands"]
        if arguments(line) and "sarif" not in line
    ]
    # check and lint-policy as they are: exit code 1 at errors.
    assert [words[0] for words in gates if words] == ["lint-policy", "check"]
    assert not any("--fail-on" in words for words in gates if words)
    (report,) = BUILDSPEC["reports"].values()
    assert report["file-format"] == "JUNITXML"
    written = f"{report['base-directory']}/{report['files'][0]}"
    assert f"--junitxml={written}" in str(BUILDSPEC["phases"]["pre_build"])


def test_sarif_is_written_even_where_nothing_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "notebooks").mkdir()
    assert main(["check", "--format", "sarif", str(tmp_path / "notebooks")]) == 0
    assert json.loads(capsys.readouterr().out)["runs"][0]["results"] == []


def test_never_keeps_the_sarif_for_the_gate_that_follows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "train.json").write_text(json.dumps(training()))
    words = ["check", "--fail-on", "never", "--format", "sarif", str(tmp_path)]
    assert main(words) == 0
    results = json.loads(capsys.readouterr().out)["runs"][0]["results"]
    # The request has no security setting: network, two keys, traffic; isolation is a warning.
    assert sorted(each["level"] for each in results) == ["error"] * 4 + ["warning"]
    assert main(["check", str(tmp_path)]) == 1


def test_the_example_for_pytest_uses_the_helper_as_it_is() -> None:
    (source,) = blocks("python")
    tree = ast.parse(source)
    known = inspect.signature(testing.assert_compliant).parameters
    (call,) = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "assert_compliant"
    ]
    assert {keyword.arg for keyword in call.keywords} <= set(known)
    for name in ("bundle", "role", "parameters", "fail_on"):
        assert name in known
