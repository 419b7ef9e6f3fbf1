"""The IAM policy language: what an organisation's policies make of one request.

``evaluate(bundle, action, resource, context)`` gives a ``Decision``. It knows nothing of SageMaker:
the caller says which condition keys a request carries, and which it cannot be sure of.
"""

from __future__ import annotations

from .bundle import PolicyBundle
from .context import ContextError
from .errors import PolicyError
from .evaluate import evaluate
from .records import SOMETHING, DecidingStatement, Decision, Outcome, Undetermined, Verdict, Why

__all__ = [
    "SOMETHING",
    "ContextError",
    "DecidingStatement",
    "Decision",
    "Outcome",
    "PolicyBundle",
    "PolicyError",
    "Undetermined",
    "Verdict",
    "Why",
    "evaluate",
]
