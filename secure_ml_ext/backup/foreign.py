"""Snapshots of the AWS scripts: plain objects without a manifest, read with suspicion."""

from __future__ import annotations

from .ignore import OWN_NAMES, default_folder
from .keys import SnapshotName
from .manifest import check_path
from .records import Entry
from .scan import skipped
from .store import Object, Store


def foreign_content(store: Store, snapshot: SnapshotName) -> tuple[list[Entry], list[Entry]]:
    """Return files and their folders as the objects tell them, and what is left out and why.

    Modes are not known (0644, 0755); times are those of the upload; sizes are S3's, digests none.
    Markers, ``.ipynb_checkpoints`` and the other default exclusions are left out.
    """
    files: dict[str, Object] = {}
    left_out: list[Entry] = []
    for each in store.objects(snapshot.prefix):
        path = each.key[len(snapshot.prefix) :]
        reason = _refused(path)
        if reason == "default":
            left_out.append(Entry(path, "excluded", reason=reason))
        elif reason is not None:
            left_out.append(skipped(path, reason))
        elif not path.endswith("/"):  # the console's way to make a folder
            files[path] = each
    folders: dict[str, int] = {}
    entries = []
    for path, each in files.items():
        parents = _parents(path)
        if any(parent in files for parent in parents):
            left_out.append(skipped(path, "lies below what is a file here"))
            continue
        mtime = int(each.modified.timestamp()) * 1_000_000_000
        for parent in parents:
            folders[parent] = max(folders.get(parent, 0), mtime)
        entries.append(
            Entry(path, "file", mode=0o644, mtime_ns=mtime, size=each.size, key=each.key)
        )
    made = [Entry(path, "directory", mode=0o755, mtime_ns=at) for path, at in folders.items()]
    return sorted([*made, *entries], key=lambda entry: entry.path.encode()), left_out


def _refused(path: str) -> str | None:
    plain = path[:-1] if path.endswith("/") else path
    if plain == "" or plain.split("/")[0] in OWN_NAMES:
        return "default"
    if any(default_folder(part) for part in path.split("/")[:-1]):
        return "default"
    try:
        check_path(plain)
    except ValueError as error:
        return str(error)
    return None


def _parents(path: str) -> list[str]:
    parts = path.split("/")[:-1]
    return ["/".join(parts[: end + 1]) for end in range(len(parts))]
