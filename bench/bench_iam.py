"""One IAM evaluation, ours against ``@cloud-copilot/iam-simulate``, on the same cases in one run.

Ours compiles a bundle once and evaluates many requests; the oracle reads the policies in each
call, because that is its only form. Both are timed inside their own process: the oracle's raw
simulation (``runUnsafeSimulation``, a verdict alone) and, where it takes the case, the validated
one (``runSimulation``, with the statements). ``with reasons`` reads our statements as well.
"""

from __future__ import annotations

import json
import os
import platform
import random
import shutil
import statistics
import subprocess
import time
from collections.abc import Callable
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from secure_ml_ext.iam import PolicyBundle, evaluate
from tests.iam import random_cases
from tests.iam.oracle import for_oracle

ROUNDS = 15
CASES = 300
ORACLE = Path(__file__).parents[1] / "tests" / "oracle" / "oracle.mjs"
RESULTS = Path(__file__).parent / "results"
KEY = "arn:aws:kms:eu-west-1:123456789012:key/1111aaaa-22bb-33cc-44dd-5555eeee6666"
SUBNETS = [f"subnet-0fc1aaaaaaaaaaaa{number}" for number in range(3)]
JOBS = ["CreateTrainingJob", "CreateProcessingJob", "CreateHyperParameterTuningJob"]
Case = dict[str, Any]


def documents() -> dict[str, Any]:
    """Return 20 statements over four layers: identity, boundary and two levels of SCPs."""

    def deny(operator: str, key: str, value: Any) -> dict[str, Any]:
        actions = [f"sagemaker:{job}" for job in JOBS]
        condition = {operator: {f"sagemaker:{key}": value}}
        return {"Effect": "Deny", "Action": actions, "Resource": "*", "Condition": condition}

    def document(*statements: dict[str, Any]) -> dict[str, Any]:
        return {"Version": "2012-10-17", "Statement": list(statements)}

    def allow(action: Any, resource: Any = "*") -> dict[str, Any]:
        return {"Effect": "Allow", "Action": action, "Resource": resource}

    account = "arn:aws:sagemaker:*:123456789012:"
    return {
        "identity": [
            document(
                allow([f"sagemaker:{job}" for job in JOBS], f"{account}*-job/${{aws:username}}-*"),
                allow([f"sagemaker:{job}" for job in JOBS], f"{account}*"),
                allow(["sagemaker:List*", "sagemaker:Describe*"]),
                allow(["s3:GetObject", "s3:PutObject"], "arn:aws:s3:::sm-mlops-*/*"),
                allow(["kms:CreateGrant", "kms:Decrypt"], "arn:aws:kms:*:123456789012:*"),
                allow("iam:PassRole", "arn:aws:iam::123456789012:role/sm-mlops-*"),
                allow("logs:*"),
                allow("ecr:Get*"),
            )
        ],
        "boundary": [document(allow(["sagemaker:*", "s3:*", "kms:*", "iam:PassRole"]))],
        "scps": [
            [
                document(allow("*")),
                document(
                    deny("Null", "VpcSubnets", "true"),
                    deny("Null", "VolumeKmsKeyArn", "true"),
                    deny("Null", "OutputKmsKeyArn", "true"),
                    deny("ForAnyValue:StringNotEquals", "VpcSubnets", SUBNETS),
                    deny("Bool", "InterContainerTrafficEncryption", "false"),
                ),
            ],
            [
                document(allow("*")),
                document(
                    deny("ArnNotLike", "VolumeKmsKeyArn", "arn:aws:kms:*:123456789012:key/*"),
                    deny("NumericGreaterThan", "MaxRuntimeInSeconds", "172800"),
                    deny("ForAnyValue:StringLike", "InstanceTypes", ["ml.p4d.*", "ml.p5.*"]),
                    deny("StringNotEqualsIfExists", "NetworkIsolation", "true"),
                ),
            ],
        ],
    }


def typical() -> list[Case]:
    """Return compliant and other requests of the seeds' kind against ``documents``."""
    good = {
        "aws:PrincipalArn": "arn:aws:iam::123456789012:role/sm-mlops-dev-execution-role",
        "aws:username": "david",
        "aws:RequestedRegion": "eu-west-1",
        "sagemaker:VpcSubnets": SUBNETS[:2],
        "sagemaker:VpcSecurityGroupIds": ["sg-0da8aaaaaaaaaaaa3"],
        "sagemaker:VolumeKmsKeyArn": KEY,
        "sagemaker:OutputKmsKeyArn": KEY,
        "sagemaker:InstanceTypes": ["ml.m5.xlarge"],
        "sagemaker:MaxRuntimeInSeconds": "86400",
        "sagemaker:NetworkIsolation": "true",
        "sagemaker:InterContainerTrafficEncryption": "true",
    }
    changes: list[dict[str, Any]] = [{}, {"sagemaker:VpcSubnets": ["subnet-x"]}]
    changes.append({"sagemaker:NetworkIsolation": "false"})
    bundle = documents()
    return [
        {
            "bundle": bundle,
            "action": f"sagemaker:{JOBS[0]}",
            "resource": "arn:aws:sagemaker:eu-west-1:123456789012:training-job/abalone-1",
            "context": {**good, **change},
        }
        for change in changes
    ]


def spread(values: list[float]) -> dict[str, float]:
    """Return median and quartiles, in microseconds."""
    low, middle, high = statistics.quantiles(values, n=4)
    return {"median": round(middle, 2), "q1": round(low, 2), "q3": round(high, 2)}


def ours(cases: list[Case]) -> dict[str, list[float]]:
    """Time our evaluation: microseconds per case, one value per round."""
    compiled = {id(each["bundle"]): PolicyBundle.from_dict(each["bundle"]) for each in cases}
    asked = [
        (compiled[id(each["bundle"])], each["action"], each["resource"], each["context"])
        for each in cases
    ]
    repeat = max(1, CASES // len(asked))

    def round_of(run: Callable[..., Any]) -> float:
        start = time.perf_counter_ns()
        for _ in range(repeat):
            for each in asked:
                run(*each)
        return (time.perf_counter_ns() - start) / 1e3 / len(asked) / repeat

    ways: dict[str, Callable[..., Any]] = {
        "verdict": evaluate,
        "with reasons": lambda *each: evaluate(*each).statements,
    }
    for run in ways.values():
        round_of(run)
    times: dict[str, list[float]] = {way: [] for way in ways}
    for _ in range(ROUNDS):
        for way, run in ways.items():
            times[way].append(round_of(run))
    return times


def oracle(cases: list[Case]) -> dict[str, Any]:
    """Time the oracle on the same cases."""
    node = shutil.which("node") or shutil.which("nodejs")
    if node is None:
        raise SystemExit("Node.js is needed for the comparison; run `make bench`")
    repeat = max(1, CASES // len(cases))
    lines = "\n".join(json.dumps(for_oracle(each)) for each in cases * repeat)
    done = subprocess.run(
        [node, ORACLE, "bench", str(ROUNDS)],
        input=lines,
        capture_output=True,
        text=True,
        check=True,
    )
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def compare(cases: list[Case]) -> dict[str, Any]:
    """Measure both, half of ours before the oracle and half after it."""
    first = ours(cases)
    theirs = oracle(cases)
    second = ours(cases)
    mine = {way: spread(first[way] + second[way]) for way in first}
    oracles = {way: spread(times) for way, times in theirs["us"].items()}
    ratios = {
        f"{way} / {other}": round(found["median"] / mine[way]["median"], 1)
        for way in mine
        for other, found in oracles.items()
    }
    return {"ours_us": mine, "oracle_us": oracles, "ratio": ratios, "node": theirs["node"]}


def machine() -> dict[str, Any]:
    """Return what the numbers depend on."""
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "load_average": round(os.getloadavg()[0], 2),
        "system": platform.system(),
        "python": platform.python_version(),
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.processor())


def main() -> dict[str, Any]:
    """Measure, print, and write a result file."""
    rng = random.Random(20261122)
    sets = {
        "20 statements, 4 layers": typical(),
        "random policies": [random_cases.case(rng) for _ in range(CASES)],
    }
    result = {
        "benchmark": "iam",
        "date": datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "machine": machine(),
        "rounds": 2 * ROUNDS,
        "measured": {name: compare(cases) for name, cases in sets.items()},
    }
    print("One IAM evaluation (median, quartiles), and how often it fits into one of the oracle's")
    for name, found in result["measured"].items():
        print(f"  {name}")
        for way, times in (*found["ours_us"].items(), *found["oracle_us"].items()):
            whose = "ours" if way in found["ours_us"] else "oracle"
            print(
                f"    {whose:>6} {way:<13} {times['median']:9.2f} µs "
                f"({times['q1']:.2f} to {times['q3']:.2f})"
            )
        print("    ratio " + ", ".join(f"{way} {value}" for way, value in found["ratio"].items()))
    RESULTS.mkdir(exist_ok=True)
    place = RESULTS / f"iam-{result['date'][:10]}.json"
    place.write_text(json.dumps(result, indent=2) + "\n")
    return result


if __name__ == "__main__":
    main()
