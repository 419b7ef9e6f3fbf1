"""The guard's cost per request against botocore's own client-side work, and its load time.

No network: a ``before-send`` handler answers in place of the server, so that what is measured is
what the client does (endpoint, validation, serialising, signing, parsing). With and without the
guard alternate in one run; only the ratio travels between machines.
"""

from __future__ import annotations

import contextlib
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from .bench_iam import SUBNETS, documents

ROUNDS = 40
CALLS = 50
LOADS = 15
RESULTS = Path(__file__).parent / "results"
KEY = "arn:aws:kms:eu-west-1:123456789012:key/1111aaaa-22bb-33cc-44dd-5555eeee6666"
REQUEST: dict[str, Any] = {
    "TrainingJobName": "abalone-2026-11-22-10-41",
    "AlgorithmSpecification": {
        "TrainingImage": "123456789012.dkr.ecr.eu-west-1.amazonaws.com/xgboost:1.7",
        "TrainingInputMode": "File",
    },
    "RoleArn": "arn:aws:iam::123456789012:role/sm-mlops-dev-execution-role",
    "InputDataConfig": [
        {
            "ChannelName": channel,
            "DataSource": {
                "S3DataSource": {
                    "S3DataType": "S3Prefix",
                    "S3Uri": f"s3://sm-mlops-dev-eu-west-1-data/{channel}",
                    "S3DataDistributionType": "FullyReplicated",
                }
            },
            "ContentType": "text/csv",
        }
        for channel in ("train", "validation")
    ],
    "OutputDataConfig": {"S3OutputPath": "s3://sm-mlops-dev-eu-west-1-models/", "KmsKeyId": KEY},
    "ResourceConfig": {
        "InstanceType": "ml.m5.xlarge",
        "InstanceCount": 1,
        "VolumeSizeInGB": 30,
        "VolumeKmsKeyId": KEY,
    },
    "VpcConfig": {
        "Subnets": SUBNETS[:2],
        "SecurityGroupIds": ["sg-0da8aaaaaaaaaaaa3"],
    },
    "StoppingCondition": {"MaxRuntimeInSeconds": 86400},
    "EnableNetworkIsolation": True,
    "EnableInterContainerTrafficEncryption": True,
    "HyperParameters": {"max_depth": "5", "eta": "0.2", "objective": "reg:linear"},
    "Environment": {"STAGE": "dev"},
    "Tags": [{"Key": "project", "Value": "secure-mlops-demo"}],
}
ROLE = "arn:aws:iam::123456789012:role/sm-mlops-dev-analyst"
DOCUMENTS = documents()
SCPS = DOCUMENTS["scps"]
PROFILE = {
    "subnets": REQUEST["VpcConfig"]["Subnets"],
    "security_groups": REQUEST["VpcConfig"]["SecurityGroupIds"],
    "volume_kms_key": KEY,
    "output_kms_key": KEY,
}
IDENTITY = b"<R><GetCallerIdentityResult><Account>1</Account></GetCallerIdentityResult></R>"
LOAD = """
import sys, time
import ipykernel.ipkernel, comm
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance()
start = time.perf_counter()
import secure_ml_ext
secure_ml_ext.load_ipython_extension(shell)
took = time.perf_counter() - start
loaded = [name for name in ("botocore", "boto3", "msgspec", "yaml") if name in sys.modules]
print(took * 1e3, ",".join(loaded) or "-")
"""


def client(service: str, body: bytes) -> Any:
    """Return a client whose requests are answered in this process."""
    import boto3
    from botocore.awsrequest import AWSResponse

    class Raw:
        def stream(self, **_: Any) -> Any:
            yield body

    made = boto3.Session(
        aws_access_key_id="testing", aws_secret_access_key="testing", region_name="eu-west-1"
    ).client(service)
    made.meta.events.register(
        "before-send", lambda request, **_: AWSResponse(request.url, 200, {}, Raw())
    )
    return made


def microseconds(call: Callable[[], Any], number: int = CALLS) -> float:
    """Return the median time of one call in a short series.

    Every call is timed by itself: a median of calls forgets those during which another
    program had the processor, a mean of a series does not.
    """
    times = []
    for _ in range(number):
        start = time.perf_counter_ns()
        call()
        times.append(time.perf_counter_ns() - start)
    return statistics.median(times) / 1e3


def compare(call: Callable[[], Any], on: Callable[[], None], off: Callable[[], None]) -> Any:
    """Return (without, with) per round, measured in turns."""
    pairs = []
    for _ in range(ROUNDS):
        off()
        without = microseconds(call)
        on()
        pairs.append((without, microseconds(call)))
    off()
    return pairs


def summary(values: list[float]) -> dict[str, float]:
    """Return median and spread (the quartiles)."""
    low, middle, high = statistics.quantiles(values, n=4)
    return {"median": round(middle, 2), "q1": round(low, 2), "q3": round(high, 2)}


def hook_cost(folder: str) -> dict[str, Any]:
    """Measure calls with and without the guard: a Create, a read, another service."""
    from secure_ml_ext.guard import Guard, hook
    from secure_ml_ext.rules import load_config

    sagemaker = client("sagemaker", b'{"TrainingJobArn": "arn:aws:sagemaker:::training-job/a"}')
    reads = client("sagemaker", b'{"TrainingJobSummaries": []}')
    other = client("sts", IDENTITY)
    config = load_config()
    modes = {
        "observe": Guard(spool=Path(folder) / "observe.jsonl", config=config),
        "warn, compliant, shown": Guard(
            spool=Path(folder) / "warn.jsonl", config=config, presenter=_rendered
        ),
    }
    bundle = Path(folder) / "policies.json"
    bundle.write_text(json.dumps({"principals": {ROLE: policies()}, "scps": SCPS}))
    asked = replace(config, policies=str(bundle))
    modes["warn, compliant, policies, shown"] = Guard(
        spool=Path(folder) / "policies.jsonl", config=asked, presenter=_rendered
    )
    modes["observe"].set_mode("observe")
    result: dict[str, Any] = {}
    for label, guard in modes.items():
        result[f"CreateTrainingJob, {label}"] = _pair(
            compare(lambda: sagemaker.create_training_job(**REQUEST), _on(guard), hook.uninstall)
        )
    guard = modes["observe"]
    result["ListTrainingJobs"] = _pair(
        compare(reads.list_training_jobs, _on(guard), hook.uninstall)
    )
    result["sts GetCallerIdentity"] = _pair(
        compare(other.get_caller_identity, _on(guard), hook.uninstall)
    )
    engine = guard.engine()
    engine.check("CreateTrainingJob", REQUEST)
    checks = [
        microseconds(lambda: engine.check("CreateTrainingJob", REQUEST)) for _ in range(ROUNDS)
    ]
    result["check alone"] = {"added_us": summary(checks)}
    result["check with policies"] = {"added_us": summary(_with_policies())}
    for guard in modes.values():
        guard.journal.close()
    return result


def policies() -> dict[str, Any]:
    """Return identity and boundary of the 20 statements over four layers."""
    return {name: DOCUMENTS[name] for name in ("identity", "boundary")}


def _with_policies() -> list[float]:
    """Time the whole check, rules and IAM, as the hook makes it: 20 statements, role passed."""
    from secure_ml_ext.check import Caller, check_request
    from secure_ml_ext.iam import PolicyBundle
    from secure_ml_ext.rules import Baseline, profile_from_dict, rules_in_force

    compiled = PolicyBundle.from_dict({"principals": {ROLE: policies()}, "scps": SCPS})
    caller = Caller("123456789012", "eu-west-1", ROLE, {"team": "credit"})
    profile, baseline = profile_from_dict({"values": PROFILE}, "bench"), Baseline(rules_in_force())

    def check() -> Any:
        return check_request(
            "CreateTrainingJob",
            REQUEST,
            profile=profile,
            rules=baseline,
            bundle=compiled,
            caller=caller,
        )

    assert check().subjects[0].iam.verdict == "allowed", check().subjects[0].iam
    return [microseconds(check) for _ in range(ROUNDS)]


def _rendered(what: Any) -> None:
    """Build what a kernel would publish; the socket is not this product's cost."""
    from secure_ml_ext.guard.inline import bundle

    bundle(what)


def _on(guard: Any) -> Callable[[], None]:
    from secure_ml_ext.guard import hook

    return lambda: hook.install(guard) and None


def _pair(pairs: list[tuple[float, float]]) -> dict[str, Any]:
    added = [with_ - without for without, with_ in pairs]
    return {
        "botocore_us": summary([without for without, _ in pairs]),
        "added_us": summary(added),
        "ratio": round(statistics.median(added) / statistics.median(p[0] for p in pairs), 3),
    }


def load_time() -> dict[str, Any]:
    """Measure ``load_ipython_extension`` in new processes that have IPython and ipykernel."""
    with tempfile.TemporaryDirectory() as compiled:
        environment = {**os.environ, "PYTHONPYCACHEPREFIX": compiled}
        environment.pop("PYTHONDONTWRITEBYTECODE", None)  # an installed package is compiled
        times, loaded = [], set()
        for number in range(LOADS + 1):
            out = subprocess.run(
                [sys.executable, "-W", "ignore", "-c", LOAD],
                capture_output=True,
                text=True,
                check=True,
                env=environment,
            ).stdout.split()
            if number:  # the first one compiles
                times.append(float(out[0]))
                loaded.add(out[1])
    return {"load_ms": summary(times), "heavy_modules_imported": sorted(loaded)}


def machine() -> dict[str, Any]:
    """Return what the numbers depend on."""
    import botocore

    model = next(
        (line.partition(":")[2].strip() for line in _cpuinfo() if line.startswith("model name")),
        platform.processor(),
    )
    return {
        "processor": model,
        "cores": os.cpu_count(),
        "load_average": round(os.getloadavg()[0], 2),
        "system": platform.system(),
        "python": platform.python_version(),
        "botocore": botocore.__version__,
    }


def _cpuinfo() -> list[str]:
    with contextlib.suppress(OSError):
        return Path("/proc/cpuinfo").read_text().splitlines()
    return []


def main() -> dict[str, Any]:
    """Measure, print, and write a result file."""
    with tempfile.TemporaryDirectory() as folder:
        profile = Path(folder) / "profile.json"
        profile.write_text(json.dumps(PROFILE))
        os.environ.update(
            SECURE_ML_PROFILE=str(profile),
            XDG_CACHE_HOME=folder,
            XDG_CONFIG_HOME=folder,
            AWS_EC2_METADATA_DISABLED="true",
        )
        measured = hook_cost(folder)
    measured["load"] = load_time()
    result = {
        "benchmark": "guard",
        "date": datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "machine": machine(),
        "rounds": ROUNDS,
        "calls_per_round": CALLS,
        "measured": measured,
    }
    print("The guard: what it adds to a call's client-side work (median, quartiles)")
    for name, found in measured.items():
        if "ratio" in found:
            base, added = found["botocore_us"], found["added_us"]
            print(
                f"  {name:<42} botocore {base['median']:7.1f} µs  guard +{added['median']:6.1f} µs "
                f"({added['q1']:.1f} to {added['q3']:.1f})   ratio {found['ratio']:.3f}"
            )
    print(f"  the check alone {measured['check alone']['added_us']['median']} µs")
    policies_us = measured["check with policies"]["added_us"]
    print(
        f"  the check with 20 statements over 4 layers and iam:PassRole "
        f"{policies_us['median']} µs ({policies_us['q1']} to {policies_us['q3']})"
    )
    load = measured["load"]
    print(
        f"  loading {load['load_ms']['median']} ms "
        f"({load['load_ms']['q1']} to {load['load_ms']['q3']}), "
        f"of botocore, boto3, msgspec, yaml imported: {', '.join(load['heavy_modules_imported'])}"
    )
    RESULTS.mkdir(exist_ok=True)
    place = RESULTS / f"guard-{result['date'][:10]}.json"
    place.write_text(json.dumps(result, indent=2) + "\n")
    return result


if __name__ == "__main__":
    main()
