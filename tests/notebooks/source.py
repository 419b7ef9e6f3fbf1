"""Programs that are read as source and then run: what was read is what is sent."""

from __future__ import annotations

from typing import Any

from secure_ml_ext.check.notebook import read_python
from secure_ml_ext.inventory import operations
from secure_ml_ext.inventory.paths import absent, expand, get, parse
from tests.notebooks.sdk import Recorder


def compare(source: str, world: dict[str, Any], recorder: Recorder) -> list[str]:
    """Read a program, run it, and compare every security field of every request it sends.

    What the reader calls absent has to be absent, what it gives has to be sent; only where it
    says that it does not know anything may be sent. Returns the operations.
    """
    read = [(item.operation, item.params) for item in read_python(source).items]
    recorder.requests.clear()
    exec(compile(source, "program", "exec"), world)
    wanted = {operation for operation, _ in read}
    sent = [(name, params) for name, params in recorder.requests if name in wanted]
    assert [name for name, _ in read] == [name for name, _ in sent]
    for (operation, seen), (_, real) in zip(read, sent, strict=True):
        fields = operations()[operation].fields
        for pointer in [f.pointer for f in fields] + [p for f in fields for p in f.instances]:
            for place in expand(real, parse(pointer)):
                _same(f"{operation} {pointer}", get(seen, place), get(real, place))
    return [name for name, _ in read]


def _same(where: str, seen: Any, real: Any) -> None:
    if isinstance(seen, dict) and "Unknown" in seen:
        return
    # False is what AWS takes where a flag is left out, and the rules say the same of both.
    if (absent(seen) or seen is False) and (absent(real) or real is False):
        return
    assert seen == real, where
