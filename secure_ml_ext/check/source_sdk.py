from __future__ import annotations

from .source_names import short
from .source_values import Instance, Unknown


def call(walk, node, ref, arguments):
    if ref.name[:1].isupper():
        return Instance(ref.path, arguments.keywords)
    return Unknown(short(node))


def method(walk, node, receiver, name, arguments):
    return Unknown(short(node))
