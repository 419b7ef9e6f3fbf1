"""Brings a snapshot back: first everything is checked, then written, and only then announced."""

from __future__ import annotations

import datetime
import errno
import os
import stat
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from typing import Literal

from msgspec import Struct

from .create import Watch, unwatched, write_beside
from .records import RESTORED, BackupError, BadRequest, Entry, encoded
from .store import WORKERS, Damaged, Store
from .tree import Blocked, Tree
from .verify import Content, Fault, checked_chunks, etag_md5, heads

Overwrite = Literal["never", "older", "all"]
Act = Literal["write", "replace", "same", "keep"]


class Wish(Struct, frozen=True):
    """What to restore: into ``root``, only ``paths`` (files or folders; empty: everything).

    ``damaged`` goes on although objects are damaged, and leaves those out.
    """

    root: Path
    paths: tuple[str, ...] = ()
    overwrite: Overwrite = "never"
    dry_run: bool = False
    damaged: bool = False


class Step(Struct, frozen=True):
    """What happens to one entry, and why it is kept; ``old`` is the size of what it replaces."""

    entry: Entry
    act: Act
    why: str | None = None
    old: int = 0


class Kept(Struct, frozen=True):
    """A path that was left as it is here."""

    path: str
    reason: str


class Restored(Struct, frozen=True):
    """The outcome. ``announced`` says that ``SYNC_COMPLETE`` was written: all is as in S3."""

    snapshot: str
    root: str
    dry_run: bool
    written: list[str]
    replaced: list[str]
    bytes: int
    same: int
    kept: list[Kept]
    left_out: list[Entry]
    faults: list[Fault]
    announced: bool


def restore(store: Store, content: Content, wish: Wish, watch: Watch = unwatched) -> Restored:
    """Restore; raises ``BackupError`` before anything is written, or where the disk is full."""
    chosen = choose(content.entries, wish.paths)
    faults = heads(store, [entry for entry in chosen if entry.type == "file"])
    if faults and not (wish.damaged or wish.dry_run):
        first = faults[0]
        raise BackupError(
            f"{len(faults)} objects of {content.snapshot} are damaged, nothing was written; the "
            f"first is {first.path}: {first.detail}. `verify` lists them; --accept-incomplete "
            "restores the others"
        )
    bad = {fault.path for fault in faults}
    chosen = [entry for entry in chosen if entry.path not in bad or entry.type != "file"]
    root = _root(wish)
    if root is None:  # a dry run into a folder that is not there yet
        steps = [Step(entry, "write") for entry in chosen]
        return _outcome(content, wish, steps, faults, announced=False)
    with Tree(root) as tree:
        steps = plan(tree, chosen, wish.overwrite)
        _check_space(tree, steps)
        if wish.dry_run:
            return _outcome(content, wish, steps, faults, announced=False)
        whole = not wish.paths
        if whole:
            tree.remove(RESTORED)  # of an earlier restore: not true while this one runs
        files = [step for step in steps if step.entry.type == "file"]
        watch("total", len(files), sum(step.entry.size for step in files))
        faults = faults + _write(store, tree, steps, content.manifest is None, watch)
        _finish(tree, steps, whole)
        kept = any(step.act == "keep" for step in steps)
        announced = whole and not faults and not kept and content.manifest is not None
        if announced:
            _announce(root, store, content)
    return _outcome(content, wish, steps, faults, announced=announced)


def choose(entries: list[Entry], paths: tuple[str, ...]) -> list[Entry]:
    """Return the entries at or below the paths, and the folders above them.

    Raises ``BadRequest`` for a path that is not in the snapshot.
    """
    if not paths:
        return entries
    chosen: dict[str, Entry] = {}
    for given in paths:
        path = given.strip("/")
        found = [
            entry
            for entry in entries
            if path in (entry.location, entry.path) or entry.location.startswith(f"{path}/")
        ]
        if not found:
            raise BadRequest(f"{given!r} is not in the snapshot; `show` lists what is")
        chosen.update({entry.location: entry for entry in found})
    above = {parent for path in chosen for parent in _parents(path)}
    return [entry for entry in entries if entry.location in chosen or entry.location in above]


def plan(tree: Tree, entries: list[Entry], overwrite: Overwrite) -> list[Step]:
    """Say for every entry what is to be done; reads the files that might be the same."""
    with ThreadPoolExecutor(4, thread_name_prefix="secure-ml-plan") as pool:
        steps = list(pool.map(lambda entry: _step(tree, entry, overwrite), entries))
    kept = {step.entry.location for step in steps if step.act == "keep"}
    replaced = {step.entry.location for step in steps if step.act == "replace"}
    blocked = "what must be a folder is kept as it is"
    result = []
    for step in steps:
        parents = _parents(step.entry.location)
        if any(parent in kept for parent in parents):
            result.append(Step(step.entry, "keep", blocked))
        elif step.act == "keep" and any(parent in replaced for parent in parents):
            result.append(Step(step.entry, "write"))
        else:
            result.append(step)
    return result


def _step(tree: Tree, entry: Entry, overwrite: Overwrite) -> Step:
    try:
        status = tree.status(entry.location)
    except Blocked as error:
        return Step(entry, "keep", str(error))
    except OSError as error:
        return Step(entry, "keep", f"cannot be looked at: {error.strerror}")
    if status is None:
        return Step(entry, "write")
    if _same(tree, entry, status):
        return Step(entry, "same")
    if stat.S_ISDIR(status.st_mode):
        return Step(entry, "keep", "a folder is in the way")
    if entry.type == "directory":
        if overwrite == "all":
            return Step(entry, "replace", old=status.st_size)
        return Step(entry, "keep", "no folder, but the snapshot has one here")
    if overwrite == "all" or (overwrite == "older" and status.st_mtime_ns < entry.mtime_ns):
        return Step(entry, "replace", old=status.st_size)
    return Step(entry, "keep", "differs" if overwrite == "never" else "differs and is not older")


def _same(tree: Tree, entry: Entry, status: os.stat_result) -> bool:
    if entry.type == "directory":
        return stat.S_ISDIR(status.st_mode)
    if entry.type == "symlink":
        return stat.S_ISLNK(status.st_mode) and tree.target(entry.location) == entry.link
    if not stat.S_ISREG(status.st_mode) or status.st_size != entry.size:
        return False
    if entry.sha256 is None:  # of the AWS scripts: an earlier restore gave it this time
        return status.st_mtime_ns == entry.mtime_ns
    return tree.digest(entry.location) == entry.sha256


def _root(wish: Wish) -> Path | None:
    """Return the folder to restore into, made if need be; None if a dry run finds none."""
    root = Path(wish.root)
    try:
        if not root.exists():
            if wish.dry_run:
                return None
            root.mkdir(parents=True)
        root = root.resolve(strict=True)
    except OSError as error:
        raise BackupError(f"{root}: cannot be made: {error.strerror}") from error
    if not root.is_dir():
        raise BadRequest(f"{root} is no folder")
    if not wish.dry_run and not os.access(root, os.W_OK | os.X_OK):
        raise BackupError(f"{root}: this user may not write there; nothing was written")
    return root


def _check_space(tree: Tree, steps: list[Step]) -> None:
    writes = [step for step in steps if step.act in ("write", "replace")]
    sizes = [step.entry.size for step in writes]
    # Each new file stands beside the old one until it is whole.
    needed = sum(sizes) - sum(step.old for step in writes) + max(sizes, default=0)
    free = tree.free()
    if needed > free:
        raise BackupError(
            f"The disk has {free:,} bytes left, the restore needs {needed:,}; nothing was "
            "written. Make room, or restore a part with --path"
        )


def _write(store: Store, tree: Tree, steps: list[Step], foreign: bool, watch: Watch) -> list[Fault]:
    """Write folders, then files, then links; returns what turned out to be damaged."""
    for step in steps:
        if step.entry.type == "directory" and step.act in ("write", "replace"):
            tree.folder(step.entry.location, replace=step.act == "replace")
    faults: list[Fault] = []
    files = [step for step in steps if step.entry.type == "file"]
    pool = ThreadPoolExecutor(WORKERS, thread_name_prefix="secure-ml-restore")
    try:
        waiting = {pool.submit(_write_file, store, tree, step, foreign): step for step in files}
        for future in as_completed(waiting):
            entry = waiting[future].entry
            try:
                future.result()
            except Damaged as error:
                faults.append(Fault(entry.path, entry.key or "", "content", str(error)))
            except OSError as error:
                raise _failed(entry, error) from error
            watch("done", 1, entry.size)
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
    for step in steps:
        if step.entry.type == "symlink" and step.act in ("write", "replace"):
            tree.link(step.entry.location, step.entry.link, step.entry.mtime_ns)
    return faults


def _write_file(store: Store, tree: Tree, step: Step, foreign: bool) -> None:
    entry = step.entry
    if step.act == "same":
        tree.dress(entry.location, entry.mode, entry.mtime_ns)
    elif step.act != "keep":
        md5 = etag_md5(store, entry) if foreign else None
        chunks = checked_chunks(store, entry, md5)
        tree.write(entry.location, chunks, entry.mode, entry.mtime_ns)


def _failed(entry: Entry, error: OSError) -> BackupError:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return BackupError(
            f"The disk is full at {entry.path}; what stood there is as it was. Make room and run "
            "the same restore again: it goes on from here"
        )
    return BackupError(f"{entry.path} cannot be written: {error.strerror}")


def _finish(tree: Tree, steps: list[Step], whole: bool) -> None:
    """Give folders their modes and times, the deepest first: nothing is written into them now.

    Where only a part is restored, folders that were there already stay as they are.
    """
    acts: tuple[Act, ...] = ("write", "replace", "same") if whole else ("write", "replace")
    folders = [s.entry for s in steps if s.entry.type == "directory" and s.act in acts]
    for entry in sorted(folders, key=lambda each: -each.location.count("/")):
        try:
            tree.dress(entry.location, entry.mode, entry.mtime_ns)
        except PermissionError as error:
            raise _failed(entry, error) from error
    tree.sync()


def _announce(root: Path, store: Store, content: Content) -> None:
    now = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M:%S UTC")
    text = (
        f"Completed at {now}\nRestored s3://{store.bucket}/{content.snapshot.prefix}\n"
        f"manifest-sha256: {content.manifest}\n"
    )
    try:
        write_beside(root / RESTORED, text)
    except OSError as error:
        raise BackupError(f"{root / RESTORED} cannot be written: {error.strerror}") from error


def _parents(path: str) -> list[str]:
    parts = path.split("/")[:-1]
    return ["/".join(parts[: end + 1]) for end in range(len(parts))]


def _outcome(
    content: Content, wish: Wish, steps: list[Step], faults: list[Fault], *, announced: bool
) -> Restored:
    bad = {fault.path for fault in faults}
    done = [step for step in steps if step.entry.path not in bad]
    return Restored(
        snapshot=str(content.snapshot),
        root=encoded(str(wish.root))[0],
        dry_run=wish.dry_run,
        written=[step.entry.path for step in done if step.act == "write"],
        replaced=[step.entry.path for step in done if step.act == "replace"],
        bytes=sum(step.entry.size for step in done if step.act in ("write", "replace")),
        same=sum(step.act == "same" for step in done),
        kept=[Kept(step.entry.path, step.why or "") for step in done if step.act == "keep"],
        left_out=content.left_out,
        faults=faults,
        announced=announced,
    )
