"""Write the sample notebooks of both SDK generations from those in boto3.

``lab4.ipynb`` and ``abalone.ipynb`` are edited by hand. Their cells have ids that say what they
do; ``v2.md`` and ``v3.md`` in ``scripts/lab4`` and ``scripts/abalone`` hold, under a heading with
such an id, what stands there in the SDK's words: code in a fence, text without. Cells that are
not named are taken over as they are.

``python scripts/build_notebooks.py`` writes; with ``--check`` it only tells what differs.
"""

from __future__ import annotations

import argparse
import copy
import json
import re
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
NOTEBOOKS = ROOT / "secure_ml_ext" / "demo" / "notebooks"
VARIANTS = ROOT / "scripts"
BASES = ("lab4", "abalone")
_HEADING = re.compile(r"^## ([a-z0-9-]+)\n", re.MULTILINE)
_FENCE = re.compile(r"\A```python\n(.*)\n```\Z", re.DOTALL)


class VariantError(Exception):
    """A variant that does not fit the notebook; the message names its heading."""


def variants(text: str) -> dict[str, tuple[str, str]]:
    """Return cell type and source by cell id; what stands before the first heading is a note."""
    parts = _HEADING.split(text)[1:]
    found: dict[str, tuple[str, str]] = {}
    for name, body in zip(parts[::2], parts[1::2], strict=True):
        if name in found:
            raise VariantError(f"{name} is there twice")
        fence = _FENCE.match(body.strip())
        found[name] = ("code", fence.group(1)) if fence else ("markdown", body.strip())
    return found


def generate(base: dict[str, Any], text: str) -> dict[str, Any]:
    """Return the notebook with the variants of ``text`` in place of the cells they name."""
    notebook = copy.deepcopy(base)
    left = variants(text)
    for cell in notebook["cells"]:
        if cell["id"] not in left:
            continue
        kind, source = left.pop(cell["id"])
        if kind != cell["cell_type"]:
            raise VariantError(f"{cell['id']} is {cell['cell_type']} in the notebook, here {kind}")
        cell["source"] = source.splitlines(keepends=True)
    if left:
        raise VariantError(f"the notebook has no cell {', '.join(left)}")
    return notebook


def built() -> dict[Path, str]:
    """Return every generated notebook's text by its path."""
    result = {}
    for name in BASES:
        base = json.loads((NOTEBOOKS / f"{name}.ipynb").read_text(encoding="utf-8"))
        for generation in ("v2", "v3"):
            text = (VARIANTS / name / f"{generation}.md").read_text(encoding="utf-8")
            made = generate(base, text)
            notebook = json.dumps(made, indent=1, ensure_ascii=False, sort_keys=True)
            result[NOTEBOOKS / f"{name}-sdk-{generation}.ipynb"] = notebook + "\n"
    return result


def main() -> int:
    """Write the notebooks, or compare; returns 1 when a committed one is not what it should be."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--check", action="store_true", help="write nothing, tell what differs")
    only_check = parser.parse_args().check
    differ = []
    for path, text in built().items():
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            differ.append(path.name)
            if not only_check:
                path.write_text(text, encoding="utf-8")
    for name in differ:
        print(f"{name} {'differs' if only_check else 'written'}")
    return 1 if differ and only_check else 0


if __name__ == "__main__":
    sys.exit(main())
