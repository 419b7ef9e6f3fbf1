"""Errors on demand, so that tests see every state a user can meet."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from .wire import Call

# What AWS answers with these codes, where the test does not say otherwise.
STATUSES = {
    "AccessDenied": 403,
    "ExpiredToken": 403,
    "InvalidClientTokenId": 403,
    "SignatureDoesNotMatch": 403,
    "ServiceUnavailable": 503,
    "InternalFailure": 500,
}
MESSAGES = {
    "Throttling": "Rate exceeded",
    "ThrottlingException": "Rate exceeded",
    "ExpiredToken": "The security token included in the request is expired",
    "ExpiredTokenException": "The security token included in the request is expired",
    "InvalidClientTokenId": "The security token included in the request is invalid.",
    "UnrecognizedClientException": "The security token included in the request is invalid.",
}


# As in most accounts, nobody here may ask IAM to simulate a principal. SDK v3 asks before
# training, takes this for "unknown" and goes on; any other error would stop it.
DENIED = frozenset({("iam", "SimulatePrincipalPolicy")})


@dataclass
class Fault:
    """An error for the next `times` calls of an operation (`*` for any; -1 for always).

    `delay` seconds pass first; without a code the call is only late. `decision` makes IAM's
    simulator answer so, whatever the policies say.
    """

    service: str
    operation: str
    code: str | None = None
    status: int | None = None
    message: str | None = None
    times: int = 1
    delay: float = 0.0
    decision: str | None = None

    def fits(self, call: Call) -> bool:
        """Whether this fault is meant for a call."""
        return (
            self.times != 0
            and self.service in ("*", call.service)
            and self.operation in ("*", call.operation)
        )


class Struck(NamedTuple):
    """What a fault makes of a call: an error (code, message, status), or a forced decision."""

    error: tuple[str, str, int] | None
    decision: str | None = None


@dataclass
class Faults:
    """The faults that wait for their calls. Thread-safe."""

    _faults: list[Fault] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, given: dict[str, Any]) -> None:
        """Keep a fault as the control endpoint received it; TypeError for unknown members."""
        with self._lock:
            self._faults.append(Fault(**given))

    def clear(self) -> None:
        """Forget all faults."""
        with self._lock:
            self._faults.clear()

    def strike(self, call: Call, principal: str) -> Struck | None:
        """What the fault that waits for a call makes of it; None where none does."""
        with self._lock:
            fault = next((fault for fault in self._faults if fault.fits(call)), None)
            if fault is None:
                denied = (call.service, call.operation) in DENIED
                return Struck(("AccessDenied", _denied(call, principal), 403)) if denied else None
            if fault.times > 0:
                fault.times -= 1
        if fault.delay:
            time.sleep(fault.delay)
        if fault.code is None:
            return Struck(None, fault.decision)
        message = fault.message or MESSAGES.get(fault.code) or _denied(call, principal)
        return Struck((fault.code, message, fault.status or STATUSES.get(fault.code, 400)))


def _denied(call: Call, principal: str) -> str:
    action = f"{call.service.removesuffix('-runtime')}:{call.operation}"
    return (
        f"User: {principal} is not authorized to perform: {action} "
        f"because no identity-based policy allows the {action} action"
    )
