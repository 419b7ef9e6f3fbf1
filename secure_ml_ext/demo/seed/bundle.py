"""The policy bundle as the platform team would leave it: exported, and put where the profile says.

The parameter that names it is written with the others (``parameters.py``).
"""

from __future__ import annotations

from ...aws.policies_export import export, to_json
from .world import BUNDLE_KEY, DATA_BUCKET, EXECUTION_ROLE, PIPELINE_ROLE, World, role_arn


class BundleIncomplete(RuntimeError):
    """The seed could not read its own policies."""


def plant(world: World) -> None:
    """Export the policies of the roles that submit work, and store them in S3."""
    roles = [role_arn(name) for name in (EXECUTION_ROLE, PIPELINE_ROLE)]
    exported = export(roles, make_client=world.client)
    if not exported.complete:
        raise BundleIncomplete("; ".join(each.problem.message for each in exported.unread))
    world.client("s3").put_object(
        Bucket=DATA_BUCKET,
        Key=BUNDLE_KEY,
        Body=to_json(exported.bundle).encode(),
        ContentType="application/json",
    )
