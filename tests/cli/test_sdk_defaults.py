"""``jupyter secure-ml sdk-defaults``: what is written where, and what is said about it."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
import yaml

from secure_ml_ext.check.sdk_coverage import COVERAGE
from secure_ml_ext.cli.main import main
from tests.worlds import GROUPS, OUTPUT_KEY, SUBNETS, VOLUME_KEY

PROFILE: dict[str, Any] = {
    "subnets": SUBNETS,
    "security_groups": GROUPS,
    "volume_kms_key": VOLUME_KEY,
    "output_kms_key": OUTPUT_KEY,
}


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty home, with nothing of this machine's configuration."""
    for name in list(os.environ):
        if name.startswith(("SECURE_ML", "XDG_", "SAGEMAKER_", "AWS_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_DIRS", str(tmp_path / "etc"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def saved(home: Path, **changes: Any) -> str:
    path = home / "profile.json"
    path.write_text(json.dumps({**PROFILE, **changes}))
    return str(path)


def run(*words: str) -> int:
    """Run the command; argparse leaves by SystemExit."""
    try:
        return main(["sdk-defaults", *words])
    except SystemExit as error:
        return int(error.code or 0)


def test_yaml_and_json_hold_the_same(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--profile", saved(home)) == 0
    as_yaml = capsys.readouterr().out
    assert run("--profile", saved(home), "--format", "json") == 0
    as_json = capsys.readouterr().out
    assert yaml.safe_load(as_yaml) == json.loads(as_json) == yaml.safe_load(as_json)
    assert yaml.safe_load(as_yaml)["SageMaker"]["Model"]["VpcConfig"]["Subnets"] == SUBNETS
    # Aliases (&id001) would be read, and are hard to read.
    assert "&id" not in as_yaml
    assert f"# subnets: {home}/profile.json\n" in as_yaml


def test_all_that_is_ignored_is_said(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run("--profile", saved(home))
    said = capsys.readouterr().err
    assert "What SDK v2 ignores" in said
    assert "What SDK v3 ignores" in said
    for line in COVERAGE:
        if line.ignored:
            assert f"{line.how}: " in said
    assert "boto3, the AWS CLI" in said
    assert "isolation is not in the file" in said
    assert "missing: " not in said


def test_missing_values_are_named_with_where_they_were_sought(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = saved(home, security_groups=[], volume_kms_key=None)
    assert run("--profile", path) == 1
    out, err = capsys.readouterr()
    assert f"missing: security_groups (security groups): looked in {path}\n" in err
    assert f"missing: volume_kms_key (KMS key for volumes): looked in {path}\n" in err
    assert "missing: subnets" not in err
    assert "VpcConfig" not in out
    assert OUTPUT_KEY in out


def test_with_no_profile_at_all_every_value_is_missing(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run() == 1
    err = capsys.readouterr().err
    assert err.count("missing: ") == 4
    assert "looked in " in err


def test_isolation_by_option_and_by_rule(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run("--profile", saved(home), "--isolation", "--format", "json")
    out, err = capsys.readouterr()
    content = json.loads(out)["SageMaker"]
    assert content["TrainingJob"]["EnableNetworkIsolation"] is True
    assert content["Model"]["EnableNetworkIsolation"] is True
    assert "isolation is not in the file" not in err
    config = home / ".config" / "secure-ml" / "config.json"
    config.parent.mkdir(parents=True)
    config.write_text(
        json.dumps(
            {"schema": "secure-ml/config@1", "rules": {"job-isolation": {"severity": "error"}}}
        )
    )
    run("--profile", saved(home), "--format", "json")
    content = json.loads(capsys.readouterr().out)["SageMaker"]
    assert content["TrainingJob"]["EnableNetworkIsolation"] is True
    assert "EnableNetworkIsolation" not in content["Model"]


def test_for_v2_alone(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run("--profile", saved(home), "--sdk", "v2", "--format", "json")
    out, err = capsys.readouterr()
    transform = json.loads(out)["SageMaker"]["TransformJob"]
    assert transform["TransformResources"] == {"VolumeKmsKeyId": VOLUME_KEY}
    assert "SDK v3" not in err
    assert "Transformer.transform()" not in err


def test_the_users_file_is_written_once_and_never_over_another(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = home / ".config" / "sagemaker" / "config.yaml"
    assert run("--profile", saved(home), "--user") == 0
    out, err = capsys.readouterr()
    assert out == ""
    assert f"written: {target}\n" in err
    first = target.read_text()
    assert run("--profile", saved(home), "--user") == 0
    assert f"unchanged: {target}\n" in capsys.readouterr().err

    target.write_text("SchemaVersion: '1.0'\n")
    assert run("--profile", saved(home), "--user") == 2
    err = capsys.readouterr().err
    assert f"{target} exists and holds other settings; nothing is merged" in err
    assert "--force" in err
    assert target.read_text() == "SchemaVersion: '1.0'\n"
    assert run("--profile", saved(home), "--user", "--force") == 0
    assert target.read_text() == first


@pytest.mark.parametrize("folder", [True, False])
def test_the_users_file_is_where_the_variable_says(
    folder: bool, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = home / "mine" / ("config.yaml" if folder else "sdk.yaml")
    target.parent.mkdir()
    named = target.parent if folder else target
    monkeypatch.setenv("SAGEMAKER_USER_CONFIG_OVERRIDE", str(named))
    assert run("--profile", saved(home), "--user") == 0
    assert yaml.safe_load(target.read_text())["SchemaVersion"] == "1.0"


@pytest.mark.parametrize("named", ["s3://bucket/config.yaml", ""])
def test_a_variable_that_names_no_file_is_said(
    named: str, home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SAGEMAKER_USER_CONFIG_OVERRIDE", named)
    assert run("--profile", saved(home), "--user") == 2
    assert "unset" in capsys.readouterr().err


def test_a_file_of_ones_own_choice(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--profile", saved(home), "--output", "made/sdk.yaml") == 0
    assert capsys.readouterr().out == ""
    assert yaml.safe_load(Path("made/sdk.yaml").read_text())["SchemaVersion"] == "1.0"
    Path("made/sdk.yaml").write_bytes(b"\xff")
    assert run("--profile", saved(home), "--output", "made/sdk.yaml") == 2


def test_bad_usage_exits_2_with_the_reason(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    many = home / "many.json"
    many.write_text(json.dumps({**PROFILE, "subnets": ["a"] * 17}))
    for words, said in (
        (["--user", "--output", "x"], "not allowed with"),
        (["--profile", "nowhere.json"], "nowhere.json: cannot be read"),
        (["--profile", saved(home), "--output", str(home)], "cannot be written"),
        (["--profile", str(many)], "17 entries"),
        (["--format", "toml"], "invalid choice"),
    ):
        assert run(*words) == 2, words
        assert said in capsys.readouterr().err, words


def test_a_source_cannot_leave_its_comment(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = {"value": VOLUME_KEY, "source": "ssm:x\nSageMaker: {}\u2028y: 1\u0085z: 2"}
    assert run("--profile", saved(home, volume_kms_key=source)) == 0
    content = yaml.safe_load(capsys.readouterr().out)
    assert set(content) == {"SchemaVersion", "SageMaker"}
    assert content["SageMaker"]["TrainingJob"]["ResourceConfig"] == {"VolumeKmsKeyId": VOLUME_KEY}
