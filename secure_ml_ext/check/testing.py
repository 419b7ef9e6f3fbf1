"""For the tests of pipelines: ``assert_compliant`` fails where a step breaks a rule or a policy.

It needs no plug-in of pytest and no account; see docs/pipelines.md.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, get_args

from ..iam import PolicyBundle
from ..inventory.words import Severity
from ..rules.baseline import Baseline
from ..rules.model import Rule
from ..rules.profile import Profile
from .documents import Checker
from .files import read_file
from .pipeline import definition_of, read_pipeline
from .pipeline_values import Parameters
from .records import Report
from .text import report_text

_SEVERITIES: tuple[Severity, ...] = get_args(Severity)


def assert_compliant(
    pipeline: Any,
    *,
    profile: Profile | None = None,
    bundle: PolicyBundle | Mapping[str, Any] | None = None,
    rules: Baseline | Iterable[Rule] | None = None,
    parameters: Parameters | None = None,
    role: str | None = None,
    fail_on: Severity = "error",
) -> Report:
    """Check every step of a pipeline and raise ``AssertionError`` with the report's text.

    ``pipeline`` is a ``Pipeline`` object of SageMaker Python SDK v2 or v3, its definition as text
    or parsed, or the path of a file that holds it. ``parameters`` are those of the execution,
    ``role`` is the pipeline's role, for which ``bundle`` is evaluated; what IAM denies counts as
    an error, what it leaves open as a warning. Fails on findings of ``fail_on`` (``error``,
    ``warning`` or ``info``) or worse, else returns the report. Raises ``InputError`` for what is
    no pipeline.
    """
    __tracebackhide__ = True  # pytest then shows the caller's line
    if fail_on not in _SEVERITIES:
        raise ValueError(f"fail_on is one of {', '.join(_SEVERITIES)}, not {fail_on!r}")
    if bundle is not None and not isinstance(bundle, PolicyBundle):
        bundle = PolicyBundle.from_dict(bundle)
    definition, path = _definition(pipeline)
    reading = read_pipeline(definition, parameters=parameters, role=role)
    report = Checker.of(profile, rules, bundle).report(reading, path)
    counted = _SEVERITIES[: _SEVERITIES.index(fail_on) + 1]
    if any(getattr(report.summary, severity) for severity in counted):
        raise AssertionError(f"the pipeline is not compliant\n{report_text(report)}")
    return report


def _definition(pipeline: Any) -> tuple[str | Mapping[str, Any], str | None]:
    """Return the definition and, where it was read from a file, the file's path."""
    if isinstance(pipeline, Mapping):
        return pipeline, None
    if isinstance(pipeline, str) and pipeline.lstrip("\ufeff \t\r\n").startswith(("{", "[")):
        return pipeline, None
    if isinstance(pipeline, (str, os.PathLike)):
        path = Path(pipeline)
        return read_file(path), str(path)
    return definition_of(pipeline), None
