"""The policy bundle in force: found where the configuration or the profile says, kept, refreshed.

``cached_bundle`` is for the guard's path: it answers from memory, from a local file or from the
private copy in the cache folder, and never waits for AWS. What lies in SSM or S3 is fetched in
the background, again after 15 minutes, and compiled only when its version changed.
"""

from __future__ import annotations

import contextlib
import os
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from ..iam import PolicyBundle, PolicyError
from ..iam.reading import read_json
from ..rules.config import Config, cache_dir
from ..rules.profile import Profile
from . import profile_cache
from .background import in_background
from .policies_place import MAX_BYTES, Fetched, FetchFailed, Place, PlaceError, fetch, place_of
from .private_file import read_private, write_private

REFRESH = 900.0  # seconds until AWS is asked again
RETRY = 60.0  # the same after a failure
# Compiled at once where it is first needed (some 20 ms); what is larger, in the background.
INLINE = 128 * 1024
_MOST_STORED = 4 * MAX_BYTES
_MOST_KEPT = 8
# What makes the same name mean another parameter or object.
_ENVIRONMENT = (
    "AWS_PROFILE",
    "AWS_ACCESS_KEY_ID",
    "AWS_ENDPOINT_URL",
    "AWS_REGION",
    "AWS_DEFAULT_REGION",
)


class Loaded(Struct, frozen=True):
    """The bundle as far as it is known now.

    ``source`` is where it lies, None if nobody named a place. ``as_of`` (ISO 8601, UTC) is when
    it was last seen there. ``problem`` is a sentence or two for people: why there is no bundle,
    or why an older one is used. ``pending``: it is being fetched. ``data`` is the bundle as read.
    """

    bundle: PolicyBundle | None = None
    source: str | None = None
    as_of: str | None = None
    problem: str | None = None
    pending: bool = False
    data: Mapping[str, Any] | None = None


class PolicySource(ABC):
    """Where policy bundles come from; an organisation may put its own in place."""

    @abstractmethod
    def load(self, config: Config, profile: Profile | None) -> Loaded:
        """Return what is known now, without waiting for a network; must not raise."""

    def refresh(self, config: Config, profile: Profile | None) -> Loaded:
        """Return what is there now; may wait, is called in a worker thread, must not raise."""
        return self.load(config, profile)

    def bundle(self, config: Config, profile: Profile | None) -> PolicyBundle | None:
        """Return the bundle, or None where there is none (yet)."""
        return self.load(config, profile).bundle


class AwsPolicySource(PolicySource):
    """Files, SSM parameters and S3 objects, shared by the whole process."""

    def load(self, config: Config, profile: Profile | None) -> Loaded:
        """Return what this process knows."""
        return cached_bundle(config, profile)

    def refresh(self, config: Config, profile: Profile | None) -> Loaded:
        """Ask now."""
        return refresh(config, profile)


def named_place(config: Config | None, profile: Profile | None) -> str | None:
    """Return where the bundle is said to lie: by the configuration, else by the profile.

    Where the administrator locked ``policies``, of the profile only what the environment's own
    SSM parameters say counts, not the user's file or variables.
    """
    if config is not None and config.policies:
        return config.policies
    if profile is None or (value := profile.get("policies")) is None:
        return None
    if config is not None and "policies" in config.locked:
        return value if (profile.source("policies") or "").startswith("ssm:") else None
    return str(value)


def cached_bundle(config: Config | None, profile: Profile | None) -> Loaded:
    """Return the bundle in force as far as this machine knows it; never waits for AWS."""
    text = named_place(config, profile)
    return _NOTHING if text is None else _bundles.load(text)


def refresh(config: Config | None, profile: Profile | None) -> Loaded:
    """Return the bundle in force as it is now; asks AWS and waits."""
    text = named_place(config, profile)
    return _NOTHING if text is None else _bundles.refresh(text)


def read_bundle(data: bytes, name: str) -> tuple[PolicyBundle, Mapping[str, Any]]:
    """Compile a bundle from its bytes; PolicyError says what is wrong and where."""
    if len(data) > MAX_BYTES:
        raise PolicyError(f"it has more than {MAX_BYTES} bytes")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise PolicyError("it is not UTF-8 text", character=error.start) from None
    parsed = read_json(text, name)
    try:
        return PolicyBundle.from_dict(parsed), parsed
    except RecursionError:
        raise PolicyError("it is nested too deeply") from None


def forget() -> None:
    """Drop what this process remembers; the copies in the cache folder stay."""
    _bundles.forget()


class _Stored(Struct, frozen=True):
    """The private copy of a bundle that lies in AWS; the file's time is when it was last seen."""

    version: str
    content: str


_Key = tuple[str, ...]


@dataclass
class _Entry:
    """What is known of one place; replaced fields are read without a lock."""

    place: Place
    loaded: Loaded
    version: str | None = None
    due: float = 0.0
    busy: bool = False
    asking: threading.Lock = field(default_factory=threading.Lock)


class _Bundles:
    """The bundles this process knows, by place and environment. Thread-safe."""

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        """Start afresh, also in a forked child, whose parent's threads and locks are gone."""
        self._pid = os.getpid()
        self._lock = threading.Lock()
        self._entries: dict[_Key, _Entry] = {}

    def load(self, text: str) -> Loaded:
        """Return what is known, and see to it that it is renewed in time."""
        try:
            entry = self._entry(text)
        except PlaceError as error:
            return Loaded(source=text, problem=str(error))
        if entry.place.kind == "file":
            self._look(entry)
            return entry.loaded
        loaded = entry.loaded  # before the renewal, which another thread may finish at once
        if entry.due <= time.monotonic():
            self._in_background(entry)
        return loaded

    def refresh(self, text: str) -> Loaded:
        """Renew, and wait for it; who waited for another thread's answer takes that."""
        try:
            entry = self._entry(text)
        except PlaceError as error:
            return Loaded(source=text, problem=str(error))
        before = entry.due
        with entry.asking:
            if entry.due == before:
                _renew(entry)
        return entry.loaded

    def _entry(self, text: str) -> _Entry:
        if self._pid != os.getpid():
            self.forget()
        key = (text, *(os.environ.get(name, "") for name in _ENVIRONMENT))
        entry = self._entries.get(key)
        if entry is not None:
            return entry
        entry = _Entry(place_of(text), Loaded(source=text, pending=True))
        if entry.place.kind != "file":
            _take_copy(entry, INLINE)
        with self._lock:
            entry = self._entries.setdefault(key, entry)
            while len(self._entries) > _MOST_KEPT:
                self._entries.pop(next(iter(self._entries)))
        return entry

    def _look(self, entry: _Entry) -> None:
        """Read a local file where it changed since."""
        signature, size = _signature(entry.place.name)
        if signature == entry.version:
            return
        if size > INLINE:
            self._in_background(entry)
        else:
            with entry.asking:
                if signature != entry.version:
                    _renew(entry)

    def _in_background(self, entry: _Entry) -> None:
        with self._lock:
            if entry.busy:
                return
            entry.busy = True
        if not in_background(_work, entry):
            entry.busy = False


def _work(entry: _Entry) -> None:
    try:
        with entry.asking:
            if entry.place.kind == "file":
                _renew(entry)
            elif entry.due <= time.monotonic():  # nobody else renewed it in the meantime
                if entry.loaded.bundle is None:
                    _take_copy(entry, _MOST_STORED)
                _renew(entry)
    finally:
        entry.busy = False


def _renew(entry: _Entry) -> None:
    """Read the place anew; what goes wrong is said in ``loaded``, and what was good stays."""
    place, loaded = entry.place, entry.loaded
    signature = _signature(place.name)[0] if place.kind == "file" else None
    try:
        fetched = fetch(place, entry.version if loaded.bundle is not None else None)
        version = signature or fetched.version
        if fetched.data is not None and version != entry.version:
            bundle, data = read_bundle(fetched.data, "the bundle")
            loaded = Loaded(bundle, place.text, data=data)
        if signature is None:
            _keep_copy(place.text, fetched)
        entry.loaded = replace(loaded, as_of=_iso(time.time()), problem=None, pending=False)
        entry.version = version
        entry.due = time.monotonic() + REFRESH
    except FetchFailed as failed:
        _went_wrong(entry, f"The policy bundle {place.text} could not be read: {failed}")
    except PolicyError as error:
        _went_wrong(entry, f"The policy bundle {place.text} cannot be used: {error}.")
    except Exception as error:  # a defect must be said, not end the worker in silence
        _went_wrong(entry, f"The policy bundle {place.text}: {type(error).__name__}: {error}")
    if signature is not None:
        entry.version = signature


def _went_wrong(entry: _Entry, problem: str) -> None:
    """Say a problem; the last good bundle stays in force, unless it was a local file's."""
    before = entry.loaded
    if before.bundle is None or entry.place.kind == "file":
        entry.loaded = Loaded(source=entry.place.text, problem=problem)
    else:
        text = f"{problem} The one of {before.as_of} is used."
        entry.loaded = replace(before, problem=text, pending=False)
    entry.due = time.monotonic() + RETRY


def _signature(path: str) -> tuple[str, int]:
    """Return what changes whenever a file is written, and its size."""
    try:
        status = os.stat(path)
    except OSError as error:
        return f"- {error.errno}", 0
    parts = (status.st_mtime_ns, status.st_ctime_ns, status.st_size, status.st_ino)
    return " ".join(map(str, parts)), status.st_size


def _take_copy(entry: _Entry, most: int) -> None:
    """Begin with the copy of an earlier fetch, also another process's, if it is small enough."""
    path = _copy_path(entry.place.text)
    content = read_private(path, most)
    if content is None:
        return
    try:
        stored = msgspec.json.decode(content, type=_Stored)
        bundle, data = read_bundle(stored.content.encode(), "the bundle")
        seen = path.stat().st_mtime
    except (msgspec.MsgspecError, PolicyError, UnicodeError, RecursionError, OSError):
        return  # damaged, or just replaced: the place itself is read anyway
    if 0 <= time.time() - seen <= profile_cache.MAX_AGE:
        entry.loaded = Loaded(bundle, entry.place.text, _iso(seen), data=data)
        entry.version = stored.version


def _keep_copy(text: str, fetched: Fetched) -> None:
    path = _copy_path(text)
    if fetched.data is not None:
        stored = _Stored(fetched.version, fetched.data.decode("utf-8-sig"))
        write_private(path, msgspec.json.encode(stored))
    else:
        with contextlib.suppress(OSError):  # gone: there is one again after the next change
            os.utime(path)


def _copy_path(text: str) -> Path:
    return cache_dir() / f"policies-{profile_cache.cache_key((text,))}.json"


def _iso(seconds: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


_NOTHING = Loaded()
_bundles = _Bundles()
