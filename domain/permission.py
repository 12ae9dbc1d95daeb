"""What a role may do: the one list of permissions (PS-41, EE-16).

A permission reads `noun.verb`, as the audit's words do. Reading what parties captured is one of
its own, because it is what an auditor is there for and what a report needs least.
"""

from collections.abc import Mapping
from enum import StrEnum

from domain.member import Role


class Permission(StrEnum):
    """Everything that a member or program may be allowed."""

    ACCOUNT_OWN = "account.own"
    DEFINITIONS_READ = "definitions.read"
    DEFINITIONS_EDIT = "definitions.edit"
    PARTIES_READ = "parties.read"
    PARTIES_EDIT = "parties.edit"
    SESSIONS_READ = "public_sessions.read"
    SESSIONS_MANAGE = "public_sessions.manage"
    SUBMISSIONS_READ = "submissions.read"
    AGREEMENTS_READ = "agreements.read"
    AGREEMENTS_MANAGE = "agreements.manage"
    ERASE = "erasures.order"
    AUDIT_READ = "audit.read"
    REPORTS_READ = "reports.read"
    SETTINGS_READ = "settings.read"
    SETTINGS_EDIT = "settings.edit"
    MEMBERS_READ = "members.read"
    MEMBERS_MANAGE = "members.manage"


_READS = frozenset(
    {
        Permission.ACCOUNT_OWN,
        Permission.DEFINITIONS_READ,
        Permission.PARTIES_READ,
        Permission.SESSIONS_READ,
        Permission.SUBMISSIONS_READ,
        Permission.AGREEMENTS_READ,
        Permission.SETTINGS_READ,
        Permission.MEMBERS_READ,
    }
)

PERMISSIONS: Mapping[Role, frozenset[Permission]] = {
    Role.ADMIN: frozenset(Permission),
    Role.PUBLISHER: _READS
    | {
        Permission.DEFINITIONS_EDIT,
        Permission.PARTIES_EDIT,
        Permission.SESSIONS_MANAGE,
        Permission.AGREEMENTS_MANAGE,
    },
    Role.AUDITOR: _READS | {Permission.AUDIT_READ, Permission.REPORTS_READ},
}


def may(role: Role, permission: Permission) -> bool:
    """Whether a role has a permission."""
    return permission in PERMISSIONS[role]
