"""What does not belong into a snapshot: our own files, and what the user's ignore file says."""

from __future__ import annotations

import fnmatch
import os
from pathlib import Path
from typing import Any

from .records import IGNORE_FILE, MARKER, OWN, RESTORED, BadRequest

# At the top: markers (ours and the AWS scripts'), and what a plain `aws s3 sync` brings back.
OWN_NAMES = (MARKER, RESTORED, OWN)
# Folders of these names, anywhere: nobody's work.
DEFAULT_FOLDERS = ("lost+found", ".ipynb_checkpoints", "__pycache__", ".Trash-*")
# A temporary file of a restore that was killed.
TEMPORARY = ".secure-ml-restore-"
_MOST_BYTES = 1_000_000


class Ignore:
    """Says why a path is left out. Default folders can be taken back in with ``!__pycache__/``."""

    def __init__(self, lines: list[str] | None = None, own_folder: str | None = None) -> None:
        self._spec = None if lines is None else _spec(lines)
        self._own_folder = own_folder

    @classmethod
    def of(cls, root: Path, own_folder: Path | None = None) -> Ignore:
        """Read the ignore file of a root; ``own_folder`` is our cache, left out if inside."""
        inside = None
        if own_folder is not None:
            try:
                inside = str(own_folder.resolve().relative_to(root.resolve()))
            except ValueError:
                inside = None
        path = root / IGNORE_FILE
        try:
            if path.stat().st_size > _MOST_BYTES:
                raise BadRequest(f"{path}: larger than 1 MB, so no list of patterns")
            text = path.read_text(encoding="utf-8", errors="surrogateescape")
        except (FileNotFoundError, NotADirectoryError):
            return cls(None, inside)
        except OSError as error:
            raise BadRequest(f"{path}: cannot be read: {error.strerror}") from error
        return cls(text.splitlines(), inside)

    def reason(self, path: str, folder: bool) -> str | None:
        """Return why a path (relative, with ``/``) is left out, or None."""
        if path in OWN_NAMES or path == self._own_folder:
            return "our own"
        name = path.rpartition("/")[2]
        if name.startswith(TEMPORARY) and not folder:
            return "our own"
        if self._spec is None:
            return "default" if folder and default_folder(name) else None
        # pathspec wants text; a name that is not UTF-8 is matched with the bytes replaced.
        shown = os.fsencode(path).decode("utf-8", "replace") + ("/" if folder else "")
        found = self._spec.check_file(shown)
        if not found.include:
            return None
        by_default = found.index is not None and found.index < len(DEFAULT_FOLDERS)
        return "default" if by_default else IGNORE_FILE


def default_folder(name: str) -> bool:
    """Say whether folders of this name are left out by default."""
    return any(fnmatch.fnmatchcase(name, pattern) for pattern in DEFAULT_FOLDERS)


def _spec(lines: list[str]) -> Any:
    try:
        from pathspec import GitIgnoreSpec
    except ImportError as error:
        raise BadRequest(
            f"{IGNORE_FILE} needs pathspec: pip install 'secure_ml_ext[backup]'"
        ) from error
    try:
        return GitIgnoreSpec.from_lines([*(f"{name}/" for name in DEFAULT_FOLDERS), *lines])
    except ValueError as error:  # pathspec's GitWildMatchPatternError is one
        raise BadRequest(f"{IGNORE_FILE}: {error}") from error
