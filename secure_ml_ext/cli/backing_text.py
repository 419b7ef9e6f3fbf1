"""How ``jupyter secure-ml backup`` speaks: JSON of stable shape, text, progress."""

from __future__ import annotations

import json
import sys
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, TextIO

if TYPE_CHECKING:
    from ..backup.adopt import Adopted
    from ..backup.bucket import BucketFinding
    from ..backup.create import Created, Planned
    from ..backup.diff import Difference
    from ..backup.prune import Pruned
    from ..backup.records import Entry
    from ..backup.restore import Restored
    from ..backup.verify import Verified

_EVERY = {True: 0.1, False: 1.0}
_WIDTH = 20


def show(
    form: str,
    kind: str,
    record: Any,
    lines: Callable[[Any], Iterable[str]],
    findings: Sequence[BucketFinding] | None = None,
) -> None:
    """Print a record: as JSON with its schema, or as text."""
    import msgspec

    if form == "json":
        content = {"schema": f"secure-ml/{kind}@1", **msgspec.to_builtins(record)}
        if findings is not None:
            content["bucket_findings"] = msgspec.to_builtins(findings)
        print(json.dumps(content, indent=2, ensure_ascii=False))
        return
    for line in lines(record):
        print(_printable(line))
    for finding in findings or ():
        print(f"bucket: {finding.message} {finding.remedy}")


def planned(record: Planned) -> list[str]:
    """Say what ``create --dry-run`` found."""
    lines = [
        f"{record.files} files, {size(record.bytes)} in {record.root}; last snapshot: "
        f"{record.base or 'none'}",
        f"{len(record.new)} new, {len(record.read)} to be read, {record.unchanged} unchanged, "
        f"{len(record.gone)} gone",
    ]
    return lines + _left_out([*record.skipped, *record.excluded])


def created(record: Created) -> list[str]:
    """Say what was made."""
    lines = []
    if record.finished:
        lines.append(f"finished {record.finished}, which an interrupted run had left unmarked")
    lines += [
        f"Created {record.uri}",
        f"{record.files} files, {size(record.bytes)}: {record.sent} sent "
        f"({size(record.sent_bytes)}), {record.copied} copied, {record.referenced} referenced"
        + (", taken up from an interrupted run" if record.resumed else ""),
    ]
    lines += [f"changed while read: {path}" for path in record.changed]
    return lines + _left_out([*record.skipped, *record.excluded]) + record.notes


def listed(record: dict[str, Any]) -> list[str]:
    """Say which snapshots there are."""
    if not record["snapshots"]:
        return ["There are no snapshots here; `jupyter secure-ml backup create` makes one."]
    lines = []
    for each in record["snapshots"]:
        counted = "" if each.files is None else f"  {each.files} files, {size(each.bytes or 0)}"
        why = f"  ({each.why})" if each.why else ""
        lines.append(f"{each.snapshot}  {each.state}{counted}{why}")
    return lines


def shown(record: dict[str, Any]) -> list[str]:
    """Say what a snapshot holds."""
    lines = listed({"snapshots": [record["summary"]]})
    header = record["header"]
    if header is not None:
        origin = "adopted from the AWS scripts" if header.adopted else f"of {header.root}"
        lines.append(f"{origin}, {header.created}, by {header.tool}")
        lines += [f"refers to {each}" for each in header.references]
    lines += [_entry(entry) for entry in record["entries"]]
    return lines


def verified(record: Verified) -> list[str]:
    """Say whether a snapshot is what its manifest says."""
    lines = [f"{each.problem}: {each.path}: {each.detail}" for each in record.faults]
    said = f"{record.files} files, {size(record.bytes)}, {record.read} read whole"
    if record.sizes_only:
        said += f"; of {record.sizes_only} only the size could be checked"
    verdict = f"{len(record.faults)} damaged" if record.faults else "nothing is wrong"
    return [*lines, f"{record.snapshot}: {verdict} ({said})"]


def restored(record: Restored) -> list[str]:
    """Say what was, or would be, restored."""
    would = "would be " if record.dry_run else ""
    lines = [f"damaged: {each.path}: {each.detail}" for each in record.faults]
    lines += [f"kept: {each.path}: {each.reason}" for each in record.kept]
    if record.dry_run:
        lines += [f"new: {path}" for path in record.written]
        lines += [f"replaces: {path}" for path in record.replaced]
    lines += _left_out(record.left_out)
    lines.append(
        f"{record.snapshot} to {record.root}: {would}written {len(record.written)}, "
        f"{would}replaced {len(record.replaced)} ({size(record.bytes)}), "
        f"{record.same} the same already, {len(record.kept)} kept"
    )
    if record.announced:
        lines.append("SYNC_COMPLETE written: everything is as in the snapshot")
    return lines


def differing(record: Difference) -> list[str]:
    """Say what differs."""
    groups = (
        ("+", record.added),
        ("-", record.removed),
        ("M", record.changed),
        ("m", record.metadata),
    )
    lines = [f"{mark} {path}" for mark, paths in groups for path in paths]
    return lines or [f"{record.left} and {record.right} are the same"]


def pruned(record: Pruned) -> list[str]:
    """Say what was, or would be, removed."""
    verb = "would remove" if record.dry_run else "removed"
    lines = [f"{verb} {each}" for each in record.removed]
    shared = (
        f"; {record.shared} objects stay, kept snapshots refer to them" if record.shared else ""
    )
    lines.append(
        f"{verb} {len(record.removed)} snapshots, {record.objects} objects, {size(record.bytes)}; "
        f"kept {len(record.kept)}{shared}"
    )
    return lines


def adopted(record: Adopted) -> list[str]:
    """Say what was adopted."""
    return [
        f"{record.snapshot} has a manifest now: {record.files} files, {size(record.bytes)}",
        "What the script skipped when it was made, nobody can know.",
        *_left_out(record.left_out),
    ]


def _entry(entry: Entry) -> str:
    if entry.type == "file":
        return f"{entry.mode:04o} {entry.size:>12,} {entry.path}"
    if entry.type == "symlink":
        return f"link {'':>12} {entry.path} -> {entry.target}"
    if entry.type == "directory":
        return f"{entry.mode:04o} {'':>12} {entry.path}/"
    return f"{entry.type}: {entry.path}: {entry.reason}"


def _left_out(entries: Iterable[Entry]) -> list[str]:
    return [f"{entry.type}: {entry.path}: {entry.reason}" for entry in entries]


def _printable(line: str) -> str:
    """Return a line that cannot steer a terminal, whatever a file is called."""
    return "".join(
        c if c.isprintable() else c.encode("unicode_escape", "replace").decode() for c in line
    )


def size(number: int) -> str:
    """Return a number of bytes for people."""
    value = float(number)
    for unit in ("bytes", "KB", "MB", "GB"):
        if value < 1000:
            return f"{value:.0f} {unit}" if unit == "bytes" else f"{value:.1f} {unit}"
        value /= 1000
    return f"{value:.1f} TB"


class Progress:
    """Files, bytes, rate and time left: a bar on a terminal, JSON lines otherwise (stderr)."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stderr
        self._bar = self._stream.isatty()
        self._lock = threading.Lock()
        self._began = time.monotonic()
        self._last = 0.0
        self._files = self._bytes = self._all_files = self._all_bytes = 0

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, *_: object) -> None:
        if self._all_files and self._bar:
            self._stream.write("\r\x1b[K")
            self._stream.flush()

    def __call__(self, event: str, files: int, number: int) -> None:
        """Take an event of :data:`secure_ml_ext.backup.create.Watch`."""
        with self._lock:
            if event == "total":
                self._all_files, self._all_bytes = files, number
                self._began = time.monotonic()
            else:
                self._files, self._bytes = self._files + files, self._bytes + number
            now = time.monotonic()
            last = self._files == self._all_files
            if last or now - self._last >= _EVERY[self._bar]:
                self._last = now
                self._say(now - self._began)

    def _say(self, seconds: float) -> None:
        rate = self._bytes / seconds if seconds > 0 else 0.0
        left = (self._all_bytes - self._bytes) / rate if rate > 0 else None
        if not self._bar:
            content = {
                "event": "progress",
                "files": self._files,
                "files_total": self._all_files,
                "bytes": self._bytes,
                "bytes_total": self._all_bytes,
                "bytes_per_second": round(rate),
                "seconds_left": None if left is None else round(left),
            }
            self._stream.write(json.dumps(content) + "\n")
        else:
            done = self._bytes / self._all_bytes if self._all_bytes else 1.0
            bar = "#" * round(done * _WIDTH)
            wait = "" if left is None else f", {left:.0f} s left"
            self._stream.write(
                f"\r[{bar:<{_WIDTH}}] {self._files}/{self._all_files} files, {size(self._bytes)} "
                f"of {size(self._all_bytes)}, {size(round(rate))}/s{wait}\x1b[K"
            )
        self._stream.flush()
