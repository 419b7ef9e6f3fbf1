"""Would IAM allow this request? The evaluation of a prepared bundle.

AWS, "Policy evaluation logic": an explicit Deny anywhere wins; otherwise every layer (identity
policies, permissions boundary, session policy, each level of service control policies) needs an
Allow; otherwise the request is denied implicitly.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from . import explain, undetermined
from .bundle import PolicyBundle
from .context import ContextError, prepare
from .glob import MAX_CHARACTERS
from .plan import Plan, Request
from .records import Decision

PRINCIPAL = "aws:principalarn"


def evaluate(
    bundle: PolicyBundle, action: str, resource: str, context: Mapping[str, Any]
) -> Decision:
    """Decide a request: the verdict, the statements that made it, and what it depends on.

    ``action`` is like ``sagemaker:CreateTrainingJob``, ``resource`` an ARN or ``*``. ``context``
    maps condition keys, in any case, to a string, a list of strings, a number, a boolean, None for
    absent, or ``Undetermined``. With several principals in the bundle ``aws:PrincipalArn`` of the
    context chooses. Raises ContextError for a context that cannot be used.
    """
    if len(action) > MAX_CHARACTERS or len(resource) > MAX_CHARACTERS:
        raise ContextError(f"action or resource has more than {MAX_CHARACTERS} characters")
    known, uncertain = prepare(context)
    arn = known.get(PRINCIPAL)
    policies = bundle.policies(arn if isinstance(arn, str) else None)
    plan = policies.plan(action)
    request = Request(action, resource, known)
    if policies.unread or (uncertain and not plan.keys.isdisjoint(uncertain)):
        matter = {key: value for key, value in uncertain.items() if key in plan.keys}
        return undetermined.decide(plan, policies.unread, request, matter)
    return _settled(plan, request)


def _settled(plan: Plan, request: Request) -> Decision:
    """Decide where everything that matters is known."""
    _, resource, context = request
    denies = [hit for applies, hit in plan.deny_tests if applies(resource, context)]
    if denies:
        return Decision("explicitly-denied", partial(explain.denied, request, denies))
    for tests in plan.allow_tests:
        for applies in tests:
            if applies(resource, context):
                break
        else:
            return Decision("implicitly-denied", partial(explain.lacking, request, plan))
    return Decision("allowed", partial(explain.allowed, request, plan))
