"""binder/: what Binder starts sees the embedded AWS and the sample notebooks."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from tests.support import environments


def test_the_start_command_points_aws_at_the_embedded_one(tmp_path: Path) -> None:
    code = (
        "import boto3, json, os;"
        "subnets = boto3.client('ssm').get_parameter(Name='sm-mlops-dev-private-subnet-ids');"
        "print(json.dumps([os.environ['AWS_ENDPOINT_URL'], subnets['Parameter']['Value']]))"
    )
    start = environments.ROOT / "binder" / "start"
    printed = environments.run(sys.executable, start, sys.executable, "-c", code, cwd=tmp_path)
    endpoint, subnets = json.loads(printed.splitlines()[-1])
    assert endpoint.startswith("http://127.0.0.1:")
    assert subnets.startswith("subnet-")
    assert (tmp_path / "demo-work").is_dir()
