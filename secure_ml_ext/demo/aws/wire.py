"""Reading and answering on the wire: which operation a request is, and errors in its protocol."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, unquote
from xml.sax.saxutils import escape

from moto.core.request import Request
from moto.core.routing import get_service_router

CREDENTIAL = re.compile(r"Credential=([^/,\s]+)/(\d{8})/([^/]*)/([^/]*)/aws4_request")
CBOR_PATH = re.compile(r"/service/[^/]+/operation/(\w+)")


@dataclass(frozen=True)
class Call:
    """One request: service (signing name), operation, access key, region, protocol."""

    service: str
    operation: str
    access_key: str
    region: str
    protocol: str


def read_call(environ: dict[str, Any], body: bytes) -> Call:
    """Recognise a request; unknown parts are `""`."""
    access_key, region, service = _credential(environ)
    path = environ.get("PATH_INFO", "")
    if target := environ.get("HTTP_X_AMZ_TARGET"):
        return Call(service, target.split(".")[-1], access_key, region, "json")
    if match := CBOR_PATH.search(path):
        return Call(service, match.group(1), access_key, region, "cbor")
    if environ.get("CONTENT_TYPE", "").startswith("application/x-www-form-urlencoded"):
        action = parse_qs(body.decode("utf-8", "replace")).get("Action")
        if action:
            protocol = "ec2" if service == "ec2" else "query"
            return Call(service, action[0], access_key, region, protocol)
    service = service or "s3"
    if service == "sagemaker":
        service = _sagemaker_data_plane(path)
    protocol = "rest-xml" if service == "s3" else "rest-json"
    return Call(service, _rest_operation(service, environ), access_key, region, protocol)


def _credential(environ: dict[str, Any]) -> tuple[str, str, str]:
    text = environ.get("HTTP_AUTHORIZATION", "")
    if "X-Amz-Credential" in environ.get("QUERY_STRING", ""):
        given = parse_qs(environ["QUERY_STRING"]).get("X-Amz-Credential", [""])[0]
        text = f"Credential={unquote(given)}"
    match = CREDENTIAL.search(text)
    return (match.group(1), match.group(3), match.group(4).lower()) if match else ("", "", "")


def _sagemaker_data_plane(path: str) -> str:
    if path.endswith("invocations") or "/invocations" in path:
        return "sagemaker-runtime"
    if path.endswith("BatchPutMetrics"):
        return "sagemaker-metrics"
    return "sagemaker-featurestore-runtime" if path.startswith("/FeatureGroup") else "sagemaker"


def _rest_operation(service: str, environ: dict[str, Any]) -> str:
    """The operation of a REST request by moto's router; method and path where there is none."""
    # Botocore's names mostly are the signing names, or these without hyphens.
    for name in dict.fromkeys((service, service.replace("-", ""))):
        try:
            operation, _ = get_service_router(name).match(Request(dict(environ)))
        except Exception:  # noqa: S112 - the router has no common error for "no such route"
            continue
        return str(operation.name)
    return f"{environ.get('REQUEST_METHOD')} {environ.get('PATH_INFO')}"


def error_reply(
    call: Call, code: str, message: str, status: int = 400
) -> tuple[int, list[tuple[str, str]], bytes]:
    """An error as the call's protocol tells it: status, headers, body."""
    request_id = "embedded-aws"
    if call.protocol in ("json", "rest-json"):
        body = json.dumps({"__type": code, "message": message}).encode()
        kind = "application/x-amz-json-1.1" if call.protocol == "json" else "application/json"
    elif call.protocol == "cbor":
        body, kind = _cbor_map({"__type": code, "message": message}), "application/cbor"
    else:
        inner = f"<Code>{escape(code)}</Code><Message>{escape(message)}</Message>"
        if call.protocol == "ec2":
            text = (
                f"<Response><Errors><Error>{inner}</Error></Errors>"
                f"<RequestID>{request_id}</RequestID></Response>"
            )
        elif call.protocol == "query":
            text = (
                f"<ErrorResponse><Error><Type>Sender</Type>{inner}</Error>"
                f"<RequestId>{request_id}</RequestId></ErrorResponse>"
            )
        else:
            text = f"<Error>{inner}<RequestId>{request_id}</RequestId></Error>"
        body, kind = f'<?xml version="1.0" encoding="UTF-8"?>{text}'.encode(), "text/xml"
    headers = [
        ("Content-Type", kind),
        ("Content-Length", str(len(body))),
        ("x-amzn-RequestId", request_id),
        ("x-amzn-errortype", code),
    ]
    if call.protocol == "cbor":
        headers.append(("smithy-protocol", "rpc-v2-cbor"))
    return status, headers, body


def _cbor_map(values: dict[str, str]) -> bytes:
    """A CBOR map of short texts (RFC 8949, major types 5 and 3)."""
    parts = [bytes([0xA0 + len(values)])]
    for text in (item for pair in values.items() for item in pair):
        data = text.encode()
        parts.append(b"\x79" + len(data).to_bytes(2, "big") + data)
    return b"".join(parts)
