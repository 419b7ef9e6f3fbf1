"""Turns what an event says into parameters of the API, and tells what it does not say.

CloudTrail writes ``kmsKeyId`` for ``KmsKeyId`` and adds members of the service's own
(``disableEFA``). Names are matched along the paths that the field table knows, in any case; others
get a capital letter, and what lies below them stays as it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from ..inventory.paths import absent, parse
from ..inventory.table import operations
from .reshape import settle

HIDDEN = "HIDDEN_DUE_TO_SECURITY_REASONS"
_UNKNOWN = {"Unknown": "CloudTrail hides it"}
_NETWORK = ("Subnets", "SecurityGroupIds", "VpcId")
_LOCATION = ("Bucket", "ObjectKey")

Tree = dict[str, tuple[str, "Tree"]]


@lru_cache(maxsize=64)
def _tree(operation: str) -> Tree:
    """Return the known members of a request by their name in lower case, with what is below."""
    entry = operations()[operation]
    pointers = [f"/{member}" for member in entry.members]
    for field in entry.fields:
        pointers += [field.pointer, *field.instances]
        if field.also:
            pointers.append(field.also)
        if field.kind == "network":
            pointers += [f"{field.pointer}/{member}" for member in _NETWORK]
    for reference in entry.references:
        pointers += [reference.pointer, *([reference.by] if reference.by else [])]
    if "PipelineDefinitionS3Location" in entry.members:
        pointers += [f"/PipelineDefinitionS3Location/{member}" for member in _LOCATION]
    tree: Tree = {}
    for pointer in pointers:
        node = tree
        for part in parse(pointer):
            node = node.setdefault(str(part).lower(), (str(part), {}))[1]
    return tree


def request_of_record(operation: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Return the request that the ``requestParameters`` of a record tell of.

    Values that CloudTrail hides become ``{"Unknown": …}``. The record is not changed.
    """
    return settle(operation, _members(parameters, _tree(operation)))


def _members(parameters: Mapping[str, Any], tree: Tree) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for key, value in parameters.items():
        name, below = tree.get(str(key).lower(), (str(key)[:1].upper() + str(key)[1:], {}))
        if name not in made or absent(made[name]):
            made[name] = _value(value, below)
    return made


def _value(value: Any, tree: Tree) -> Any:
    if value == HIDDEN:
        return dict(_UNKNOWN)
    if isinstance(value, Mapping):
        return _members(value, tree) if tree else value
    if isinstance(value, (list, tuple)):
        items = tree.get("*", ("*", {}))[1]
        return [_value(item, items) for item in value]
    return value


# A request has one of these; that the other is not there says nothing.
_ALTERNATIVES = (
    frozenset({"TrainingJobDefinition", "TrainingJobDefinitions"}),
    frozenset({"PrimaryContainer", "Containers"}),
    frozenset({"ProductionVariants", "ShadowProductionVariants"}),
    frozenset({"InstanceGroups", "RestrictedInstanceGroups"}),
)


def with_untold(
    operation: str, body: Mapping[str, Any], request: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the request with ``{"Unknown": …}`` for what the body of a state change leaves out.

    AWS does not promise that these bodies are whole: the documented one of a training job has no
    flags. What stands in the body counts, null and ``{}`` included, and a structure is taken as
    complete; a security member of the request that the body does not have at all is not known.
    """
    names = {str(parse(field.pointer)[0]) for field in operations()[operation].fields}
    if any(field.kind == "subnet" for field in operations()[operation].fields):
        names.add("SecurityGroupIds")
    for group in _ALTERNATIVES:
        if group & body.keys():
            names -= group
    untold = {name: {"Unknown": "the event does not tell"} for name in names - body.keys()}
    return {**untold, **request}
