"""Random policies and requests over the whole condition language, for the comparison."""

from __future__ import annotations

import random
from typing import Any

ACCOUNT = "123456789012"
REGION = f"arn:aws:sagemaker:eu-west-1:{ACCOUNT}"
ACTIONS = ["sagemaker:CreateTrainingJob", "sagemaker:CreateModel", "iam:PassRole"]
ACTION_PATTERNS = [
    *ACTIONS,
    "sagemaker:*",
    "sagemaker:Create*",
    "SageMaker:createTRAININGjob",
    "sagemaker:Create?odel",
    "sagemaker:*Job",
    "iam:*",
    "s3:GetObject",
    "*",
]
RESOURCES = [
    f"{REGION}:training-job/a",
    f"{REGION}:training-job/team/a",
    f"{REGION}:model/a",
    f"arn:aws:iam::{ACCOUNT}:role/team/red",
    "arn:aws:s3:::bucket/a:b/c",
    "*",
]
RESOURCE_PATTERNS = [
    *RESOURCES[:5],
    "arn:aws:sagemaker:*:*:*",
    "arn:aws:SageMaker:*:*:t*",
    f"{REGION}:training-job/*",
    f"arn:aws:sagemaker:eu-west-?:{ACCOUNT}:*/a",
    "arn:*:sage*:*:*:m?del/*",
    "arn:aws:iam::*:role/*",
    "arn:aws:s3:::bucket/*:b/?",
    "arn:aws:sagemaker:*",
    "arn:aws:sagemaker",
    f"{REGION}:training-job/${{aws:PrincipalTag/team}}",
    f"{REGION}:training-job/${{aws:PrincipalTag/team, 'a'}}",
    f"{REGION}:model/${{aws:username}}",
    "arn:aws:s3:::bucket/${*}",
]
KEY = f"arn:aws:kms:eu-west-1:{ACCOUNT}:key/"

# kind -> (values of requests, values of policies)
VALUES: dict[str, tuple[list[str], list[Any]]] = {
    "String": (
        ["a", "A", "b", "red", "subnet-1", "*", "a b"],
        ["a", "A", "b", "red", "*", "r?d", "sub*-?", "a*", "", "${*}", "${?}", "${$}"],
    ),
    "Numeric": (
        ["0", "1", "1.0", "-2", "10.5", "86400", "word"],
        [0, 1, 1.5, "1", "1.0", "-2", "10.50", "86400", "word", "+1"],
    ),
    "Date": (
        ["2026-11-22T10:00:00Z", "2026-11-22T11:00:00+01:00", "2026-11-22", "soon"],
        [
            "2026-11-22T10:00:00Z",
            "2026-11-22T10:00Z",
            "2026-11-22",
            "2026-11",
            "2026-11-22T12:30:00.250+02:30",
            "1795341600",
            "2027",
            "soon",
        ],
    ),
    "Bool": (["true", "false", "True", "1"], ["true", "false", "FALSE", True, False, "1"]),
    "Binary": (["YQ==", "YWI=", "!"], ["YQ==", "YWI=", "eA=="]),
    "Ip": (
        ["10.1.2.3", "192.168.0.9", "2001:db8::1", "::1", "nowhere"],
        [
            "10.0.0.0/8",
            "10.1.2.3",
            "10.9.9.9/8",
            "192.168.0.8/29",
            "0.0.0.0/0",
            "2001:db8::/32",
            "2001:DB8:0:0::1",
            "::/0",
            "nowhere",
        ],
    ),
    "Arn": (
        [KEY + "1", KEY + "1:2", "arn:aws:iam::1:role/red", "alias/x"],
        [
            KEY + "1",
            KEY + "*",
            "arn:aws:kms:*:*:*",
            "arn:aws:kms:*:key/*",
            "arn:*:*:*:*:*/red",
            "arn:aws:kms:eu-west-?::key/1",
            "*",
        ],
    ),
}
VARIABLES = [
    "${aws:PrincipalTag/team}",
    "${AWS:principaltag/TEAM}",
    "${aws:PrincipalTag/team, 'red'}",
    "x${aws:username}",
    "${aws:username}*",
]
SINGLE = ["aws:PrincipalTag/team", "aws:RequestTag/Cost Center", "aws:username", "sagemaker:A"]
MULTIPLE = ["sagemaker:VpcSubnets", "aws:TagKeys", "sagemaker:InstanceTypes"]
OPERATORS = {
    "String": [
        "StringEquals",
        "StringNotEquals",
        "StringEqualsIgnoreCase",
        "StringNotEqualsIgnoreCase",
        "StringLike",
        "StringNotLike",
    ],
    "Bool": ["Bool"],
    "Binary": ["BinaryEquals"],
    "Ip": ["IpAddress", "NotIpAddress"],
    "Arn": ["ArnEquals", "ArnLike", "ArnNotEquals", "ArnNotLike"],
}
ORDER = ["Equals", "NotEquals", "LessThan", "LessThanEquals", "GreaterThan", "GreaterThanEquals"]
OPERATORS |= {kind: [kind + order for order in ORDER] for kind in ("Numeric", "Date")}
# The oracle reads leading digits as a number, and as a date whatever JavaScript takes for one.
OTHERS = {"Numeric": ["Bool", "Binary", "Arn"], "Date": ["Bool", "Binary"]}
EVERYTHING = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}],
}


def case(rng: random.Random) -> dict[str, Any]:
    """Return one case: a flat bundle, an action, a resource and a context."""
    bundle: dict[str, Any] = {"identity": documents(rng, 3)}
    if rng.random() < 0.4:
        bundle["boundary"] = documents(rng, 1)
    if rng.random() < 0.15:
        bundle["session"] = documents(rng, 1)
    if rng.random() < 0.7:
        bundle["scps"] = [documents(rng, 2) for _ in range(rng.choice([1, 2, 2]))]
    return {
        "bundle": bundle,
        "action": rng.choice(ACTIONS),
        "resource": rng.choices(RESOURCES, weights=[4, 4, 4, 4, 4, 1])[0],
        "context": context(rng),
    }


def documents(rng: random.Random, most: int) -> list[dict[str, Any]]:
    found = [document(rng) for _ in range(rng.randint(1, most))]
    return [EVERYTHING, *found] if rng.random() < 0.6 else found


def document(rng: random.Random) -> dict[str, Any]:
    variables = rng.random() < 0.9
    statements = [statement(rng, variables) for _ in range(rng.choice([1, 1, 2, 3]))]
    alone = len(statements) == 1 and rng.random() < 0.3
    made: dict[str, Any] = {"Statement": statements[0] if alone else statements}
    if variables:
        return {"Version": "2012-10-17", **made}
    return {"Version": "2008-10-17", **made} if rng.random() < 0.5 else made


def statement(rng: random.Random, variables: bool) -> dict[str, Any]:
    negated_action = "Not" if rng.random() < 0.15 else ""
    negated_resource = "Not" if rng.random() < 0.15 else ""
    patterns = RESOURCE_PATTERNS if variables else RESOURCE_PATTERNS[:-4]
    everywhere = rng.random() < 0.5 and not negated_resource
    made: dict[str, Any] = {
        "Effect": rng.choice(["Allow", "Deny"]),
        f"{negated_action}Action": some(rng, ACTION_PATTERNS, 3),
        f"{negated_resource}Resource": "*" if everywhere else some(rng, patterns, 3),
    }
    if rng.random() < 0.5:
        made["Sid"] = f"S{rng.randint(0, 99)}"
    if rng.random() < 0.8:
        made["Condition"] = conditions(rng, variables)
    return made


def conditions(rng: random.Random, variables: bool) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for _ in range(rng.choice([1, 1, 2, 3])):
        name, kind = operator(rng)
        block = made.setdefault(name, {})
        for _ in range(rng.choice([1, 1, 2])):
            key = spelled(rng, key_of(rng, kind))
            if key.lower() not in {each.lower() for each in block}:
                block[key] = wanted(rng, kind, variables)
    return made


def operator(rng: random.Random) -> tuple[str, str]:
    if rng.random() < 0.12:
        prefix = "" if rng.random() < 0.9 else rng.choice(["ForAllValues:", "ForAnyValue:"])
        return prefix + "Null", "Null"
    kind = rng.choice([*OPERATORS, "String", "String"])
    name = rng.choice(OPERATORS[kind])
    if rng.random() < 0.25:
        name += "IfExists"
    if rng.random() < 0.3:
        name = rng.choice(["ForAllValues:", "ForAnyValue:"]) + name
    return (name if rng.random() < 0.9 else name.lower()), kind


def key_of(rng: random.Random, kind: str) -> str:
    if kind == "Null":
        return rng.choice([*SINGLE, *MULTIPLE, *(f"sagemaker:{each}" for each in VALUES)])
    if kind == "String":
        return rng.choice([*SINGLE, *MULTIPLE])
    # Now and then an operator on a key of another kind.
    return f"sagemaker:{kind if rng.random() < 0.9 else rng.choice(OTHERS.get(kind, [*VALUES]))}"


def wanted(rng: random.Random, kind: str, variables: bool) -> Any:
    if kind == "Null":
        return rng.choice(["true", "false", True, False, "TRUE"])
    values = list(VALUES[kind][1])
    if not variables:
        values = [value for value in values if "${" not in str(value)]
    elif kind == "String" and rng.random() < 0.25:
        return some(rng, [*VARIABLES, *values[:3]], 2)
    elif kind == "Arn" and rng.random() < 0.2:
        return some(rng, [KEY + each for each in VARIABLES], 2)
    elif kind == "Bool" and rng.random() < 0.1:
        return "${sagemaker:Bool}"
    return some(rng, values, 3)


def context(rng: random.Random) -> dict[str, Any]:
    made: dict[str, Any] = {}
    texts = VALUES["String"][0]
    for key in SINGLE:
        if rng.random() < 0.6:
            made[spelled(rng, key)] = rng.choice(texts)
    for key in MULTIPLE:
        if rng.random() < 0.6:
            values = [rng.choice([*texts, ""]) for _ in range(rng.choice([0, 1, 2, 3]))]
            made[spelled(rng, key)] = values
    for kind, (values, _) in VALUES.items():
        if rng.random() < 0.6:
            several = rng.random() < 0.15
            found = rng.sample(values, 2) if several else rng.choice(values)
            made[spelled(rng, f"sagemaker:{kind}")] = found
    return made


def spelled(rng: random.Random, key: str) -> str:
    """Return a key in the usual spelling or in another case."""
    return key if rng.random() < 0.8 else rng.choice([key.lower(), key.upper(), key.swapcase()])


def some(rng: random.Random, values: list[Any], most: int) -> Any:
    """Return one value, bare or as a list, or several."""
    number = rng.randint(1, most)
    if number == 1 and rng.random() < 0.5:
        return rng.choice(values)
    return rng.sample(values, number)
