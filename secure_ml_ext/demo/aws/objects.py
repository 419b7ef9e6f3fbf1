"""Objects in moto's S3, read without a request."""

from __future__ import annotations

from moto.s3.exceptions import MissingBucket
from moto.s3.models import s3_backends

from .store import Store


def stored(world: Store, uri: str, name: str = "", version: str | None = None) -> bytes | None:
    """Return an object by URI, and by its name below the URI; None where there is none."""
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    key = f"{key.rstrip('/')}/{name}" if name else key
    try:
        found = s3_backends[world.account][world.partition].get_object(bucket, key, version)
    except MissingBucket:
        return None
    return None if found is None else bytes(found.value)
