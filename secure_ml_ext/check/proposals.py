"""What a request could say instead, so that a condition of a policy turns out differently.

Values come from the profile first, then from the policy itself (an instance type that it lists,
the limit that it sets). None is invented: what neither gives is lacking.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from msgspec import UNSET

from ..iam.conditions import Condition
from ..iam.operators import NULL
from ..iam.values import boolean
from ..inventory.authorization import action_named, authorization
from ..inventory.paths import Path, absent, expand, get, parse
from ..inventory.table import Field, operations
from ..rules.model import has_local_disk
from ..rules.patch import Assignment
from ..rules.probes import key_names, strings
from ..rules.profile import Profile

Way = tuple[Assignment, ...]
_WILD = re.compile(r"[*?]|\$\{")
_TAG = "aws:requesttag/"
_WORDS: Mapping[str, tuple[str, ...]] = {
    "sagemaker:DirectInternetAccess": ("Disabled", "Enabled"),
    "sagemaker:RootAccess": ("Disabled", "Enabled"),
    "sagemaker:MinimumInstanceMetadataServiceVersion": ("2", "1"),
    "sagemaker:AppNetworkAccessType": ("VpcOnly", "PublicInternetOnly"),
    "sagemaker:AuthMode": ("SSO", "IAM"),
}
_NETWORK = {
    "sagemaker:VpcSubnets": ("Subnets", "subnets", "approved_subnets"),
    "sagemaker:VpcSecurityGroupIds": (
        "SecurityGroupIds",
        "security_groups",
        "approved_security_groups",
    ),
}


class Proposals:
    """Finds changes for one operation; ``lacking`` tells that a value was needed and not there."""

    def __init__(self, operation: str, profile: Profile) -> None:
        self.operation = operation
        self.profile = profile
        self.lacking = False
        self._action = action_named(operation)
        entry = operations().get(operation)
        self._fields: list[Field] = entry.fields if entry is not None else []

    def of(self, condition: Condition, wanted: bool, params: Mapping[str, Any]) -> Iterator[Way]:
        """Yield changes after which the condition may hold (``wanted``) or not.

        They are guesses, good ones first; whoever asks evaluates the request again.
        """
        key = self._spelt(condition.key)
        if key is None:
            return
        literals = [value for value in condition.values if not _WILD.search(value)]
        if condition.operator.base == NULL:
            if len(wanting := {boolean(value) for value in condition.values}) == 1:
                missing = (True in wanting) is wanted
                yield from self._removals(key, params) if missing else self._ways(key, [], params)
            return
        yield from self._ways(key, [*literals, *self._fitted(key, condition, params)], params)
        if condition.operator.negated is wanted or condition.operator.if_exists:
            yield from self._removals(key, params)

    def _spelt(self, written: str) -> str | None:
        """Return the key as it stands in the data; None for one that no member fills."""
        if written.lower().startswith(_TAG):
            carries = self._action is not None and self._action.carries(written)
            return written if carries else None
        if self._action is None:
            return None
        return next((k for k in self._action.paths if k.lower() == written.lower()), None)

    # -- by kind of key ---------------------------------------------------------------------

    def _ways(self, key: str, literals: list[str], params: Mapping[str, Any]) -> Iterator[Way]:
        if key.lower().startswith(_TAG):
            yield from self._tag(key, literals, params)
        elif key in _NETWORK:
            yield from self._network(key, literals, params)
        elif key.endswith("KmsKeyArn"):
            yield from self._key(key, literals, params)
        elif key == "sagemaker:InstanceTypes":
            yield from self._instances(literals, params)
        else:
            yield from self._plain(key, literals, params)

    def _network(self, key: str, literals: list[str], params: Mapping[str, Any]) -> Iterator[Way]:
        member, name, approved = _NETWORK[key]
        mine = strings(self.profile.get(name))
        known = [*mine, *strings(self.profile.get(approved))]
        for field in self._fields:
            if key not in field.keys or field.kind not in (
                "network",
                "subnet",
                "subnets",
                "groups",
            ):
                continue
            for place in self._places(field, params):
                path = (*place, member) if field.kind == "network" else place
                if field.kind == "subnet" and member == "SecurityGroupIds":
                    path = ("SecurityGroupIds",)
                own = strings(get(params, path))
                options = _distinct(
                    [each for each in own if each in literals],
                    [each for each in mine if each in literals],
                    [each for each in known if each in literals],
                    mine,
                    [each for each in mine if each not in literals],
                    [each for each in own if each not in literals],
                    literals if all(_is_id(each, member) for each in literals) else [],
                )
                if not options:
                    self.lacking = True
                for values in options:
                    if field.kind == "network":
                        yield from self._whole(place, member, values, params)
                    else:
                        one = field.kind == "subnet" and member == "Subnets"
                        yield (Assignment(path, values[0] if one else values),)

    def _whole(
        self, place: Path, member: str, values: list[str], params: Mapping[str, Any]
    ) -> Iterator[Way]:
        """Set one half of a network, and the other too where it is not there: AWS wants both."""
        other = "SecurityGroupIds" if member == "Subnets" else "Subnets"
        if not absent(get(params, (*place, other))):
            yield (Assignment((*place, member), values),)
            return
        name = "security_groups" if other == "SecurityGroupIds" else "subnets"
        rest = strings(self.profile.get(name))
        if not rest:
            self.lacking = True
            return
        both = {member: values, other: rest}
        ordered = {name: both[name] for name in ("Subnets", "SecurityGroupIds")}
        yield (Assignment(place, ordered),)

    def _key(self, key: str, literals: list[str], params: Mapping[str, Any]) -> Iterator[Way]:
        for field in self._fields:
            if key not in field.keys:
                continue
            names = key_names(field.control, self.operation == "CreateDomain")
            found = [value for name in names if (value := self.profile.get(name))]
            approved = [v for v in strings(self.profile.get("approved_kms_keys")) if _is_key(v)]
            options = [*found, *approved, *(value for value in literals if _is_key(value))]
            for place in self._places(field, params):
                if self._on_local_disk(field, place, params):
                    continue
                if not options:
                    self.lacking = True
                own = get(params, place)
                for value in dict.fromkeys(str(each) for each in options):
                    if value != own:
                        yield (Assignment(place, value),)

    def _on_local_disk(self, field: Field, place: Path, params: Mapping[str, Any]) -> bool:
        """Tell whether the instance type cannot take a volume key: AWS refuses the request."""
        cut = len(parse(field.anchor))
        for pointer in field.instances:
            inner = place[:cut] + parse(pointer)[cut:]
            if any(has_local_disk(get(params, found)) for found in expand(params, inner)):
                return True
        return False

    def _instances(self, literals: list[str], params: Mapping[str, Any]) -> Iterator[Way]:
        """Replace instance types, all that do not fit, with one that the policy names."""
        places = self._given("sagemaker:InstanceTypes", params)
        for value in literals:
            way = tuple(Assignment(p, value) for p in places if get(params, p) != value)
            if way:
                yield way

    def _plain(self, key: str, literals: list[str], params: Mapping[str, Any]) -> Iterator[Way]:
        kind = authorization().keys.get(key, "String")
        options: list[Any] = [*_WORDS.get(key, ()), *literals]
        if kind == "Bool":
            options = [True, False]
        elif kind == "Numeric":
            options = [n for text in literals for n in _near(text)]
        for value in dict.fromkeys(options):
            way = []
            for place in self._settable(key, params):
                own = get(params, place)
                if own is not value and own != value:
                    way.append(Assignment(place, value))
            if way:
                yield tuple(way)
        if not options:
            self.lacking = True

    def _tag(self, key: str, literals: list[str], params: Mapping[str, Any]) -> Iterator[Way]:
        """Add or change one tag, with a value that the policy writes.

        The others stay where they are: their values are nobody's business in a report.
        """
        name, tags = key.partition("/")[2], params.get("Tags")
        if not literals:
            self.lacking = True
        for value in literals:
            if absent(tags):
                yield (Assignment(("Tags",), [{"Key": name, "Value": value}]),)
            elif isinstance(tags, list):
                known = _tag_places(tags, name)
                place: Path = ("Tags", known[0], "Value") if known else ("Tags", len(tags))
                wanted: Any = value if known else {"Key": name, "Value": value}
                yield (Assignment(place, wanted),)

    # -- places -----------------------------------------------------------------------------

    def _places(self, field: Field, params: Mapping[str, Any]) -> list[Path]:
        """Return where the field can be set: below structures that the request has."""
        anchor, whole = parse(field.anchor), parse(field.pointer)
        rest = whole[len(anchor) :]
        anchors = expand(params, anchor) if "*" in anchor else iter((anchor,))
        return [
            place + rest for place in anchors if not place or isinstance(get(params, place), dict)
        ]

    def _given(self, key: str, params: Mapping[str, Any]) -> list[Path]:
        """Return where the request has a value for the key."""
        found: list[Path] = []
        for pointer in self._action.paths.get(key, []) if self._action else []:
            path = parse(pointer)
            places = expand(params, path) if "*" in path else iter((path,))
            for place in places:
                value = get(params, place)
                if isinstance(value, list):
                    found += [(*place, number) for number in range(len(value))]
                elif not absent(value) and not isinstance(value, dict):
                    found.append(place)
        return found

    def _settable(self, key: str, params: Mapping[str, Any]) -> list[Path]:
        """Return where the key can be set, also where it is not yet."""
        fields = [field for field in self._fields if key in field.keys]
        if fields:
            return [place for field in fields for place in self._places(field, params)]
        found = self._given(key, params)
        if found:
            return found
        for pointer in self._action.paths.get(key, []) if self._action else []:
            path = parse(pointer)
            places = expand(params, path) if "*" in path else iter((path,))
            # A group of settings may be added as a whole, but not an entry of a list.
            found += [
                place
                for place in places
                if len(place) <= 2 or isinstance(get(params, place[:-1]), dict)
            ]
        return found[:1] if len({len(p) for p in found}) > 1 else found

    def _removals(self, key: str, params: Mapping[str, Any]) -> Iterator[Way]:
        if key.lower().startswith(_TAG):
            tags = params.get("Tags")
            if isinstance(tags, list) and (known := _tag_places(tags, key.partition("/")[2])):
                yield (Assignment(("Tags", known[0]), UNSET),)
            return
        given = self._given(key, params)
        whole = {p[:-1] if isinstance(p[-1], int) else p for p in given}
        if key in _NETWORK:  # AWS wants both halves of a network or none
            whole = {p[:-1] if p[-1] in ("Subnets", "SecurityGroupIds") else p for p in whole}
        if key != "sagemaker:InstanceTypes" and whole and () not in whole:
            yield tuple(Assignment(path, UNSET) for path in sorted(whole, key=str))

    def _fitted(self, key: str, condition: Condition, params: Mapping[str, Any]) -> list[str]:
        """Return instance types made from a pattern and the size of the one in the request."""
        if key != "sagemaker:InstanceTypes":
            return []
        sizes = [str(get(params, place)).rpartition(".")[2] for place in self._given(key, params)]
        return [
            pattern[:-1] + size
            for pattern in condition.values
            if pattern.endswith(".*") and not _WILD.search(pattern[:-1])
            for size in sizes
        ]


def _tag_places(tags: list[Any], name: str) -> list[int]:
    """Return where a tag stands; the case of its key does not matter to a policy."""
    return [
        number
        for number, tag in enumerate(tags)
        if str(get(tag, ("Key",)) or "").lower() == name.lower()
    ]


def _distinct(*options: Iterable[str]) -> list[list[str]]:
    found: list[list[str]] = []
    for each in options:
        values = list(dict.fromkeys(each))
        if values and values not in found:
            found.append(values)
    return found


def _is_id(text: str, member: str) -> bool:
    return text.startswith("subnet-" if member == "Subnets" else "sg-")


def _is_key(text: str) -> bool:
    return text.startswith("arn:") and ":key/" in text


def _near(text: str) -> list[int]:
    try:
        number = int(float(text))
    except (ValueError, OverflowError):
        return []
    return [n for n in (number, number - 1, number + 1) if n >= 0]
