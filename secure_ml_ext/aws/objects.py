"""Reads one document from S3: a pipeline definition that is too large for its request, a log."""

from __future__ import annotations

from ..check.files import MAX_BYTES, InputError, text_of
from . import clients
from .errors import to_problem


def read_object(uri: str) -> str:
    """Return the text of ``s3://bucket/key``, unpacked if it is gzip; asks AWS and waits.

    Raises ``InputError`` with the remedy where the object cannot be read, is no text, or has
    more than 20 MB.
    """
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    if not bucket or not key:
        raise InputError(f"{uri}: an object is written s3://bucket/key")
    try:
        reply = clients.client("s3").get_object(Bucket=bucket, Key=key)
        if reply["ContentLength"] > MAX_BYTES:
            raise InputError(f"{uri}: larger than {MAX_BYTES // 1024 // 1024} MB, so no request")
        data = reply["Body"].read()
    except InputError:
        raise
    except Exception as exc:  # whatever boto3 raises becomes a sentence with a remedy
        problem = to_problem(exc, service="s3", operation="GetObject", region=None)
        raise InputError(f"{uri}: {problem.message} {problem.remedy}") from exc
    return text_of(data, uri)
