"""The schemas of the two events, made from the records.

The YAML files are what an administrator reads and what the server registers; a test
compares them with the records. ``python -m secure_ml_ext.server.event_schemas`` writes them.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from .records import DecisionEvent, SubmissionEvent

# jupyter_events demands that a schema's $id be a URI; "secure-ml/submission" alone is none.
SUBMISSION = "https://events.jupyter.org/secure-ml/submission"
DECISION = "https://events.jupyter.org/secure-ml/decision"
FOLDER = Path(__file__).parent / "events"

_EVENTS: dict[str, tuple[str, type, str, str]] = {
    "submission": (
        SUBMISSION,
        SubmissionEvent,
        "Secure ML: submission",
        "A SageMaker request that the guard saw, with its verdict; sent again, with the same id, "
        "when its outcome is known. It holds values at paths of the field table only.",
    ),
    "decision": (
        DECISION,
        DecisionEvent,
        "Secure ML: decision",
        "An entry of the audit trail: a mode changed, a request blocked, sent anyway or fixed.",
    ),
}


def event_schema(name: str) -> dict[str, Any]:
    """Return the schema of an event (``submission`` or ``decision``) as its records demand."""
    identity, record, title, description = _EVENTS[name]
    (reference,), definitions = msgspec.json.schema_components([record])
    root = definitions.pop(str(reference["$ref"]).rpartition("/")[2])
    return {
        "$id": identity,
        "version": "1",
        "title": title,
        "description": description,
        "personal-data": True,
        "type": "object",
        "required": root["required"],
        "properties": root["properties"],
        "$defs": definitions,
    }


def event_files() -> dict[str, Path]:
    """Return the schema file of each event."""
    return {name: FOLDER / f"{name}.yaml" for name in _EVENTS}


def write() -> None:
    """Write the schema files."""
    import yaml

    for name, path in event_files().items():
        text = yaml.safe_dump(event_schema(name), sort_keys=False, width=100, allow_unicode=True)
        path.write_text(
            "# Made from the records by python -m secure_ml_ext.server.event_schemas\n" + text,
            encoding="utf-8",
        )


if __name__ == "__main__":
    write()
