"""Configuration in levels: precedence, locks, overrides, waivers, and files that are broken."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from secure_ml_ext.check import check_request
from secure_ml_ext.rules import ProfileError, load_config, load_profile_file, rules_in_force
from secure_ml_ext.rules.config import Config
from tests.worlds import profile, training


def write(path: Path, content: Any) -> Path:
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


def load(tmp_path: Path, system: Any = None, user: Any = None, **environ: str) -> Config:
    files = [write(tmp_path / "system.json", system)] if system is not None else []
    own = tmp_path / "user.json"
    if user is not None:
        write(own, user)
    return load_config(system=files, user=own, environ=environ)


def test_without_any_file_the_guard_warns(tmp_path: Path) -> None:
    config = load(tmp_path)
    assert (config.mode, config.fail_on, config.problems) == ("warn", "error", ())


def test_the_administrator_wins_over_user_and_environment(tmp_path: Path) -> None:
    config = load(tmp_path, {"mode": "block"}, {"mode": "observe"}, SECURE_ML_MODE="fix")
    assert config.mode == "block"
    config = load(tmp_path, {}, {"mode": "observe"}, SECURE_ML_MODE="fix")
    assert config.mode == "observe"
    assert (
        load_config(system=[], user=tmp_path / "none", environ={"SECURE_ML_MODE": "fix"}).mode
        == "fix"
    )


def test_a_locked_key_cannot_be_set_below(tmp_path: Path) -> None:
    system = {"locked": ["mode", "rules.job-isolation", "waivers"]}
    user = {
        "mode": "observe",
        "rules": {"job-isolation": {"severity": "off"}, "training-vpc": {"severity": "warning"}},
        "waivers": [{"rule": "*", "scope": "*", "reason": "no"}],
    }
    config = load(tmp_path, system, user)
    assert config.mode == "warn"
    assert set(config.rules) == {"training-vpc"}
    assert config.waivers == ()
    assert len(config.problems) == 3
    assert all("locked" in problem for problem in config.problems)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("{not json", "system.json"),
        ({"mode": "loud"}, "mode"),
        ({"modes": "warn"}, "modes"),
        ({"rules": {"no-such-rule": {"severity": "off"}}}, "no-such-rule"),
        ({"locked": ["everything"]}, "everything"),
        ({"waivers": [{"rule": "a", "scope": "*", "reason": "r", "expires": "soon"}]}, "soon"),
    ],
)
def test_a_broken_file_is_named_and_does_not_stop_the_check(
    tmp_path: Path, content: Any, said: str
) -> None:
    config = load(tmp_path, content)
    assert said in " ".join(config.problems)
    assert config.mode == "warn"


def test_a_wrong_environment_value_is_named(tmp_path: Path) -> None:
    config = load(tmp_path, SECURE_ML_MODE="loud", SECURE_ML_FAIL_ON="warning")
    assert "SECURE_ML_MODE" in config.problems[0]
    assert config.fail_on == "warning"


def test_an_organisation_overrides_severities(tmp_path: Path) -> None:
    config = load(
        tmp_path,
        {"rules": {"job-isolation": {"severity": "error"}, "training-vpc": {"severity": "off"}}},
    )
    report = check_request(
        "CreateTrainingJob", training(), profile=profile(), rules=rules_in_force(config)
    )
    found = {f.rule: f.severity for f in report.subjects[0].findings}
    assert found["job-isolation"] == "error"
    assert "training-vpc" not in found
    # As an error, isolation is part of the merged fix.
    assert "/EnableNetworkIsolation" in {op.path for op in report.subjects[0].fix}


def test_a_waiver_silences_visibly_until_its_date(tmp_path: Path) -> None:
    waiver = {
        "rule": "training-vpc",
        "scope": "CreateTrainingJob/abalone-*",
        "reason": "public data",
        "ticket": "SEC-1",
        "expires": "2999-12-31",
    }
    config = load(
        tmp_path,
        {"waivers": [waiver, {**waiver, "rule": "training-output-kms", "expires": "2001-01-01"}]},
    )
    report = check_request(
        "CreateTrainingJob", training(), profile=profile(), waivers=config.waivers
    )
    found = {f.rule: f for f in report.subjects[0].findings}
    kept = found["training-vpc"].waiver
    assert kept is not None
    assert kept.ticket == "SEC-1"
    assert found["training-output-kms"].waiver is None
    assert report.summary.error == 3
    assert {c.control: c.state for c in report.subjects[0].controls}["vpc"] == "exempt"
    assert not any(op.path == "/VpcConfig" for op in report.subjects[0].fix)


def test_a_profile_file_takes_plain_values_and_lists_as_text(tmp_path: Path) -> None:
    path = write(
        tmp_path / "p.json",
        {"subnets": "subnet-1, subnet-2", "volume_kms_key": "", "values": {"vpc_id": "vpc-1"}},
    )
    found = load_profile_file(path)
    assert found.get("subnets") == ["subnet-1", "subnet-2"]
    assert found.get("volume_kms_key") is None
    assert found.source("vpc_id") == str(path)
    yaml = write(tmp_path / "p.yaml", "security_groups: [sg-1]\n")
    assert load_profile_file(yaml).get("security_groups") == ["sg-1"]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("[1]", "JSON object"),
        ({"subnet": "x"}, "subnet"),
        ({"subnets": [1]}, "list of strings"),
        ({"schema": "secure-ml/profile@9"}, "secure-ml/profile@1"),
        ("{", "not readable as JSON"),
    ],
)
def test_a_broken_profile_file_is_refused_with_the_place(
    tmp_path: Path, content: Any, said: str
) -> None:
    path = write(tmp_path / "p.json", content)
    with pytest.raises(ProfileError, match=r"p\.json") as caught:
        load_profile_file(path)
    assert said in str(caught.value)
