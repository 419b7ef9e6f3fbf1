"""Nobody comes in without signing in, being authorised and, with a cookie, the XSRF token."""

from __future__ import annotations

import inspect
import json
from typing import Any

import pytest
from jupyter_server.auth import Authorizer
from tornado.httpclient import HTTPClientError
from tornado.web import authenticated

from secure_ml_ext.server.handlers import ROUTES, SecureMlHandler, StatusHandler

METHODS = ("get", "head", "post", "put", "patch", "delete")
WRAPPERS = {
    "authenticated": authenticated(lambda self: None).__code__,
}


def undecorated(handler: type) -> list[str]:
    """Return the methods that a handler of ours defines without both decorators.

    `@web.authenticated` must be outermost, `@authorized` right below it.
    """
    wrong = []
    for method in METHODS:
        function = handler.__dict__.get(method)
        if function is None:
            continue
        inner = getattr(function, "__wrapped__", None)
        innermost = getattr(inner, "__wrapped__", None)
        good = (
            function.__code__ is WRAPPERS["authenticated"]
            and inner is not None
            and inner.__code__.co_filename.endswith("jupyter_server/auth/decorator.py")
            and inner.__code__.co_name == "inner"
            and innermost is not None
        )
        if not good:
            wrong.append(f"{handler.__name__}.{method}")
    return wrong


def test_every_method_of_every_handler_is_decorated(jp_serverapp: Any) -> None:
    registered = {
        rule.target
        for outer in jp_serverapp.web_app.default_router.rules
        for rule in getattr(outer.target, "rules", [])
        if inspect.isclass(rule.target) and rule.target.__module__.startswith("secure_ml_ext.")
    }
    assert {handler for _, handler in ROUTES} == registered
    for handler in registered:
        assert issubclass(handler, SecureMlHandler)
        assert handler.auth_resource == "secure_ml_ext"
        assert undecorated(handler) == []
        assert any(method in handler.__dict__ for method in METHODS)


def test_the_walk_would_notice_a_missing_decorator() -> None:
    class Bare(SecureMlHandler):
        async def get(self) -> None:
            """Answer anybody."""

    class Half(SecureMlHandler):
        @authenticated
        async def get(self) -> None:
            """Answer anybody who signed in."""

    assert undecorated(Bare) == ["Bare.get"]
    assert undecorated(Half) == ["Half.get"]
    assert undecorated(StatusHandler) == []


def test_read_routes_do_not_count_as_activity() -> None:
    for _, handler in ROUTES:
        if "get" in handler.__dict__:
            assert handler._track_activity is False


PATHS = [
    ("GET", "status"),
    ("GET", "profile"),
    ("GET", "jobs?kernel=1"),
    ("GET", "openapi.json"),
    ("GET", "nothing"),
    ("POST", "validate"),
]


@pytest.mark.parametrize(("method", "path"), PATHS)
async def test_without_signing_in_everything_is_refused(
    http_server_client: Any, jp_serverapp: Any, jp_base_url: str, method: str, path: str
) -> None:
    url = f"{jp_base_url}secure-ml-ext/{path}"
    with pytest.raises(HTTPClientError) as raised:
        await http_server_client.fetch(url, method=method, body="{}" if method == "POST" else None)
    assert raised.value.code == 403
    error = json.loads(raised.value.response.body)
    assert error["code"] == "unauthorized"
    assert error["remedy"]


async def test_the_prefix_is_needed(http_server_client: Any, jp_auth_header: Any) -> None:
    with pytest.raises(HTTPClientError) as raised:
        await http_server_client.fetch("/secure-ml-ext/status", headers=jp_auth_header)
    assert raised.value.code == 404


async def _signed_in(jp_serverapp: Any, http_server_client: Any, jp_base_url: str) -> str:
    """Sign in as a browser does and return the cookies."""
    token = jp_serverapp.identity_provider.token
    reply = await http_server_client.fetch(f"{jp_base_url}api/me?token={token}")
    cookies = [value.split(";")[0] for value in reply.headers.get_list("Set-Cookie")]
    assert cookies
    return "; ".join(cookies)


async def test_a_cookie_alone_posts_nothing(
    jp_serverapp: Any, http_server_client: Any, jp_base_url: str
) -> None:
    cookies = await _signed_in(jp_serverapp, http_server_client, jp_base_url)
    url = f"{jp_base_url}secure-ml-ext/validate"
    body = json.dumps({"operation": "CreateModel", "params": {}})
    with pytest.raises(HTTPClientError) as raised:
        await http_server_client.fetch(url, method="POST", body=body, headers={"Cookie": cookies})
    assert raised.value.code == 403
    assert "_xsrf" in json.loads(raised.value.response.body)["message"]

    page = await http_server_client.fetch(f"{jp_base_url}login")
    set_cookies = [value.split(";")[0] for value in page.headers.get_list("Set-Cookie")]
    xsrf = next(value for value in set_cookies if value.startswith("_xsrf="))
    headers = {"Cookie": f"{cookies}; {xsrf}", "X-XSRFToken": xsrf.partition("=")[2]}
    reply = await http_server_client.fetch(url, method="POST", body=body, headers=headers)
    assert json.loads(reply.body)["schema"] == "secure-ml/report@1"


async def test_another_origin_is_refused(
    jp_serverapp: Any, http_server_client: Any, jp_base_url: str
) -> None:
    cookies = await _signed_in(jp_serverapp, http_server_client, jp_base_url)
    headers = {"Cookie": cookies, "Origin": "https://evil.example"}
    with pytest.raises(HTTPClientError) as raised:
        await http_server_client.fetch(f"{jp_base_url}secure-ml-ext/status", headers=headers)
    assert raised.value.code == 404


class NoKernels(Authorizer):
    """Lets people use this extension and nothing of the kernels."""

    def is_authorized(self, handler: Any, user: Any, action: str, resource: str) -> bool:
        """Decide."""
        return resource == "secure_ml_ext" and action == "read"


async def test_the_authoriser_decides(jp_serverapp: Any, jp_fetch: Any) -> None:
    jp_serverapp.web_app.settings["authorizer"] = NoKernels(parent=jp_serverapp)
    await jp_fetch("secure-ml-ext", "status")
    body = json.dumps({"operation": "CreateModel", "params": {}})
    for arguments in (
        {"parts": ("jobs",), "params": {"kernel": "x"}},
        {"parts": ("validate",), "method": "POST", "body": body},
    ):
        parts = arguments.pop("parts")
        with pytest.raises(HTTPClientError) as raised:
            await jp_fetch("secure-ml-ext", *parts, **arguments)
        assert raised.value.code == 403
        assert json.loads(raised.value.response.body)["code"] == "unauthorized"
