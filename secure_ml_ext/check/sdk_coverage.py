"""What each generation of the SageMaker SDK takes from the file of ``sdk_defaults``, as data.

Measured with sagemaker 2.257 and 3.27 by tests/sdk2/test_sdk_defaults_v2.py and
tests/sdk3/test_sdk_defaults_v3.py, which submit every line of the table and compare. The command
line says it and docs/sdk-defaults.md shows it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from msgspec import Struct

from ..inventory.words import CONTROL_TITLES, ControlName

Generation = Literal["v2", "v3"]

# What a configuration file could carry at all; images and redundancy are decided job by job.
CONTROLS: tuple[ControlName, ...] = (
    "vpc",
    "volume-kms",
    "output-kms",
    "capture-kms",
    "store-kms",
    "isolation",
    "traffic-encryption",
)


class Ignored(Struct, frozen=True):
    """Controls that a submission does not take from the file, and why."""

    controls: tuple[ControlName, ...]
    why: str


class Submission(Struct, frozen=True):
    """One way to submit one request, with the controls that the file fills and those it does not.

    Only controls that the request has are named: a transform job has no network of its own.
    """

    sdk: Generation
    how: str
    operation: str
    filled: tuple[ControlName, ...] = ()
    ignored: tuple[Ignored, ...] = ()

    def missed(self) -> tuple[ControlName, ...]:
        """Return the controls that are not filled."""
        return tuple(name for each in self.ignored for name in each.controls)


_JOB: tuple[ControlName, ...] = (
    "vpc",
    "volume-kms",
    "output-kms",
    "isolation",
    "traffic-encryption",
)
_NETWORK: tuple[ControlName, ...] = ("vpc", "isolation", "traffic-encryption")
_AUTOML: tuple[ControlName, ...] = ("vpc", "volume-kms", "output-kms", "traffic-encryption")
_KEYS: tuple[ControlName, ...] = ("volume-kms", "output-kms")
_ENDPOINT: tuple[ControlName, ...] = ("volume-kms", "output-kms", "capture-kms")

TRANSFORM = (
    "the Transformer of SDK v3 fails on these keys, so the file leaves them out; "
    "`--sdk v2` writes them"
)
_REMOTE = "the file has no key for it"
_RESOURCES = (
    "the classes of `sagemaker.core.resources` look for keys that the SDK's own schema refuses"
)
_TRAINER_KEYS = "ModelTrainer sets its machine and output before it reads the file"
_TUNER = "the tuner reads its ModelTrainer before that has read the file"

COVERAGE: tuple[Submission, ...] = (
    Submission("v2", "Estimator.fit()", "CreateTrainingJob", _JOB),
    Submission(
        "v2",
        "sagemaker.modules ModelTrainer.train()",
        "CreateTrainingJob",
        ignored=(Ignored(_JOB, "its session is one of sagemaker-core and holds no configuration"),),
    ),
    Submission(
        "v2",
        "@remote",
        "CreateTrainingJob",
        _AUTOML,
        (Ignored(("isolation",), _REMOTE),),
    ),
    Submission("v2", "Processor.run()", "CreateProcessingJob", _JOB),
    Submission(
        "v2",
        "Transformer.transform()",
        "CreateTransformJob",
        ignored=(Ignored(_ENDPOINT, TRANSFORM),),
    ),
    Submission("v2", "HyperparameterTuner.fit()", "CreateHyperParameterTuningJob", _JOB),
    Submission("v2", "Model.create()", "CreateModel", ("vpc", "isolation")),
    Submission("v2", "Model.deploy()", "CreateEndpointConfig", _ENDPOINT),
    Submission("v2", "pipeline TrainingStep", "CreateTrainingJob", _JOB),
    Submission("v2", "pipeline ModelStep", "CreateModel", ("vpc", "isolation")),
    Submission("v2", "pipeline ModelStep, its RepackModel step", "CreateTrainingJob", _JOB),
    Submission("v2", "AutoML.fit()", "CreateAutoMLJob", _AUTOML),
    Submission("v2", "AutoMLV2.fit()", "CreateAutoMLJobV2", _AUTOML),
    Submission("v2", "Model.compile()", "CreateCompilationJob", ("vpc", "output-kms")),
    Submission("v2", "FeatureGroup.create()", "CreateFeatureGroup", ("store-kms",)),
    Submission("v2", "ModelMonitor.create_monitoring_schedule()", "CreateMonitoringSchedule", _JOB),
    Submission(
        "v3",
        "ModelTrainer.train()",
        "CreateTrainingJob",
        _NETWORK,
        (Ignored(_KEYS, _TRAINER_KEYS),),
    ),
    Submission(
        "v3",
        "@remote",
        "CreateTrainingJob",
        _AUTOML,
        (Ignored(("isolation",), _REMOTE),),
    ),
    Submission("v3", "Processor.run()", "CreateProcessingJob", _JOB),
    Submission(
        "v3",
        "Transformer.transform()",
        "CreateTransformJob",
        ignored=(Ignored(_ENDPOINT, "the Transformer fails on these keys: the file has none"),),
    ),
    Submission(
        "v3",
        "HyperparameterTuner.tune()",
        "CreateHyperParameterTuningJob",
        ignored=(Ignored(_JOB, _TUNER),),
    ),
    Submission(
        "v3",
        "ModelBuilder.build()",
        "CreateModel",
        ("vpc",),
        (Ignored(("isolation",), "ModelBuilder says False where code says nothing"),),
    ),
    Submission("v3", "ModelBuilder.deploy()", "CreateEndpointConfig", _ENDPOINT),
    Submission(
        "v3",
        "pipeline TrainingStep",
        "CreateTrainingJob",
        _NETWORK,
        (Ignored(_KEYS, _TRAINER_KEYS),),
    ),
    Submission("v3", "ModelMonitor.create_monitoring_schedule()", "CreateMonitoringSchedule", _JOB),
    Submission(
        "v3",
        "resources.TrainingJob.create()",
        "CreateTrainingJob",
        ignored=(Ignored(_JOB, _RESOURCES),),
    ),
    Submission(
        "v3",
        "resources.Model.create()",
        "CreateModel",
        ignored=(Ignored(("vpc", "isolation"), _RESOURCES),),
    ),
    Submission(
        "v3",
        "resources.EndpointConfig.create()",
        "CreateEndpointConfig",
        ignored=(Ignored(("volume-kms", "capture-kms"), _RESOURCES),),
    ),
)

# What no generation's table lists: code that does not go through the SDK.
OUTSIDE = "boto3, the AWS CLI and infrastructure as code do not read the file at all."


def coverage(sdk: Generation, *, transform: bool = False) -> list[Submission]:
    """Return a generation's lines; ``transform`` says that the file has the keys for it."""
    lines = [line for line in COVERAGE if line.sdk == sdk]
    if not transform:
        return lines
    return [
        Submission(sdk, line.how, line.operation, _ENDPOINT)
        if line.operation == "CreateTransformJob"
        else line
        for line in lines
    ]


def titles(controls: tuple[ControlName, ...]) -> str:
    """Return controls in words, e.g. ``VPC, volume key``."""
    words = (CONTROL_TITLES[name] for name in controls)
    return ", ".join(word if word.isupper() else word.lower() for word in words)


def ignored_lines(sdk: Generation, *, transform: bool = False) -> Iterator[str]:
    """Yield what a generation ignores as text, grouped by the reason."""
    reasons: dict[str, list[str]] = {}
    for line in coverage(sdk, transform=transform):
        for each in line.ignored:
            reasons.setdefault(each.why, []).append(f"{line.how}: {titles(each.controls)}")
    for why, lines in reasons.items():
        yield f"{why.replace('`', '')}:"
        yield from (f"  {line}" for line in lines)


def markdown(sdk: Generation) -> str:
    """Return a generation's table for the documentation."""
    rows = [
        "| Submitted with | Request | From the file | Ignored, and why |",
        "| --- | --- | --- | --- |",
    ]
    for line in coverage(sdk):
        ignored = "; ".join(f"**{titles(each.controls)}**: {each.why}" for each in line.ignored)
        filled = titles(line.filled) or "nothing"
        rows.append(f"| {_code(line.how)} | `{line.operation}` | {filled} | {ignored or '–'} |")
    return "\n".join(rows) + "\n"


def _code(how: str) -> str:
    """Return a way to submit with its calls as code."""
    return how if how.startswith("pipeline") else f"`{how}`"
