"""The probes: what a rule asks of a field, by the kind of field.

A probe takes the value at a concrete path and says pass, fail, exempt, depends or not
applicable; a failing one also says which change would mend it, from the profile.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec import UNSET

from ..inventory.paths import Path, absent, expand, get, parse, perhaps_absent, undetermined
from ..inventory.table import Field
from .baseline import Ground, Locus, Outcome, Probe, later, unresolved, wanted
from .model import Rule, has_local_disk
from .patch import Assignment
from .profile import Profile

_OFF = {
    "isolation": "containers can reach the network",
    "traffic-encryption": "traffic between instances is not encrypted",
}
_KEYLESS = {
    "volume-kms": "the volume has no KMS key of yours",
    "output-kms": "what is written to S3 has no KMS key of yours",
    "capture-kms": "captured data has no KMS key of yours",
    "store-kms": "what is stored has no KMS key of yours",
}


def key_names(control: str, efs: bool) -> tuple[str, ...]:
    """Return the profile values that can serve as key for a control, best first."""
    if control == "volume-kms":
        return ("efs_kms_key", "volume_kms_key") if efs else ("volume_kms_key",)
    if control == "capture-kms":
        return ("capture_kms_key", "output_kms_key")
    return ("output_kms_key",)


def _network(
    locus: Locus, params: Mapping[str, Any], path: Path, value: Any, ground: Ground
) -> Outcome:
    if unresolved(value) and not ({"Subnets", "SecurityGroupIds"} & set(value)):
        return locus.says("depends", path, later("the network", value))
    for member in ("Subnets", "SecurityGroupIds"):
        if perhaps_absent(own := get(value, (member,))):
            return locus.says("depends", path, later("the network", own))
    lacking = [
        (member, name)
        for member, name in (("Subnets", "subnets"), ("SecurityGroupIds", "security_groups"))
        if not _given(get(value, (member,)))
    ]
    if not lacking:
        return locus.passes(path)
    found, missing = wanted(ground.profile, *(name for _, name in lacking))
    wishes: tuple[Assignment, ...] = ()
    if not missing and len(lacking) == 2:
        both = {"Subnets": found["subnets"], "SecurityGroupIds": found["security_groups"]}
        wishes = (Assignment(path, both),)
    elif not missing:
        wishes = (Assignment((*path, lacking[0][0]), found[lacking[0][1]]),)
    message = {
        2: "no subnets or security groups",
        1: "no security groups" if lacking[0][0] == "SecurityGroupIds" else "no subnets",
    }[len(lacking)]
    where = path if len(lacking) == 2 else (*path, lacking[0][0])
    return locus.breach(
        where,
        message,
        expected=wishes[0].value if wishes else "subnets and security groups",
        actual=None,
        wishes=wishes,
        missing=missing,
    )


def _subnet(
    locus: Locus, params: Mapping[str, Any], path: Path, value: Any, ground: Ground
) -> Outcome:
    groups: Path = ("SecurityGroupIds",)
    for own in (value, get(params, groups)):
        if perhaps_absent(own):
            return locus.says("depends", path, later("the network", own))
    lacks_groups = absent(get(params, groups))
    if not absent(value) and not lacks_groups:
        return locus.passes(path)
    names = [
        n for n, lacks in (("subnets", absent(value)), ("security_groups", lacks_groups)) if lacks
    ]
    found, missing = wanted(ground.profile, *names)
    wishes: tuple[Assignment, ...] = ()
    if not missing:
        if "subnets" in found:
            wishes += (Assignment(path, found["subnets"][0]),)
        if "security_groups" in found:
            wishes += (Assignment(groups, found["security_groups"]),)
    message = "no subnet" if "subnets" in names else "no security groups"
    where = path if "subnets" in names else groups
    expected = wishes[0].value if wishes else "a subnet and security groups"
    return locus.breach(
        where, message, expected=expected, actual=None, wishes=wishes, missing=missing
    )


def strings(value: Any) -> list[str]:
    """Return the strings in a value that is one or a list; blanks do not count."""
    if isinstance(value, str):
        return [value] if value.strip() else []
    if isinstance(value, (list, tuple)):
        return [item for item in value if isinstance(item, str) and item.strip()]
    return []


def _given(value: Any) -> bool:
    """Tell whether a list of ids holds any; a variable that is filled in later counts."""
    if isinstance(value, (list, tuple)):
        return any(isinstance(item, dict) for item in value) or bool(strings(value))
    return unresolved(value)


def ground_of(profile: Profile) -> Ground:
    """Return the profile with its approved sets; a key counts under each of its spellings."""

    def union(*names: str) -> frozenset[str]:
        return frozenset(item for name in names for item in strings(profile.get(name)))

    keys = union(
        "approved_kms_keys", "volume_kms_key", "output_kms_key", "capture_kms_key", "efs_kms_key"
    )
    return Ground(
        profile=profile,
        subnets=union("approved_subnets", "subnets"),
        groups=union("approved_security_groups", "security_groups"),
        keys=frozenset(form for key in keys for form in key_forms(key)),
    )


def _approved_network(
    locus: Locus, params: Mapping[str, Any], path: Path, value: Any, ground: Ground
) -> Outcome:
    if undetermined(value):
        return locus.says("depends", path, later("the network", value))
    subnets, groups = ground.subnets, ground.groups
    parts: list[tuple[Path, Any, frozenset[str], str, str]] = []
    kind = locus.field.kind
    if kind == "network":
        if unresolved(value) and not ({"Subnets", "SecurityGroupIds"} & set(value)):
            return locus.says("depends", path, "the network is decided later")
        parts.append(((*path, "Subnets"), get(value, ("Subnets",)), subnets, "subnets", "subnet"))
        own = get(value, ("SecurityGroupIds",))
        parts.append(
            ((*path, "SecurityGroupIds"), own, groups, "security_groups", "security group")
        )
    elif kind == "groups":
        parts.append((path, value, groups, "security_groups", "security group"))
    else:
        parts.append((path, value, subnets, "subnets", "subnet"))
        if kind == "subnet":
            beside: Path = ("SecurityGroupIds",)
            own = get(params, beside)
            parts.append((beside, own, groups, "security_groups", "security group"))
    if all(absent(own) for _, own, *_ in parts):
        return locus.says("na", path, "no network in the request to compare")
    foreign: list[str] = []
    wishes: list[Assignment] = []
    messages: list[str] = []
    expected: list[str] = []
    needed: list[str] = []
    where = path
    for part, own, approved, name, word in parts:
        strange = [item for item in strings(own) if item not in approved] if approved else []
        if strange:
            where = where if foreign else part
            foreign += strange
            messages.append(f"{word} {', '.join(strange)} is not approved")
            expected += sorted(approved)
            needed.append(name)
            mine = ground.profile.get(name)
            if not absent(mine):
                wishes.append(
                    Assignment(part, mine[0] if kind == "subnet" and part == path else mine)
                )
    if foreign:
        vpc: Path = (*path, "VpcId") if kind == "network" else (*path[:-1], "VpcId")
        if "subnets" in needed and not absent(get(params, vpc)):
            # Subnets of one VPC with the id of another are refused by AWS.
            needed.append("vpc_id")
            wishes.append(Assignment(vpc, ground.profile.get("vpc_id")))
        _, missing = wanted(ground.profile, *needed)
        return locus.breach(
            where,
            "; ".join(messages),
            expected=expected,
            actual=foreign,
            wishes=() if missing else tuple(wishes),
            missing=missing,
        )
    known = any(approved for _, _, approved, *_ in parts)
    if not known:
        return locus.says("depends", path, "the profile names no approved network")
    for _, own, *_ in parts:
        for item in own if isinstance(own, (list, tuple)) else (own,):
            if unresolved(item):
                return locus.says("depends", path, later("the network", item))
    return locus.passes(path)


def _local_disk_types(locus: Locus, params: Mapping[str, Any], path: Path) -> list[str]:
    anchor = path[: len(locus.anchor)]
    types = []
    for pointer in locus.field.instances:
        relative = parse(pointer)[len(locus.anchor) :]
        for found in expand(params, anchor + relative):
            kind = get(params, found)
            if has_local_disk(kind):
                types.append(str(kind))
    return types


def _key(
    locus: Locus, params: Mapping[str, Any], path: Path, value: Any, ground: Ground
) -> Outcome:
    local = _local_disk_types(locus, params, path) if locus.rule.exempt else []
    if local:
        if absent(value):
            note = f"{local[0]} has local disks, encrypted by hardware; it takes no volume key"
            return locus.says("exempt", path, note)
        return locus.breach(
            path,
            f"{local[0]} has local disks and refuses a volume key",
            expected=None,
            actual=value,
            wishes=(Assignment(path, UNSET),),
        )
    if unresolved(value):
        return locus.says("depends", path, later("the key", value))
    if strings(value):
        return locus.passes(path)
    names = key_names(locus.rule.control, locus.efs)
    chosen = next((n for n in names if not absent(ground.profile.get(n))), names[-1])
    found, missing = wanted(ground.profile, chosen)
    wishes = (Assignment(path, found[chosen]),) if found else ()
    return locus.breach(
        path,
        _KEYLESS[locus.rule.control],
        expected=found.get(chosen, "a KMS key"),
        actual=None,
        wishes=wishes,
        missing=missing,
    )


def key_forms(key: str) -> frozenset[str]:
    """Return the spellings of a key: its ARN, and the id or alias in it."""
    tail = key.rsplit(":", 1)[-1] if key.startswith("arn:") else key
    return frozenset({key, tail.removeprefix("key/")})


def _approved_key(
    locus: Locus, params: Mapping[str, Any], path: Path, value: Any, ground: Ground
) -> Outcome:
    if unresolved(value):
        return locus.says("depends", path, later("the key", value))
    keys = strings(value)
    if not keys:
        return locus.says("na", path, "no key in the request to compare")
    known = ground.keys
    if not known:
        return locus.says("depends", path, "the profile names no approved key")
    key = keys[0]
    if key in known or key_forms(key) & known:
        return locus.passes(path)
    tail = key.rsplit(":", 1)[-1]
    managed = tail.startswith("alias/aws/")
    if tail.startswith("alias/") and not managed:
        return locus.says("depends", path, f"{tail} is not resolved to a key")
    names = key_names(locus.field.control, locus.efs)
    chosen = next((n for n in names if not absent(ground.profile.get(n))), names[-1])
    found, missing = wanted(ground.profile, chosen)
    message = f"{tail} is a key that AWS manages" if managed else f"{tail} is not an approved key"
    return locus.breach(
        path,
        message,
        expected=found.get(chosen, "an approved KMS key"),
        actual=key,
        wishes=(Assignment(path, found[chosen]),) if found else (),
        missing=missing,
    )


def _flag(
    locus: Locus, params: Mapping[str, Any], path: Path, value: Any, ground: Ground
) -> Outcome:
    if value is True:
        return locus.passes(path)
    if unresolved(value):
        return locus.says("depends", path, later("the value", value))
    return locus.breach(
        path,
        _OFF[locus.rule.control],
        expected=True,
        actual=value,
        wishes=(Assignment(path, True),),
    )


def _word(
    locus: Locus, params: Mapping[str, Any], path: Path, value: Any, ground: Ground
) -> Outcome:
    rule = locus.rule
    if unresolved(value):
        return locus.says("depends", path, later("the value", value))
    if value in rule.accept or (absent(value) and rule.default in rule.accept):
        return locus.passes(path)
    member = path[-1]
    if not absent(value):
        message = f"{member} is {value}"
    elif rule.default:
        message = f"{member} is not set: AWS takes {rule.default}"
    else:
        message = f"{member} is not set: AWS chooses"
    target = rule.set or rule.accept[0]
    wishes = (Assignment(path, target),) if rule.automatic or rule.severity == "error" else ()
    return locus.breach(path, message, expected=target, actual=value, wishes=wishes)


def _count(
    locus: Locus, params: Mapping[str, Any], path: Path, value: Any, ground: Ground
) -> Outcome:
    if unresolved(value):
        return locus.says("depends", path, later("the value", value))
    least = locus.rule.minimum or 1
    if value is None or isinstance(value, bool) or not isinstance(value, int):
        return locus.says("na", path, "no instance count in the request")
    if value >= least:
        return locus.passes(path)
    return locus.breach(
        path,
        f"{value} instance; {least} run in two availability zones",
        expected=least,
        actual=value,
        wishes=(Assignment(path, least),),
    )


def _tags(
    locus: Locus, params: Mapping[str, Any], path: Path, value: Any, ground: Ground
) -> Outcome:
    if unresolved(value):
        return locus.says("depends", path, later("the value", value))
    if not absent(value):
        return locus.passes(path)
    return locus.breach(path, "no tags", expected="at least one tag", actual=None)


_BY_KIND: Mapping[str, Probe] = {
    "network": _network,
    "subnet": _subnet,
    "key": _key,
    "flag": _flag,
    "word": _word,
    "count": _count,
}


def probe_for(rule: Rule, field: Field) -> Probe | None:
    """Return what the rule asks of the field, or None when it does not speak about it."""
    if rule.control == "tags":
        return _tags
    if rule.control == "approved-network":
        return (
            _approved_network if field.kind in ("network", "subnet", "subnets", "groups") else None
        )
    if rule.control == "approved-key":
        return _approved_key if field.kind == "key" else None
    return _BY_KIND.get(field.kind) if rule.control == field.control else None
