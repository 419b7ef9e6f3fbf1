"""Who may read an organisation, as AWS has it.

moto knows an organisation in its management account only. Here a member account that is a
delegated administrator sees it too, and every other member is refused (Organizations API
reference: "This operation can be called only from the organization's management account or by a
member account that is a delegated administrator").
"""

from __future__ import annotations

from moto.core.exceptions import ServiceException
from moto.organizations.models import OrganizationsBackend, organizations_backends
from moto.organizations.responses import OrganizationsResponse

# What every member account may ask.
FREE = frozenset(("DescribeOrganization", "CreateOrganization", "LeaveOrganization"))


def install() -> None:
    """Put our view of the organisation in the place of moto's; once per process."""
    setattr(OrganizationsResponse, "organizations_backend", property(_backend))  # noqa: B010


def _backend(self: OrganizationsResponse) -> OrganizationsBackend:
    own: OrganizationsBackend = organizations_backends[self.current_account][self.partition]
    manager = organizations_backends.master_accounts.get(self.current_account)
    if own.org is not None or manager is None or self._get_action() in FREE:
        return own
    account, partition = manager
    managing: OrganizationsBackend = organizations_backends[account][partition]
    if all(admin.account.id != self.current_account for admin in managing.admins):
        raise ServiceException(
            "AccessDeniedException",
            "You don't have permissions to access this resource.",
        )
    return managing
