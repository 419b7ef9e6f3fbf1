"""boto3 clients for this product's own calls: cached, thread-safe, impatient.

They are known to :func:`is_ours`, so that the guard never checks what this
product itself asks. boto3 is imported on the first use.
"""

from __future__ import annotations

import hashlib
import json
import os
import threading
import weakref
from collections import OrderedDict
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

CONNECT_TIMEOUT = 3.0
READ_TIMEOUT = 10.0
ATTEMPTS = 3
TRANSFER_CONNECT_TIMEOUT = 10.0
TRANSFER_READ_TIMEOUT = 60.0
TRANSFER_ATTEMPTS = 5
USER_AGENT = "secure-ml-ext"
MAX_WORKERS = 8
_MAX_CLIENTS = 32
DEFAULT_METADATA = "/opt/ml/metadata/resource-metadata.json"

_lock = threading.RLock()
_clients: OrderedDict[tuple[str, str, str, str, int], Any] = OrderedDict()
_sessions: OrderedDict[str, Any] = OrderedDict()
_ours: weakref.WeakSet[Any] = weakref.WeakSet()
_building = threading.local()
_pool: ThreadPoolExecutor | None = None


def client(
    service: str,
    region: str | None = None,
    *,
    session: Any = None,
    endpoint_url: str | None = None,
    attempts: int = ATTEMPTS,
) -> Any:
    """Return this product's client for a service.

    ``region`` None means the process's own Region, ``endpoint_url`` None the service's own
    address; ``attempts`` is how often a throttled call is made. Raises what boto3 raises, e.g.
    ``NoRegionError``; hand that to ``aws.errors.to_problem``.
    """
    where = region or default_region(session)
    with _lock:
        if session is not None:
            return _build(session, service, where, endpoint_url, attempts)
        environment = environment_key()
        key = (service, where or "", environment, endpoint_url or "", attempts)
        cached = _clients.get(key)
        if cached is None:
            cached = _build(_session(environment), service, where, endpoint_url, attempts)
            _clients[key] = cached
            while len(_clients) > _MAX_CLIENTS:
                _clients.popitem(last=False)
        else:
            _clients.move_to_end(key)
        return cached


def transfer_client(service: str, endpoint_url: str | None = None, *, connections: int) -> Any:
    """Return a new, patient client for moving data: many connections, slow replies, retries.

    Raises what boto3 raises, like :func:`client`.
    """
    from botocore.config import Config

    config = Config(
        connect_timeout=TRANSFER_CONNECT_TIMEOUT,
        read_timeout=TRANSFER_READ_TIMEOUT,
        retries={"mode": "standard", "total_max_attempts": TRANSFER_ATTEMPTS},
        max_pool_connections=connections,
        user_agent_extra=USER_AGENT,
    )
    with _lock:
        session = _session(environment_key())
        return _made(session, service, default_region(), endpoint_url, config)


def is_ours(candidate: Any) -> bool:
    """Say whether a client was made here; true already while it is being built."""
    if getattr(_building, "active", False):
        return True
    try:
        return candidate in _ours
    except TypeError:
        return False


def pool() -> ThreadPoolExecutor:
    """Return the bounded thread pool in which this product talks to AWS."""
    global _pool
    with _lock:
        if _pool is None:
            _pool = ThreadPoolExecutor(MAX_WORKERS, thread_name_prefix="secure-ml-aws")
        return _pool


def default_region(session: Any = None) -> str | None:
    """Return the Region of this process, or None.

    Asked in order: the session, botocore's own configuration, ``AWS_REGION`` (which
    SageMaker sets and botocore ignores), the ARN in the resource metadata file.
    """
    named = getattr(session, "region_name", None)
    if isinstance(named, str) and named:
        return named
    if session is None:
        from botocore.exceptions import BotoCoreError

        try:
            with _lock:
                configured = _session(environment_key()).region_name
        except BotoCoreError:
            configured = None  # AWS_PROFILE names a profile that is not there
        if isinstance(configured, str) and configured:
            return configured
    if os.environ.get("AWS_REGION"):
        return os.environ["AWS_REGION"]
    arn = resource_metadata().get("ResourceArn")
    return region_of(arn) if isinstance(arn, str) else None


def resource_metadata() -> dict[str, Any]:
    """Return what SageMaker wrote about this machine, or ``{}``.

    The file is ``/opt/ml/metadata/resource-metadata.json`` on Studio and on notebook
    instances ("Get Studio app metadata", SageMaker developer guide).
    """
    try:
        path = metadata_path()
        if path.stat().st_size > 1_000_000:
            return {}
        content = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    return content if isinstance(content, dict) else {}


def metadata_path() -> Path:
    """Return where the resource metadata file is looked for."""
    return Path(os.environ.get("SECURE_ML_RESOURCE_METADATA") or DEFAULT_METADATA)


def region_of(arn: str | None) -> str | None:
    """Return the Region in an ARN, or None."""
    parts = (arn or "").split(":")
    return parts[3] or None if len(parts) >= 6 and parts[0] == "arn" else None


def account_of(arn: str | None) -> str | None:
    """Return the account in an ARN, or None."""
    parts = (arn or "").split(":")
    return parts[4] or None if len(parts) >= 6 and parts[0] == "arn" else None


def environment_key() -> str:
    """Return a digest of everything in the environment that changes what a client is."""
    relevant = sorted(
        (name, value)
        for name, value in os.environ.items()
        if name.startswith("AWS_") or name in ("HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY")
    )
    return hashlib.sha256(repr(relevant).encode()).hexdigest()[:32]


def forget() -> None:
    """Drop every cached client and session, e.g. after a fork or a change of credentials."""
    global _pool
    with _lock:
        _clients.clear()
        _sessions.clear()
        stopped, _pool = _pool, None
    if stopped is not None:
        stopped.shutdown(wait=False, cancel_futures=True)


def _session(key: str) -> Any:
    """Return the boto3 session of an environment; called with the lock held."""
    cached = _sessions.get(key)
    if cached is None:
        import boto3

        cached = _sessions[key] = boto3.session.Session()
        while len(_sessions) > 4:
            _sessions.popitem(last=False)
    return cached


def _build(
    session: Any, service: str, region: str | None, endpoint_url: str | None, attempts: int
) -> Any:
    from botocore.config import Config

    config = Config(
        connect_timeout=CONNECT_TIMEOUT,
        read_timeout=READ_TIMEOUT,
        retries={"mode": "standard", "total_max_attempts": attempts},
        max_pool_connections=MAX_WORKERS + 2,
        user_agent_extra=USER_AGENT,
    )
    return _made(session, service, region, endpoint_url, config)


def _made(
    session: Any, service: str, region: str | None, endpoint_url: str | None, config: Any
) -> Any:
    _building.active = True
    try:
        built = session.client(
            service, region_name=region, config=config, endpoint_url=endpoint_url
        )
    finally:
        _building.active = False
    _ours.add(built)
    return built


def _after_fork_in_child() -> None:
    """Start afresh in a forked child: threads, sockets and a held lock do not survive."""
    global _lock, _pool
    _lock = threading.RLock()
    _pool = None
    _clients.clear()
    _sessions.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork_in_child)
