"""Reads one document from S3: a pipeline definition that is too large for its request, a log."""

from __future__ import annotations

from ..check.files import MAX_BYTES, InputError, text_of
from . import clients
from .errors import to_problem


def stored(names: dict[str, str], region: str | None = None) -> bytes | None:
    """Return an object named as ``GetObject`` wants it, None for more than 20 MB; may raise."""
    reply = clients.client("s3", region).get_object(**names)
    return None if reply["ContentLength"] > MAX_BYTES else bytes(reply["Body"].read())


def read_object(uri: str) -> str:
    """Return the text of ``s3://bucket/key``, unpacked if it is gzip; asks AWS and waits.

    Raises ``InputError`` with the remedy where the object cannot be read, is no text, or has
    more than 20 MB.
    """
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    if not bucket or not key:
        raise InputError(f"{uri}: an object is written s3://bucket/key")
    try:
        data = stored({"Bucket": bucket, "Key": key})
    except Exception as exc:  # whatever boto3 raises becomes a sentence with a remedy
        problem = to_problem(exc, service="s3", operation="GetObject", region=None)
        raise InputError(f"{uri}: {problem.message} {problem.remedy}") from exc
    if data is None:
        raise InputError(f"{uri}: larger than {MAX_BYTES // 1024 // 1024} MB, so no request")
    return text_of(data, uri)
