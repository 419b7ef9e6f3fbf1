"""The one error mapper: every exception becomes ``{code, message, remedy}`` and a status."""

from __future__ import annotations

from http.client import responses

from ..aws.errors import clean
from ..aws.records import Problem
from .records import ErrorBody


class RequestError(Exception):
    """An error with the status and the body the client shall see."""

    def __init__(self, status: int, body: ErrorBody) -> None:
        super().__init__(body.message)
        self.status = status
        self.body = body


def bad_input(message: str, remedy: str) -> RequestError:
    """Return a 400."""
    return RequestError(400, ErrorBody("bad-input", clean(message), remedy))


def not_found(message: str, remedy: str) -> RequestError:
    """Return a 404."""
    return RequestError(404, ErrorBody("not-found", clean(message), remedy))


_UNAVAILABLE = frozenset(("throttled", "endpoint-unreachable"))


def from_problem(problem: Problem) -> RequestError:
    """Return an AWS failure: 503 where trying again may help, else 502.

    Never 401 or 403: those say that *Jupyter* refused.
    """
    status = 503 if problem.code in _UNAVAILABLE else 502
    return RequestError(
        status, ErrorBody(problem.code, problem.message, problem.remedy, problem.action)
    )


_BY_STATUS = {
    400: ("bad-input", "Correct the request."),
    401: ("unauthorized", "Sign in to Jupyter again, then reload the page."),
    403: ("unauthorized", "Sign in to Jupyter again, then reload the page."),
    404: ("not-found", "Check the address; `openapi.json` lists the routes."),
    405: ("bad-input", "Use the method that `openapi.json` lists for this route."),
    413: ("bad-input", "Send a smaller request."),
}


def body_for(status: int, error: BaseException | None) -> ErrorBody:
    """Return the body for an exception that reached tornado; a 5xx tells nothing of its inside."""
    if isinstance(error, RequestError):
        return error.body
    code, remedy = _BY_STATUS.get(
        status, ("unexpected", "The server log says why; please report this.")
    )
    message = responses.get(status, "Error")
    log_message = getattr(error, "log_message", None)
    if status < 500 and isinstance(log_message, str) and log_message:
        message = clean(log_message)
    elif status >= 500:
        message = "The server extension secure_ml_ext failed."
    return ErrorBody(code, message, remedy)
