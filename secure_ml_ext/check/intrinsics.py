"""CloudFormation's intrinsic functions: what can be known without a stack, and what stays open."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

_VARIABLE = re.compile(r"\$\{([^}]*)\}")
NO_VALUE: Final = {"Ref": "AWS::NoValue"}


def known(value: Any) -> Any:
    """Return the value with every function that needs no stack replaced by what it gives.

    ``AWS::NoValue`` takes its member or item away; ``Fn::Sub`` and ``Fn::Join`` of literals
    become text; an ``Fn::If`` whose branches are equal becomes the branch. Everything else stays
    an object (parameters too, for a default can be overridden). The value is not changed; at the
    top, NO_VALUE is returned for ``AWS::NoValue``.
    """
    if isinstance(value, list):
        return [item for item in map(known, value) if item != NO_VALUE]
    if not isinstance(value, Mapping) or value == NO_VALUE:
        return value
    if len(value) == 1:
        name, argument = next(iter(value.items()))
        if name == "Fn::If":
            return _if(argument)
        if name == "Fn::Sub":
            return _sub(argument)
        if name == "Fn::Join":
            return _join(known(argument))
    return {
        key: item for key, item in ((k, known(v)) for k, v in value.items()) if item != NO_VALUE
    }


def _if(argument: Any) -> Any:
    if not isinstance(argument, list) or len(argument) != 3:
        return {"Fn::If": argument}
    condition, *branches = argument
    yes, no = map(known, branches)
    return yes if yes == no and type(yes) is type(no) else {"Fn::If": [condition, yes, no]}


def _join(argument: Any) -> Any:
    if isinstance(argument, list) and len(argument) == 2 and isinstance(argument[1], list):
        glue, parts = argument
        if isinstance(glue, str) and all(isinstance(part, str) for part in parts):
            return glue.join(parts)
    return {"Fn::Join": argument}


def _sub(argument: Any) -> Any:
    text, variables = argument, {}
    if isinstance(argument, list) and len(argument) == 2 and isinstance(argument[1], Mapping):
        text, variables = argument[0], known(argument[1])
    if not isinstance(text, str):
        return {"Fn::Sub": argument}
    made: list[str] = []
    end = 0
    for found in _VARIABLE.finditer(text):
        name = found[1].strip()
        given = "${" + name[1:] + "}" if name.startswith("!") else variables.get(name)
        if not isinstance(given, str):
            return {"Fn::Sub": argument}
        made += (text[end : found.start()], given)
        end = found.end()
    return "".join((*made, text[end:]))


def resource_of(value: Any) -> str | None:
    """Return the logical id that a ``Ref`` or ``Fn::GetAtt`` names; None for other values."""
    if not isinstance(value, Mapping) or len(value) != 1:
        return None
    target = value.get("Ref")
    if target is None:
        target = value.get("Fn::GetAtt")
        if isinstance(target, list):
            target = target[0] if target else None
        elif isinstance(target, str):
            target = target.split(".", 1)[0]
    return target if isinstance(target, str) else None
