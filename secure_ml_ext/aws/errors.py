"""Every failure of an AWS call becomes a :class:`Problem`: what happened, and what to do next.

The codes AWS returns are grouped here once. Their sources are the botocore
exception classes and the "Common errors" pages of the services' API references.
"""

from __future__ import annotations

import re
from typing import Any

from .endpoints import endpoint_service, iam_action
from .records import Problem, ProblemCode

_EXPIRED = frozenset(
    ("ExpiredToken", "ExpiredTokenException", "RequestExpired", "TokenRefreshRequired")
)
_INVALID_CREDENTIALS = frozenset(
    (
        "InvalidClientTokenId",
        "UnrecognizedClientException",
        "InvalidAccessKeyId",
        "SignatureDoesNotMatch",
        "InvalidSignatureException",
        "IncompleteSignature",
        "MissingAuthenticationToken",
        "MissingAuthenticationTokenException",
        "AuthFailure",
    )
)
_DENIED = frozenset(
    (
        "AccessDenied",
        "AccessDeniedException",
        "UnauthorizedOperation",
        "UnauthorizedException",
        "NotAuthorized",
        "AuthorizationError",
        "Forbidden",
        "403",
    )
)
_THROTTLED = frozenset(
    (
        "Throttling",
        "ThrottlingException",
        "ThrottledException",
        "RequestThrottled",
        "RequestThrottledException",
        "RequestLimitExceeded",
        "TooManyRequestsException",
        "BandwidthLimitExceeded",
        "PriorRequestNotComplete",
        "SlowDown",
        "EC2ThrottledException",
    )
)
_NOT_FOUND = frozenset(
    (
        "ResourceNotFound",
        "ResourceNotFoundException",
        "NotFoundException",
        "ParameterNotFound",
        "NoSuchEntity",
        "NoSuchKey",
        "NoSuchBucket",
        "ChildNotFoundException",
        "TargetNotFoundException",
        "PolicyNotFoundException",
        "404",
    )
)
_BAD_INPUT = frozenset(
    (
        "ValidationException",
        "ValidationError",
        "InvalidParameterValue",
        "InvalidParameterException",
        "InvalidParameterCombination",
        "InvalidInput",
        "InvalidInputException",
        "MissingParameter",
        "SerializationException",
        "BadRequestException",
    )
)
_REGION_OFF = frozenset(("OptInRequired", "SubscriptionRequiredException"))

# botocore raises these from many modules; their class names are stable since 1.13.
_NO_CREDENTIALS_CLASSES = frozenset(
    ("NoCredentialsError", "PartialCredentialsError", "ProfileNotFound", "NoAuthTokenError")
)
_EXPIRED_CLASSES = frozenset(
    (
        "CredentialRetrievalError",
        "TokenRetrievalError",
        "SSOTokenLoadError",
        "UnauthorizedSSOTokenError",
        "RefreshWithMFAUnsupportedError",
        "MetadataRetrievalError",
        "LoginRefreshTokenExpired",
    )
)
_UNREACHABLE_CLASSES = frozenset(
    (
        "EndpointConnectionError",
        "ConnectTimeoutError",
        "ReadTimeoutError",
        "ConnectionClosedError",
        "ConnectionError",
        "HTTPClientError",
        "ProxyConnectionError",
        "SSLError",
    )
)
_REGION_CLASSES = frozenset(
    ("UnknownRegionError", "InvalidRegionError", "UnknownEndpointError", "EndpointVariantError")
)

_ACTION_IN_MESSAGE = re.compile(r"not authorized to perform: ?([A-Za-z0-9-]+:[A-Za-z0-9*]+)")
_DENYING_POLICY = re.compile(r"explicit deny in an? ([a-z][a-z -]*policy)")
_ABSENT = re.compile(
    r"could not find|does not exist|doesn't exist|not found|unable to find|cannot find",
    re.IGNORECASE,
)
# What an error message may repeat of a request that must not reach a screen or a log.
_SECRET = re.compile(
    r"(?:AKIA|ASIA)[A-Z0-9]{12,}|(?<=[?&])X-Amz-[A-Za-z-]+=[^&\s\"']+|"
    r"(?<=Signature=)[0-9a-fA-F]{16,}|(?<=://)[^/@\s]+:[^/@\s]+(?=@)"
)


def to_problem(exc: BaseException, *, service: str, operation: str, region: str | None) -> Problem:
    """Return the typed state of an exception that an AWS call raised.

    ``service`` is botocore's name (``sagemaker``), ``operation`` the API's
    (``DescribeTrainingJob``). Never raises, and the message holds no credentials.
    """
    response = getattr(exc, "response", None)
    error = response.get("Error") if isinstance(response, dict) else None
    if isinstance(error, dict):
        return _from_reply(error, response, service, operation, region)
    return _from_client(exc, service, operation, region)


def _from_reply(
    error: dict[str, Any],
    response: Any,
    service: str,
    operation: str,
    region: str | None,
) -> Problem:
    """Read an error that AWS sent."""
    code = str(error.get("Code") or "")
    message = clean(str(error.get("Message") or code or "no message"))
    metadata = response.get("ResponseMetadata")
    status = metadata.get("HTTPStatusCode") if isinstance(metadata, dict) else None
    call = f"{service} {operation}"
    if code in _EXPIRED:
        return _expired(f"AWS says the credentials have expired ({code}).")
    if code in _REGION_OFF:
        return _region_off(region, service, message)
    if code in _INVALID_CREDENTIALS:
        return Problem(
            "expired-credentials",
            f"AWS does not accept the credentials for {call} ({code}).",
            "Sign in again or renew the keys; if they are new, check the clock, and that the "
            f"Region {region or '(none)'} is enabled for the account.",
        )
    if code in _DENIED or (status == 403 and code not in _BAD_INPUT):
        return _denied(message, service, operation)
    if code in _THROTTLED or status == 429:
        return Problem(
            "throttled",
            f"AWS is limiting the rate of {call} calls ({code}).",
            "Wait a moment: the last known state is shown, and the next refresh asks again.",
        )
    if code in _NOT_FOUND or status == 404 or (code in _BAD_INPUT and _ABSENT.search(message)):
        return Problem(
            "not-found",
            f"{operation}: {message}",
            "Check the name, the Region and the account; it may have been deleted.",
        )
    if code in _BAD_INPUT:
        return Problem(
            "bad-input", f"{operation}: {message}", "Correct the value that the message names."
        )
    return Problem(
        "aws-error",
        f"{call} failed: {code + ': ' if code else ''}{message}",
        "Try again; if it stays, look at the AWS Health Dashboard or ask your administrator.",
    )


def _from_client(exc: BaseException, service: str, operation: str, region: str | None) -> Problem:
    """Read an error that botocore raised before or instead of a reply."""
    names = {base.__name__ for base in type(exc).__mro__}
    text = clean(str(exc))
    if "NoRegionError" in names:
        return no_region()
    if names & _NO_CREDENTIALS_CLASSES:
        return no_credentials(text)
    if names & _EXPIRED_CLASSES:
        return _expired(f"The credentials could not be renewed: {text}")
    if names & _REGION_CLASSES or _unknown_region(names, region):
        return _region_off(region, service, text)
    if names & _UNREACHABLE_CLASSES:
        return _unreachable(names, text, service, operation, region)
    if "ParamValidationError" in names:
        return Problem(
            "bad-input", f"{operation}: {text}", "Correct the value that the message names."
        )
    return Problem(
        "aws-error",
        f"{service} {operation} failed: {type(exc).__name__}: {text}",
        "Try again; if it stays, report it with this message.",
    )


def no_credentials(detail: str = "Unable to locate credentials") -> Problem:
    """Return the state of a process that has no AWS credentials."""
    return Problem(
        "no-credentials",
        f"There are no AWS credentials here ({detail.rstrip('.')}).",
        "Start JupyterLab with an execution role, or sign in (`aws sso login`) or set AWS_PROFILE, "
        "then refresh.",
    )


def no_region() -> Problem:
    """Return the state of a process that does not know its Region."""
    return Problem(
        "no-region",
        "No AWS Region is set.",
        "Set AWS_DEFAULT_REGION, or a region in ~/.aws/config, then restart JupyterLab.",
    )


def spoken(problem: Problem) -> str:
    """Return a problem as sentences: what happened, and what to do."""
    stop = "" if problem.message.endswith((".", "!", "?")) else "."
    return f"{problem.message}{stop} {problem.remedy}"


def clean(text: str) -> str:
    """Return a message without keys, signatures or passwords, and of bounded length."""
    cleaned = _SECRET.sub("****", text)
    return cleaned if len(cleaned) <= 600 else cleaned[:597] + "..."


def _expired(message: str) -> Problem:
    return Problem(
        "expired-credentials",
        message,
        "Sign in again (`aws sso login`), or restart the space so that its role is renewed, "
        "then refresh.",
    )


def _denied(message: str, service: str, operation: str) -> Problem:
    named = _ACTION_IN_MESSAGE.search(message)
    action = named.group(1) if named else iam_action(service, operation)
    denier = _DENYING_POLICY.search(message)
    if denier is not None:
        remedy = (
            f"An explicit deny in a {denier.group(1)} forbids {action}; adding an Allow does not "
            "help. Ask the owner of that policy for an exception."
        )
    else:
        remedy = (
            f"Ask your administrator to allow {action} for this role "
            "(`jupyter secure-ml permissions` prints the policy)."
        )
    return Problem("access-denied", f"Access denied: {message}", remedy, action)


def _region_off(region: str | None, service: str, detail: str) -> Problem:
    where = region or "(none)"
    return Problem(
        "region-unsupported",
        f"The Region {where} does not offer {service}, or is not enabled here ({detail}).",
        "Check the spelling of the Region (AWS_DEFAULT_REGION), or enable it for the account.",
    )


def _unknown_region(names: set[str], region: str | None) -> bool:
    """Say whether a failed connection is explained by a name that is no Region's.

    A Region newer than the installed botocore still has the shape of one.
    """
    if "EndpointConnectionError" not in names or region is None:
        return False
    try:
        from botocore.session import get_session

        return get_session().get_partition_for_region(region) is None
    except Exception as error:
        return type(error).__name__ == "UnknownRegionError"


def _listed(service: str, region: str | None) -> bool:
    """Say whether the installed botocore knows the service in the Region."""
    if region is None:
        return True
    try:
        from botocore.session import get_session

        session = get_session()
        return any(
            region in session.get_available_regions(service, partition_name=name)
            for name in session.get_available_partitions()
        )
    except Exception:  # an internal name that is no service
        return True


def _unreachable(
    names: set[str], text: str, service: str, operation: str, region: str | None
) -> Problem:
    wanted = endpoint_service(service, region)
    if "SSLError" in names:
        remedy = (
            "The certificate was not accepted: set AWS_CA_BUNDLE to your organisation's "
            "certificate file."
        )
    elif "ProxyConnectionError" in names:
        remedy = (
            "The proxy did not answer: check HTTPS_PROXY and NO_PROXY, or create the VPC endpoint "
            f"{wanted}."
        )
    elif _is_custom(text):
        remedy = (
            "AWS_ENDPOINT_URL points to an address that does not answer: correct it, or unset it "
            f"to use {wanted}."
        )
    else:
        remedy = (
            f"In a VPC without internet access, create the VPC endpoint {wanted} and let its "
            "security group accept HTTPS from this subnet."
        )
    if not _listed(service, region):
        remedy = f"Check the spelling of the Region {region}. {remedy}"
    message = f"{service} {operation} could not reach its endpoint: {text}"
    return Problem("endpoint-unreachable", message, remedy)


def _is_custom(text: str) -> bool:
    """Say whether the address in the message is not one of AWS."""
    found = re.search(r"https?://([^/\"'\s:]+)", text)
    if found is None:
        return False
    host = found.group(1).lower()
    return not host.endswith((".amazonaws.com", ".amazonaws.com.cn", ".api.aws", ".on.aws"))


# Which failures make every further call of the same service and Region pointless for now.
FATAL: frozenset[ProblemCode] = frozenset(
    (
        "no-credentials",
        "expired-credentials",
        "endpoint-unreachable",
        "region-unsupported",
        "no-region",
    )
)
