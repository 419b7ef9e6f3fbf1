"""Writes the JSON schemas of the files people edit: rules, configuration, profile, report.

They are generated from the records that read those files. ``--check`` compares instead and
exits 1 when a committed schema is old.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import msgspec

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from secure_ml_ext.check.records import Report  # noqa: E402
from secure_ml_ext.rules.config import Level  # noqa: E402
from secure_ml_ext.rules.model import RuleFile  # noqa: E402
from secure_ml_ext.rules.profile import Profile  # noqa: E402

FOLDER = ROOT / "docs" / "schemas"
FILES: dict[str, Any] = {
    "config": Level,
    "profile": Profile,
    "report": Report,
    "rules": RuleFile,
}


def text(name: str) -> str:
    """Return one schema as the committed file holds it."""
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema"}
    schema |= msgspec.json.schema(FILES[name])
    return json.dumps(schema, indent=1, ensure_ascii=False) + "\n"


def main() -> int:
    """Write or compare the schemas."""
    old = 0
    for name in FILES:
        target = FOLDER / f"{name}.schema.json"
        if "--check" in sys.argv[1:]:
            if not target.exists() or target.read_text(encoding="utf-8") != text(name):
                print(f"{target.name} is old: run python scripts/build_schemas.py")
                old = 1
        else:
            FOLDER.mkdir(parents=True, exist_ok=True)
            target.write_text(text(name), encoding="utf-8")
    return old


if __name__ == "__main__":
    raise SystemExit(main())
