"""Accounts that a directory provisions: its groups are our roles, and no group is no access.

Somebody who is in no group may not sign in. The least role still reads everything that parties
captured, so that it is nothing to fall back to.
"""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from domain.fault import Fault
from domain.member import MemberState, Role
from domain.party import LONGEST_NAME, is_address

LONGEST_EXTERNAL_ID = 255
LARGEST_PROFILE = 16 * 1024
LEAST = Role.AUDITOR
"""What somebody in no group has, disabled as it is."""


@dataclass(frozen=True, slots=True)
class ProvisionFields:
    """What a directory states of an account.

    `active` None: it does not say. `locale` and `zone` are "" where we do not understand what it
    states; `profile` is its statement itself, for it to read again.
    """

    email: str
    name: str
    active: bool | None = None
    locale: str = ""
    zone: str = ""
    external_id: str = ""
    profile: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Standing:
    """An account as it is: its role and state, and what its directory said last.

    `stated` are the groups it was put in, None where no directory ever wrote it; `wanted` is
    whether it is to be active, groups or not.
    """

    role: Role
    state: MemberState
    stated: Sequence[Role] | None
    wanted: bool

    @property
    def groups(self) -> frozenset[Role]:
        """The groups it is in; a role that an administrator gave since stands for itself."""
        if self.stated and strongest(self.stated) is self.role:
            return frozenset(self.stated)
        if self.stated is not None and not self.stated and self.state == MemberState.DISABLED:
            return frozenset()
        return frozenset({self.role})

    @property
    def is_active(self) -> bool:
        """Whether the directory reads it as active: it is, or waits for its first group."""
        if self.state != MemberState.DISABLED:
            return True
        return self.stated is not None and self.wanted and not self.groups


def strongest(groups: Collection[Role]) -> Role | None:
    """The role of somebody in these groups; None in none."""
    return next((each for each in Role if each in groups), None)


def faults_of(fields: ProvisionFields) -> tuple[Fault, ...]:
    """Every fault of what a directory states."""
    found = []
    if not is_address(fields.email):
        found.append(Fault("/userName", "must be one mail address, such as anna@example.com"))
    if not fields.name.strip() or len(fields.name) > LONGEST_NAME:
        found.append(Fault("/displayName", f"must have 1 to {LONGEST_NAME} characters"))
    if len(fields.external_id) > LONGEST_EXTERNAL_ID:
        found.append(Fault("/externalId", f"may have {LONGEST_EXTERNAL_ID} characters"))
    if len(json.dumps(fields.profile)) > LARGEST_PROFILE:
        found.append(Fault("", f"may have {LARGEST_PROFILE} bytes"))
    return tuple(found)


def is_encodable(text: str) -> bool:
    """Whether a text has no half of a surrogate pair, which JSON can write and UTF-8 cannot."""
    return not any("\ud800" <= each <= "\udfff" for each in text)
