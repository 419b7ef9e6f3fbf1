"""The routes: thin, each authenticated and authorised; the work is done in other rooms."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, TypeVar

import msgspec
from jupyter_core.utils import ensure_async
from jupyter_server.auth.decorator import authorized
from jupyter_server.base.handlers import APIHandler
from jupyter_server.extension.handler import ExtensionHandlerMixin
from tornado import web

from ..aws.records import Problem
from ..check import Report
from ..rules import Profile, load_config
from ..rules.profile import PROFILE_SCHEMA
from .failures import RequestError, bad_input, body_for, not_found
from .openapi import document
from .records import ErrorBody, ProfileReply, Status, ValidateRequest, decode_lint, decode_validate
from .spool_jobs import kernel_spool
from .validation import discover, lint, validate

MAX_BODY = 2_000_000  # bytes; a pipeline definition is 100 KB at most, a request far less
_T = TypeVar("_T")


class SecureMlHandler(ExtensionHandlerMixin, APIHandler):
    """Base of every route: the authorisation resource, the error mapper, the worker threads."""

    auth_resource = "secure_ml_ext"

    @property
    def app(self) -> Any:
        """Return the extension application."""
        return self.extensionapp

    async def work(self, function: Callable[[], _T]) -> _T:
        """Run a function in the extension's bounded thread pool."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self.app.executor, function)

    def reply(self, value: Any) -> None:
        """Answer with a record or with plain JSON types."""
        self.finish(msgspec.json.encode(value))

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """Answer every error in one shape."""
        exc_info = kwargs.get("exc_info")
        error = exc_info[1] if exc_info else None
        if isinstance(error, RequestError):
            self.set_status(error.status)
        self.set_header("Content-Type", "application/json")
        self.finish(msgspec.json.encode(body_for(self.get_status(), error)))

    def log_exception(self, typ: Any, value: Any, tb: Any) -> None:
        """Log what is our fault only; a refused request is the client's business."""
        if not isinstance(value, RequestError):
            super().log_exception(typ, value, tb)


class ValidateHandler(SecureMlHandler):
    """``POST validate``: check a request without sending it."""

    @web.authenticated
    @authorized
    async def post(self) -> None:
        """Answer with the report."""
        asked = _decoded(self.request.body, decode_validate)
        self.reply(await self.work(lambda: self._report(asked)))

    def _report(self, asked: ValidateRequest) -> Report:
        app = self.app
        return validate(asked, app.profile_source, app.policy_source, app.lookups)


class LintHandler(SecureMlHandler):
    """``POST lint``: what is wrong with policies."""

    @web.authenticated
    @authorized
    async def post(self) -> None:
        """Answer with the findings."""
        asked = _decoded(self.request.body, decode_lint)
        self.reply(await self.work(lambda: lint(asked)))


class JobsHandler(SecureMlHandler):
    """``GET jobs?kernel=<id>``: the jobs of one kernel with their live state."""

    _track_activity = False

    @web.authenticated
    @authorized
    async def get(self) -> None:
        """Answer with the list, newest first."""
        kernel = self.get_query_argument("kernel", "")
        if not kernel:
            raise bad_input("The parameter `kernel` is missing.", "Ask `jobs?kernel=<kernel id>`.")
        allowed = await ensure_async(
            self.authorizer.is_authorized(self, self.current_user, "read", "kernels")
        )
        if not allowed:
            raise web.HTTPError(403, "User is not authorized to read on resource: kernels.")
        manager = self.settings["kernel_manager"]
        if kernel not in manager:
            raise not_found(
                f"This server has no kernel {kernel}.", "Start the kernel, or choose another one."
            )
        spool = kernel_spool(manager.get_kernel(kernel))
        self.reply(await self.app.kernel_jobs.of_kernel(kernel, spool))


class ProfileHandler(SecureMlHandler):
    """``GET profile``: the organisation's environment, each value with its source."""

    _track_activity = False

    @web.authenticated
    @authorized
    async def get(self) -> None:
        """Answer with the profile; ``?fresh=1`` asks AWS again."""
        fresh = self.get_query_argument("fresh", "0")
        if fresh not in ("0", "1"):
            raise bad_input(f"fresh must be 0 or 1, not {fresh!r}.", "Ask `profile?fresh=1`.")
        source = self.app.profile_source
        profile, problems = await self.work(lambda: discover(source, use_cache=fresh == "0"))
        self.reply(_profile_reply(profile, problems))


class StatusHandler(SecureMlHandler):
    """``GET status``: version and configuration."""

    _track_activity = False

    @web.authenticated
    @authorized
    async def get(self) -> None:
        """Answer with the status."""
        config = await self.work(load_config)
        from .. import __version__

        self.reply(
            Status(
                version=__version__,
                mode=config.mode,
                mode_locked="mode" in config.locked,
                server_guarded=self.app.server_guard is not None,
                config_problems=list(config.problems),
            )
        )


class OpenApiHandler(SecureMlHandler):
    """``GET openapi.json``: the description of these routes."""

    _track_activity = False

    @web.authenticated
    @authorized
    async def get(self) -> None:
        """Answer with the OpenAPI document."""
        self.reply(document(self.base_url))


class UnknownRouteHandler(SecureMlHandler):
    """Anything else below the extension's address: a 404 in the one shape."""

    _track_activity = False

    @web.authenticated
    @authorized
    async def get(self) -> None:
        """Refuse."""
        raise web.HTTPError(404)

    @web.authenticated
    @authorized
    async def post(self) -> None:
        """Refuse."""
        raise web.HTTPError(404)


# Without the base URL, which the server puts before them.
ROUTES: list[tuple[str, type[SecureMlHandler]]] = [
    (r"/secure-ml-ext/validate", ValidateHandler),
    (r"/secure-ml-ext/lint", LintHandler),
    (r"/secure-ml-ext/jobs", JobsHandler),
    (r"/secure-ml-ext/profile", ProfileHandler),
    (r"/secure-ml-ext/status", StatusHandler),
    (r"/secure-ml-ext/openapi\.json", OpenApiHandler),
    (r"/secure-ml-ext(?:/.*)?", UnknownRouteHandler),
]


def _decoded(body: bytes, decode: Callable[[bytes], _T]) -> _T:
    """Return the request in a body; the message of an error names the place."""
    if len(body) > MAX_BODY:
        raise RequestError(
            413,
            ErrorBody(
                "bad-input",
                f"The request has {len(body)} bytes; {MAX_BODY} are allowed.",
                "Send a smaller request.",
            ),
        )
    try:
        return decode(body)
    except msgspec.ValidationError as error:
        raise bad_input(
            f"The request does not fit: {error}", "Correct the place that the message names."
        ) from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise bad_input(f"The request is not JSON: {error}", "Send a JSON object.") from None
    except RecursionError:
        raise bad_input("The request is nested too deeply.", "Send a flatter request.") from None


def _profile_reply(profile: Profile, problems: list[Problem]) -> ProfileReply:
    return ProfileReply(
        schema=PROFILE_SCHEMA,  # type: ignore[arg-type]
        values=profile.values,
        looked=profile.looked,
        account=profile.account,
        region=profile.region,
        name=profile.name,
        missing=profile.missing(),
        problem=problems[0] if problems else None,
        problems=problems,
    )
