"""The policy bundle an organisation exports: who has which policies, and the SCPs above."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from typing import Any

from .document import Document, read_document
from .errors import PolicyError
from .plan import Layer, Policies

BUNDLE_SCHEMA = "secure-ml/policies@1"
OWN_LAYERS = ("identity", "boundary", "session")
_FLAT = (*OWN_LAYERS, "scps", "unread")
_KEYS = ("schema", "principals", *_FLAT)
_SESSION = ":assumed-role/"
_PRINCIPAL_KEYS = (*OWN_LAYERS, "unread")


class PolicyBundle:
    """The policies of one principal or several, compiled.

    Make it once with ``from_dict`` and evaluate many requests; it does not change.
    """

    __slots__ = ("_nobody", "_only", "_principals")

    def __init__(self, principals: Mapping[str, Policies], nobody: Policies) -> None:
        """``principals`` by role ARN, ``""`` for whoever asks; ``nobody`` is for all others."""
        self._principals = dict(principals)
        self._nobody = nobody
        only = list(self._principals.values())
        self._only = only[0] if len(only) == 1 else None

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> PolicyBundle:
        """Read a bundle: ``{"principals": {arn: {…}}, "scps"}`` or the flat form.

        Flat: ``{"identity", "boundary", "session", "scps", "unread"}``. ``scps`` is a list of
        levels from the root down, each a list of documents. A policy document alone is read as
        the one identity policy. Raises PolicyError with the place.
        """
        if not isinstance(data, Mapping):
            raise PolicyError("a bundle is an object")
        if "Statement" in data:
            data = {"identity": [data]}
        _check_keys(data, _KEYS, "the bundle")
        if data.get("schema", BUNDLE_SCHEMA) != BUNDLE_SCHEMA:
            raise PolicyError(f"the bundle's schema is {data['schema']}, not {BUNDLE_SCHEMA}")
        scps = _scps(data.get("scps"))
        unread = _names(data.get("unread"), "unread")
        nobody = Policies(scps, [*(n for n in OWN_LAYERS if n not in unread), *unread])
        if "principals" not in data:
            return cls({"": Policies([*_own(data, ""), *scps], unread)}, nobody)
        if found := [name for name in OWN_LAYERS if name in data]:
            raise PolicyError(f"a bundle has principals or {found[0]}, not both")
        return cls(dict(_principals(data["principals"], scps, unread)), nobody)

    @property
    def principals(self) -> list[str]:
        """The ARNs of the principals; empty for the flat form."""
        return [arn for arn in self._principals if arn]

    def for_principal(self, arn: str) -> PolicyBundle:
        """Return the bundle of one principal; assumed-role ARNs stand for their role.

        For a principal that is not in the bundle its own layers count as unread.
        """
        return PolicyBundle({"": self.policies(arn)}, self._nobody)

    def policies(self, principal: str | None) -> Policies:
        """Return the layers for a principal; without one, those of the only one there is."""
        if "" in self._principals:
            return self._principals[""]
        if not principal:
            return self._only or self._nobody
        found = self._principals.get(principal)
        if found is None and _SESSION in principal:
            found = self._principals.get(self.role_of(principal))
        return found or self._nobody

    def role_of(self, principal: str) -> str:
        """Return the role of an assumed-role ARN, which names it without its path.

        The path is that of the bundle's role of this name; any other principal is itself.
        """
        head, session, rest = principal.partition(_SESSION)
        if not session:
            return principal
        account, name = head.rpartition(":")[2], rest.partition("/")[0]
        for arn in self._principals:
            owner, role, path = arn.partition(":role/")
            same_account = owner.rpartition(":")[2] == account
            if role and same_account and path.rpartition("/")[2] == name:
                return arn
        partition = head.split(":")[1] if head.count(":") > 1 else "aws"
        return f"arn:{partition}:iam::{account}:role/{name}"


def _principals(value: Any, scps: list[Layer], unread: list[str]) -> Iterable[tuple[str, Policies]]:
    if not isinstance(value, Mapping):
        raise PolicyError("principals is an object of role ARNs")
    for arn, own in value.items():
        if not arn or not isinstance(own, Mapping):
            raise PolicyError(f"principal {arn}: an object with identity, boundary, session")
        _check_keys(own, _PRINCIPAL_KEYS, f"principal {arn}")
        missing = [*unread, *_names(own.get("unread"), f"principal {arn}, unread")]
        yield arn, Policies([*_own(own, f"{arn} "), *scps], dict.fromkeys(missing))


def _own(data: Mapping[str, Any], owner: str) -> Iterable[Layer]:
    """Yield the principal's own layers; a boundary or session policy that is not there is none."""
    for name in OWN_LAYERS:
        documents = tuple(_documents(data.get(name), f"{owner}{name}"))
        if documents or name == "identity":
            yield Layer(name, documents)


def _documents(value: Any, label: str) -> Iterable[Document]:
    if value is None:
        return
    for number, each in enumerate(value if isinstance(value, list) else [value]):
        yield read_document(each, f"{label}[{number}]")


def _scps(value: Any) -> list[Layer]:
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(level, list) for level in value):
        raise PolicyError("scps is a list of levels from the root down, each a list of documents")
    return [
        Layer(f"scp:{number}", tuple(_documents(level, f"scp:{number}")))
        for number, level in enumerate(value)
    ]


def _names(value: Any, label: str) -> list[str]:
    names = [] if value is None else value
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise PolicyError(f"{label} is a list of layers")
    return list(dict.fromkeys(names))


def _check_keys(data: Mapping[str, Any], known: tuple[str, ...], label: str) -> None:
    """Refuse misspelt keys: a layer that is overlooked would turn a denial into an Allow."""
    for key in data:
        if key not in known and (close := difflib.get_close_matches(str(key).lower(), known, n=1)):
            raise PolicyError(f"{label} has a key {key}; did you mean {close[0]}?")
