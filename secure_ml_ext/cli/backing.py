"""Snapshots of the notebook's volume in S3: make, list, verify, restore, compare, prune them.

A snapshot is called <name>_<YYYY-MM-DD-HH-MM-SS> (UTC) or by its S3 URI. Bucket, name, folder,
key and account come from the profile, the notebook instance's tags and SageMaker's metadata where
they are not said. Exit code: 0 done, 1 failed or damaged, 2 bad usage, 3 done but files were
skipped or kept (they are named).
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from .common import BAD_INPUT, OBJECTION, OK, UsageError

if TYPE_CHECKING:
    from ..backup.settings import Said
    from ..backup.store import Store
    from ..backup.verify import Content

SKIPPED = 3


def register(commands: Any) -> None:
    """Add ``backup`` to the command line."""
    backup = commands.add_parser(
        "backup", help="make, verify and restore snapshots of the volume", description=__doc__
    )
    backup.set_defaults(run=lambda arguments: _usage(backup))
    kinds = backup.add_subparsers(dest="backup", metavar="ACTION")

    def add(name: str, text: str, run: Callable[[argparse.Namespace], int]) -> Any:
        parser = kinds.add_parser(name, help=text, description=__doc__)
        parser.add_argument("--bucket", metavar="B", help="the bucket of the snapshots")
        parser.add_argument("--bucket-owner", metavar="ACCOUNT",
            help="the account that must own the bucket (default: this role's)")  # fmt: skip
        parser.add_argument("--endpoint-url", metavar="URL", help="another address than AWS's")
        parser.add_argument("--format", choices=("text", "json"), default="text",
            help="how to print (default: text)")  # fmt: skip
        parser.set_defaults(run=lambda arguments: _guarded(run, arguments))
        return parser.add_argument

    _register_making(add)
    _register_using(add)


def _register_making(add: Any) -> None:
    option = add("create", "make a snapshot", _create)
    option("--root", metavar="DIR", help="the folder to back up (default: the notebook's volume)")
    option("--name", metavar="N", help="the name (default: the instance's or the space's)")
    option("--kms-key", metavar="K", help="the KMS key (default: the profile's, the bucket's)")
    option("--reference", action="store_true",
        help="refer to unchanged files of older snapshots instead of copying them")  # fmt: skip
    option("--rehash", action="store_true", help="read every file, whatever it looks like")
    option("--create-bucket", action="store_true", help="make the bucket if it is not there")
    option("--dry-run", action="store_true", help="say what would be done")
    option = add("prune", "remove old snapshots", _prune)
    option("--name", metavar="N", help="of this name (default: the instance's or the space's)")
    for period in ("last", "daily", "weekly"):
        option(f"--keep-{period}", type=int, default=0, metavar="N")
    option("--dry-run", action="store_true", help="say what would be done")
    option = add("adopt", "make a manifest for a snapshot of the AWS scripts", _adopt)
    option("snapshot", metavar="SNAPSHOT")
    option("--kms-key", metavar="K", help="the KMS key (default: the profile's, the bucket's)")


def _register_using(add: Any) -> None:
    option = add("list", "list the snapshots, each in its true state", _list)
    option("--name", metavar="N", help="only of this name")
    option = add("show", "show what a snapshot holds", _show)
    option("snapshot", metavar="SNAPSHOT")
    option = add("verify", "compare a snapshot with its manifest", _verify)
    option("snapshot", metavar="SNAPSHOT")
    option("--sample", type=float, default=0.0, metavar="P",
        help="also read P percent of the objects whole (100: all)")  # fmt: skip
    _accepting(option)
    option = add("restore", "bring a snapshot back", _restore)
    option("snapshot", metavar="SNAPSHOT", nargs="?",
        help="default: the notebook instance's tag backup-snapshot")  # fmt: skip
    option("--to", metavar="DIR", help="where to (default: the notebook's volume)")
    option("--path", action="append", default=[], metavar="P",
        help="only this file or folder; may be repeated")  # fmt: skip
    option("--overwrite", choices=("never", "older", "all"), default="never",
        help="what may replace a file that differs (default: never)")  # fmt: skip
    option("--dry-run", action="store_true", help="say what would be done")
    _accepting(option)
    option = add("diff", "compare two snapshots, or one with the volume", _diff)
    option("snapshot", metavar="A")
    option("other", metavar="B", nargs="?", help="default: the volume")
    option("--root", metavar="DIR", help="the volume (default: the notebook's)")
    _accepting(option)


def _accepting(option: Any) -> None:
    option("--accept-incomplete", action="store_true",
        help="take what is there of a damaged or unfinished snapshot")  # fmt: skip


def _usage(parser: argparse.ArgumentParser) -> int:
    parser.print_help(sys.stderr)
    return BAD_INPUT


def _guarded(run: Callable[[argparse.Namespace], int], arguments: argparse.Namespace) -> int:
    """Run a command; a failure is one sentence."""
    from ..backup.records import BackupError, BadRequest

    try:
        return run(arguments)
    except BadRequest as error:
        raise UsageError(str(error)) from error
    except BackupError as error:
        print(f"jupyter secure-ml backup {arguments.backup}: {error}", file=sys.stderr)
        return OBJECTION
    except KeyboardInterrupt:
        print("\ninterrupted; the same command goes on from here", file=sys.stderr)
        return OBJECTION


def _said(arguments: argparse.Namespace) -> Said:
    from ..backup.settings import Said

    return Said(
        arguments.bucket, arguments.bucket_owner, getattr(arguments, "kms_key", None),
        arguments.endpoint_url,
    )  # fmt: skip


def _opened(arguments: argparse.Namespace, text: str) -> tuple[Store, Content]:
    """Return the bucket and the content of the snapshot that was named."""
    from ..backup.keys import snapshot_of
    from ..backup.settings import open_store
    from ..backup.verify import content_of

    bucket, snapshot = snapshot_of(text)
    store = open_store(_said(arguments), bucket)
    return store, content_of(store, snapshot, incomplete=arguments.accept_incomplete)


def _create(arguments: argparse.Namespace) -> int:
    from ..backup.bucket import check_bucket, create_bucket
    from ..backup.create import Options, create, plan
    from ..backup.settings import default_name, default_root, open_store
    from . import backing_text as text

    options = Options(
        default_root(arguments.root), default_name(arguments.name), arguments.reference,
        arguments.rehash,
    )  # fmt: skip
    store = open_store(_said(arguments))
    if arguments.create_bucket and not arguments.dry_run and create_bucket(store):
        print(f"made the bucket {store.bucket}", file=sys.stderr)
    findings = check_bucket(store)
    if arguments.dry_run:
        text.show(arguments.format, "backup-plan", plan(store, options), text.planned, findings)
        return OK
    with text.Progress() as progress:
        created = create(store, options, progress)
    text.show(arguments.format, "backup-created", created, text.created, findings)
    return SKIPPED if created.skipped or created.changed else OK


def _list(arguments: argparse.Namespace) -> int:
    from ..backup.settings import open_store
    from ..backup.snapshots import listing
    from . import backing_text as text

    found = listing(open_store(_said(arguments)), arguments.name)
    text.show(arguments.format, "backup-list", {"snapshots": found}, text.listed)
    return OK


def _show(arguments: argparse.Namespace) -> int:
    from ..backup.foreign import foreign_content
    from ..backup.keys import snapshot_of
    from ..backup.settings import open_store
    from ..backup.snapshots import COMPLETE, inspect, load
    from . import backing_text as text

    bucket, snapshot = snapshot_of(arguments.snapshot)
    store = open_store(_said(arguments), bucket)
    summary = inspect(store, snapshot)
    if summary.state in COMPLETE:
        manifest = load(store, snapshot, summary)
        content: Any = {"header": manifest.header, "entries": manifest.entries}
    elif summary.by == "aws-script":
        entries, left_out = foreign_content(store, snapshot)
        content = {"header": None, "entries": [*entries, *left_out]}
    else:
        content = {"header": None, "entries": []}
    text.show(arguments.format, "backup-snapshot", {"summary": summary, **content}, text.shown)
    return OK


def _verify(arguments: argparse.Namespace) -> int:
    from ..backup.verify import verify
    from . import backing_text as text

    if not 0 <= arguments.sample <= 100:
        raise UsageError("--sample takes a number from 0 to 100")
    store, content = _opened(arguments, arguments.snapshot)
    verified = verify(store, content, sample=arguments.sample)
    text.show(arguments.format, "backup-verified", verified, text.verified)
    return OBJECTION if verified.faults else OK


def _restore(arguments: argparse.Namespace) -> int:
    from ..backup.restore import Wish, restore
    from ..backup.settings import SNAPSHOT_TAG, default_root, tags
    from . import backing_text as text

    named = arguments.snapshot or tags(arguments.endpoint_url).get(SNAPSHOT_TAG)
    if not named:
        raise UsageError(f"which snapshot? Name it, or tag the notebook instance {SNAPSHOT_TAG}")
    root = default_root(arguments.to)
    store, content = _opened(arguments, named)
    wish = Wish(
        root, tuple(arguments.path), arguments.overwrite, arguments.dry_run,
        arguments.accept_incomplete,
    )  # fmt: skip
    with text.Progress() as progress:
        restored = restore(store, content, wish, progress)
    text.show(arguments.format, "backup-restored", restored, text.restored)
    if restored.faults:
        return OBJECTION
    skipped = [entry for entry in restored.left_out if entry.type == "skipped"]
    return SKIPPED if restored.kept or skipped else OK


def _diff(arguments: argparse.Namespace) -> int:
    from ..backup import diff
    from ..backup.records import encoded
    from ..backup.settings import default_root
    from . import backing_text as text

    store, left = _opened(arguments, arguments.snapshot)
    if arguments.other is not None:
        _, right = _opened(arguments, arguments.other)
        found = diff.compare(left, right.entries, str(right.snapshot))
    else:
        root = default_root(arguments.root).resolve()
        found = diff.compare(left, diff.here(root, store.bucket, left), encoded(str(root))[0])
    text.show(arguments.format, "backup-diff", found, text.differing)
    return OK


def _prune(arguments: argparse.Namespace) -> int:
    from ..backup.prune import Keep, prune
    from ..backup.settings import default_name, open_store
    from . import backing_text as text

    keep = Keep(arguments.keep_last, arguments.keep_daily, arguments.keep_weekly)
    store = open_store(_said(arguments))
    pruned = prune(store, default_name(arguments.name), keep, dry_run=arguments.dry_run)
    text.show(arguments.format, "backup-pruned", pruned, text.pruned)
    return OK


def _adopt(arguments: argparse.Namespace) -> int:
    from ..backup.adopt import adopt
    from ..backup.keys import snapshot_of
    from ..backup.settings import open_store
    from . import backing_text as text

    bucket, snapshot = snapshot_of(arguments.snapshot)
    adopted = adopt(open_store(_said(arguments), bucket), snapshot)
    text.show(arguments.format, "backup-adopted", adopted, text.adopted)
    return SKIPPED if any(entry.type == "skipped" for entry in adopted.left_out) else OK
