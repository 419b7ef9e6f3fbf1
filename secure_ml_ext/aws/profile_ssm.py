"""Profile sources in SSM Parameter Store: the naming schemes of AWS's two reference systems.

``{EnvironmentName}-{EnvironmentType}-{parameter}`` is the scheme of
aws-samples/amazon-sagemaker-secure-mlops; ``ds-…`` that of
aws-samples/amazon-sagemaker-studio-secure-data-science-workshop. Neither uses paths,
so ``GetParametersByPath`` cannot read them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from .gather import Asker, Gathered
from .profile_studio import Place
from .records import Problem

_BATCH = 10  # what GetParameters takes at most

# value -> the parameters that hold it, best first.
_MLOPS: dict[str, tuple[str, ...]] = {
    "subnets": ("private-subnet-ids",),
    "security_groups": ("sagemaker-sg-ids",),
    "vpc_id": ("vpc-id",),
    "volume_kms_key": ("kms-ebs-key-arn",),
    "output_kms_key": ("kms-s3-key-arn",),
    "capture_kms_key": ("kms-s3-key-arn",),
    "efs_kms_key": ("kms-efs-key-arn",),
    "pipeline_role": ("sm-pipeline-execution-role-arn",),
    "data_bucket": ("data-bucket-name",),
    "model_bucket": ("model-bucket-name",),
    "s3_vpce": ("s3-vpce-id",),
    "kms_vpce": ("kms-vpce-id",),
    "domain_id": ("sagemaker-domain-id",),
    "policies": ("secure-ml-policies",),
}
# Read together when private-subnet-ids is missing.
_MLOPS_SUBNETS = tuple(f"private-sn-{number}a-id" for number in range(1, 5))

# value -> the workshop's names; the first group is what tells several environments apart.
_WORKSHOP: dict[str, tuple[str, ...]] = {
    "subnets": (r"ds-subnet-[a-c]-(.+)-id",),
    "security_groups": (r"ds-sagemaker-vpc-sg-(.+)-id",),
    "vpc_id": (r"ds-vpc-(.+)-id",),
    "s3_vpce": (r"ds-s3-endpoint-(.+)-id",),
    "volume_kms_key": (r"ds-kms-cmk-(.+)-arn",),
    "output_kms_key": (r"ds-kms-cmk-(.+)-arn",),
    "capture_kms_key": (r"ds-kms-cmk-(.+)-arn",),
    "data_bucket": (r"ds-s3-data-bucket-(.+)",),
    "model_bucket": (r"ds-s3-model-artifact-bucket-(.+)",),
    "policies": (r"ds-secure-ml-policies-(.+)",),
}
_WORKSHOP_PREFIX = "ds-"
_MAX_PAGES = 20


def from_mlops_parameters(asker: Asker, place: Place) -> Gathered:
    """Read the parameters of the environment ``place`` names, e.g. ``sm-mlops-dev-vpc-id``."""
    gathered = Gathered()
    if place.environment is None:
        for value, parameters in _MLOPS.items():
            gathered.asked(
                value,
                f"ssm:<environment>-{parameters[0]} (no domain tags EnvironmentName and "
                "EnvironmentType, and SECURE_ML_ENVIRONMENT is not set)",
            )
        return gathered
    start = f"{place.environment}-"
    wanted = {start + parameter for names in _MLOPS.values() for parameter in names}
    wanted |= {start + parameter for parameter in _MLOPS_SUBNETS}
    found = _read(asker, sorted(wanted))
    for value, parameters in _MLOPS.items():
        for parameter in parameters:
            name = start + parameter
            gathered.put(value, found.get(name), f"ssm:{name}")
    if "subnets" not in gathered.values:
        single = [found[start + name] for name in _MLOPS_SUBNETS if found.get(start + name)]
        gathered.put("subnets", single, f"ssm:{start}private-sn-1a-id … 4a-id")
    return gathered


def from_workshop_parameters(asker: Asker, place: Place) -> Gathered:
    """Read the workshop's parameters; where several environments exist, the one that is ours.

    "Ours" is told by the names of the environment, its type and the team. If that does
    not decide it, the value stays missing and a problem lists the candidates.
    """
    gathered = Gathered()
    names = _names(asker)
    chosen: dict[str, list[str]] = {}
    for value, patterns in _WORKSHOP.items():
        shown = _shown(patterns[0])
        by_suffix: dict[str, list[str]] = {}
        for name in names:
            match = re.fullmatch(patterns[0], name)
            if match is not None:
                by_suffix.setdefault(match.group(1), []).append(name)
        suffix = _ours(by_suffix, place)
        if suffix is not None:
            chosen[value] = sorted(by_suffix[suffix])
            continue
        gathered.asked(value, f"ssm:{shown}")
        if by_suffix:
            gathered.problem(_ambiguous(shown, by_suffix))
    found = _read(asker, sorted({name for some in chosen.values() for name in some}))
    for value, parameters in chosen.items():
        held = [found[name] for name in parameters if found.get(name)]
        gathered.put(value, held, "ssm:" + _joined(parameters))
    return gathered


def _ours(by_suffix: dict[str, list[str]], place: Place) -> str | None:
    """Return the suffix of this environment, or None when it is not certain."""
    if len(by_suffix) == 1:
        return next(iter(by_suffix))
    kind, team = place.environment_type, place.team
    exact = [place.environment, f"{team}-{kind}" if team and kind else None, team, kind]
    for candidate in exact:
        if candidate is not None and candidate in by_suffix:
            return candidate
    ending = [name for name in by_suffix if kind is not None and name.endswith(f"-{kind}")]
    return ending[0] if len(ending) == 1 else None


def _ambiguous(shown: str, by_suffix: dict[str, list[str]]) -> Problem:
    candidates = ", ".join(sorted(by_suffix)[:8])
    return Problem(
        "bad-input",
        f"Several environments have a parameter {shown}: {candidates}.",
        "Set SECURE_ML_ENVIRONMENT to the one that is yours.",
    )


def _names(asker: Asker) -> list[str]:
    """Return the names of all parameters that begin as the workshop's do."""
    names: list[str] = []
    extra: dict[str, str] = {}
    for _ in range(_MAX_PAGES):
        reply = asker.ask(
            "ssm",
            "DescribeParameters",
            "describe_parameters",
            ParameterFilters=[
                {"Key": "Name", "Option": "BeginsWith", "Values": [_WORKSHOP_PREFIX]}
            ],
            MaxResults=50,
            **extra,
        )
        names += [str(entry.get("Name")) for entry in reply.get("Parameters") or []]
        token = reply.get("NextToken")
        if not token:
            break
        extra = {"NextToken": token}
    return names


def _read(asker: Asker, names: list[str]) -> dict[str, str]:
    """Return the values of parameters by name; secure strings are not read."""
    found: dict[str, str] = {}
    for start in range(0, len(names), _BATCH):
        reply = asker.ask(
            "ssm", "GetParameters", "get_parameters", Names=names[start : start + _BATCH]
        )
        for entry in reply.get("Parameters") or []:
            if entry.get("Type") != "SecureString":
                name = str(entry.get("Name"))
                found[name] = _value(name, str(entry.get("Value") or ""))
    return found


def _value(name: str, value: str) -> str:
    """Return a parameter's value; one that is a policy bundle itself is named, not copied."""
    return f"ssm:{name}" if value.lstrip().startswith("{") else value


def _shown(pattern: str) -> str:
    """Return a pattern as a person reads it."""
    return pattern.replace("[a-c]", "{a,b,c}").replace("(.+)", "…")


def _joined(names: Iterable[str]) -> str:
    return ", ".join(names)
