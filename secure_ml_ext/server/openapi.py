"""The OpenAPI document, made from the records; nothing is described twice."""

from __future__ import annotations

from typing import Any

import msgspec

from ..aws.records import JobList
from ..check.lint import LintReport
from ..check.records import Report
from .records import ErrorBody, LintRequest, ProfileReply, Status, ValidateRequest

_TYPES = {
    "ValidateRequest": ValidateRequest,
    "Report": Report,
    "LintRequest": LintRequest,
    "LintReport": LintReport,
    "JobList": JobList,
    "ProfileReply": ProfileReply,
    "Status": Status,
    "ErrorBody": ErrorBody,
}
_ERRORS = {
    "400": "The request is wrong; the message names the place.",
    "403": "Not signed in to Jupyter, not authorised, or the XSRF token is missing.",
    "404": "There is no such kernel or route.",
    "405": "The route does not have this method.",
    "413": "The request is too large.",
    "502": "AWS, or a replaced backend, failed.",
    "503": "AWS cannot be reached or limits the rate; try again.",
}


def document(base_url: str = "/") -> dict[str, Any]:
    """Return the OpenAPI 3.1 document of a server at ``base_url``."""
    from .. import __version__

    references, schemas = msgspec.json.schema_components(
        list(_TYPES.values()), ref_template="#/components/schemas/{name}"
    )
    by_name = dict(zip(_TYPES, references, strict=True))
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Secure ML",
            "version": __version__,
            "description": "Checks SageMaker requests, and shows the jobs and the environment "
            "of a Jupyter server. Every error is an ErrorBody.",
            "license": {"name": "BSD-3-Clause", "identifier": "BSD-3-Clause"},
        },
        "servers": [{"url": base_url.rstrip("/") or "/"}],
        "security": [{"token": []}],
        "paths": {
            "/secure-ml-ext/validate": {
                "post": _operation(
                    "validate",
                    "Check a request, or a document full of them, without sending anything.",
                    by_name["Report"],
                    by_name["ErrorBody"],
                    ("400", "403", "405", "413", "502", "503"),
                    body=by_name["ValidateRequest"],
                )
            },
            "/secure-ml-ext/lint": {
                "post": _operation(
                    "lint",
                    "Find policy statements that do not do what they seem to say.",
                    by_name["LintReport"],
                    by_name["ErrorBody"],
                    ("400", "403", "405", "413"),
                    body=by_name["LintRequest"],
                )
            },
            "/secure-ml-ext/jobs": {
                "get": _operation(
                    "jobs",
                    "The jobs of one kernel with their live state, newest first.",
                    by_name["JobList"],
                    by_name["ErrorBody"],
                    ("400", "403", "404", "405"),
                    parameters=[
                        {
                            "name": "kernel",
                            "in": "query",
                            "required": True,
                            "description": "The id of a kernel of this server.",
                            "schema": {"type": "string", "minLength": 1},
                        }
                    ],
                )
            },
            "/secure-ml-ext/profile": {
                "get": _operation(
                    "profile",
                    "The organisation's environment, each value with its source.",
                    by_name["ProfileReply"],
                    by_name["ErrorBody"],
                    ("400", "403", "405", "502", "503"),
                    parameters=[
                        {
                            "name": "fresh",
                            "in": "query",
                            "required": False,
                            "description": "1 asks AWS again.",
                            "schema": {"type": "string", "enum": ["0", "1"], "default": "0"},
                        }
                    ],
                )
            },
            "/secure-ml-ext/status": {
                "get": _operation(
                    "status",
                    "Version and configuration.",
                    by_name["Status"],
                    by_name["ErrorBody"],
                    ("403", "405"),
                )
            },
            "/secure-ml-ext/openapi.json": {
                "get": _operation(
                    "openapi",
                    "This document.",
                    {"type": "object"},
                    by_name["ErrorBody"],
                    ("403", "405"),
                )
            },
        },
        "components": {
            "schemas": schemas,
            "securitySchemes": {
                "token": {
                    "type": "apiKey",
                    "in": "header",
                    "name": "Authorization",
                    "description": "`token <Jupyter's token>`; browsers send cookies.",
                }
            },
        },
    }


def _operation(
    name: str,
    summary: str,
    reply: dict[str, Any],
    error: dict[str, Any],
    errors: tuple[str, ...],
    *,
    body: dict[str, Any] | None = None,
    parameters: list[dict[str, Any]] | None = None,
) -> dict[str, Any]:
    """Return one operation object."""
    operation: dict[str, Any] = {
        "operationId": name,
        "summary": summary,
        "responses": {
            "200": {
                "description": "The answer.",
                "content": {"application/json": {"schema": reply}},
            },
            **{
                status: {
                    "description": _ERRORS[status],
                    "content": {"application/json": {"schema": error}},
                }
                for status in errors
            },
        },
    }
    if parameters is not None:
        operation["parameters"] = parameters
    if body is not None:
        operation["requestBody"] = {
            "required": True,
            "content": {"application/json": {"schema": body}},
        }
    return operation
