"""Any document that holds requests: told by its content, read, and checked request by request.

Kinds: a request, a pipeline definition, Describe replies, CloudTrail and EventBridge events, a
CloudFormation template, a notebook, Python source. Everything becomes a request, and there is one
check for all.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Literal, get_args

from msgspec import Struct
from msgspec.structs import replace

from ..iam import PolicyBundle
from ..rules.baseline import Baseline
from ..rules.config import Waiver
from ..rules.model import Rule
from ..rules.profile import Profile
from . import access
from .caller import Caller, Resolver
from .describe import is_describe, read_describe
from .event import is_event, read_event
from .files import InputError, kind_of_json, parse_json, request_in
from .items import Item, Reading
from .notebook import is_notebook, read_notebook, read_python
from .pipeline import is_pipeline, read_pipeline
from .pipeline_request import PIPELINES, steps_of
from .records import Note, Report, Subject
from .request import baseline_of, check_subject
from .template import is_template, read_template

Kind = Literal["request", "pipeline", "describe", "event", "template", "notebook", "python"]
KINDS: tuple[Kind, ...] = get_args(Kind)
_YAML_TEMPLATE = re.compile(r"^(AWSTemplateFormatVersion|Resources)\s*:", re.MULTILINE)
_POLICY_TEXT = re.compile(r'"Statement"\s*:')
_POLICY = (
    "it is a policy, no request: check it with `jupyter secure-ml lint-policy`, or name it with "
    "--policies"
)
_BY_SUFFIX: Mapping[str, Kind] = {".ipynb": "notebook", ".py": "python"}


class Asked(Struct, frozen=True, kw_only=True):
    """What the user says about a document: its kind, the call, the role, pipeline parameters.

    ``resolver`` reads the definition of a pipeline that a request only names.
    """

    kind: Kind | None = None
    operation: str | None = None
    role: str | None = None
    parameters: Mapping[str, Any] = {}
    resolver: Resolver | None = None


def read_text(text: str, origin: str, asked: Asked = Asked()) -> Reading:  # noqa: B008
    """Return the requests in a document given as text; ``origin`` names it in errors.

    JSON and YAML are told apart by trying. Raises ``InputError`` with the place where the
    document, or the kind that was asked for, does not fit.
    """
    with _named(origin):
        return _read_text(text, origin, asked)


@contextmanager
def _named(origin: str) -> Iterator[None]:
    """Put the document's name in front of what is wrong with it."""
    try:
        yield
    except InputError as error:
        said = str(error)
        raise InputError(said if said.startswith(origin) else f"{origin}: {said}") from error


def _read_text(text: str, origin: str, asked: Asked) -> Reading:
    suffix = origin[origin.rfind(".") :].lower() if "." in origin else ""
    kind = asked.kind or _BY_SUFFIX.get(suffix)
    if kind == "python":
        return read_python(text)
    yaml = suffix in (".yaml", ".yml") or (
        not _looks_like_json(text) and _YAML_TEMPLATE.search(text) is not None
    )
    if kind == "template" or (yaml and kind is None):
        return read_template(text, pipeline_reader=read_pipeline)
    if yaml:
        raise InputError(f"a {kind} is JSON, this is YAML")
    try:
        content = parse_json(text, origin)
    except InputError as error:
        if _POLICY_TEXT.search(text) is None:
            raise
        raise InputError(f"{error}; {_POLICY}") from error
    return read_content(content, origin, replace(asked, kind=kind))


def _looks_like_json(text: str) -> bool:
    return text.lstrip()[:1] in ("{", "[")


def read_content(
    content: Any,
    origin: str = "the document",
    asked: Asked = Asked(),  # noqa: B008
) -> Reading:
    """Return the requests in parsed JSON."""
    with _named(origin):
        return _reader(asked.kind or detect(content), content, asked, origin)


def detect(content: Any) -> Kind:
    """Return the kind of parsed JSON; a request where it is nothing else."""
    if isinstance(content, dict) and "operation" in {str(key).lower() for key in content}:
        return "request"
    tests: tuple[tuple[Kind, Callable[[Any], bool]], ...] = (
        ("notebook", is_notebook),
        ("event", is_event),
        ("template", is_template),
        ("pipeline", is_pipeline),
        ("describe", is_describe),
    )
    return next((kind for kind, test in tests if test(content)), "request")


def _not_a_policy(content: Any) -> None:
    """Say what to do with a policy, which is easily given in the place of a request."""
    if isinstance(content, dict) and {"Statement", "principals", "scps"} & content.keys():
        raise InputError(_POLICY)


def _reader(kind: Kind, content: Any, asked: Asked, origin: str) -> Reading:
    if kind == "request":
        _not_a_policy(content)
        operation, params = request_in(content, origin, asked.operation)
        item = Item(operation=operation, params=params, kind="request")
        if operation not in PIPELINES:
            return Reading([item])
        steps = steps_of(operation, params, asked.resolver)
        return Reading([item, *steps.items], steps.notes)
    if kind == "describe":
        return read_describe(content, operation=asked.operation, pipeline_reader=read_pipeline)
    if kind == "event":
        return read_event(content, pipeline_reader=read_pipeline)
    if not isinstance(content, dict):
        raise InputError(f"a {kind} is a JSON object, this is {kind_of_json(content)}")
    if kind == "notebook":
        return read_notebook(content)
    if kind == "template":
        return read_template(content, pipeline_reader=read_pipeline)
    return read_pipeline(content, parameters=asked.parameters, role=asked.role)


class Checker(Struct, frozen=True, kw_only=True):
    """Everything a check needs beside the document."""

    profile: Profile = Profile()
    baseline: Baseline
    bundle: PolicyBundle | None = None
    caller: Caller = Caller()
    resolver: Resolver | None = None
    waivers: tuple[Waiver, ...] = ()

    @classmethod
    def of(
        cls,
        profile: Profile | None = None,
        rules: Baseline | Iterable[Rule] | None = None,
        bundle: PolicyBundle | None = None,
        caller: Caller | None = None,
        resolver: Resolver | None = None,
        waivers: Iterable[Waiver] = (),
    ) -> Checker:
        """Fill in what was not given."""
        return cls(
            profile=profile or Profile(),
            baseline=baseline_of(rules),
            bundle=bundle,
            caller=caller or Caller(),
            resolver=resolver,
            waivers=tuple(waivers),
        )

    def caller_of(self, item: Item) -> Caller:
        """Return who sends a request: the caller, or the role of a pipeline."""
        if item.role is None or item.role == self.caller.role_arn:
            return self.caller
        # Another role has other tags, and does not go through the caller's endpoint.
        return Caller(region=self.caller.region, role_arn=item.role)

    def asked(self, item: Item) -> access.Asked:
        """Return the question to IAM about a request; there has to be a bundle."""
        if self.bundle is None:
            raise ValueError("no policies to ask")
        return access.Asked(item.operation, self.bundle, self.caller_of(item), self.resolver)

    def subject(self, item: Item, path: str | None = None) -> Subject:
        """Check one request, sent by its own role where it has one."""
        return check_subject(
            item.operation,
            item.params,
            profile=self.profile,
            baseline=self.baseline,
            bundle=self.bundle,
            caller=self.caller_of(item),
            resolver=self.resolver,
            waivers=self.waivers,
            path=path,
            kind=item.kind,
            where=item.where,
            note=item.note,
        )

    def subjects(self, reading: Reading, path: str | None = None) -> list[Subject]:
        """Check every request of a document."""
        return [self.subject(item, path) for item in reading.items]

    def report(self, reading: Reading, path: str | None = None) -> Report:
        """Return the report of one document."""
        return Report.of(self.subjects(reading, path), notes_of(reading, path))


def notes_of(reading: Reading, path: str | None) -> list[Note]:
    """Return the notes of a document with its name."""
    return [replace(note, path=path) for note in reading.notes]
