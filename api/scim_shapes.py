"""Members and roles as SCIM shows and takes them."""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from scim2_models import InvalidValueException, Meta

from api.scim_service import Group, GroupMember, User, UserGroup
from api.shapes.field import storable
from api.shapes.party import is_zone
from domain.member import Role
from domain.party import LOCALE
from domain.provision import ProvisionFields
from store.provision import Account
from store.workspace import WorkspaceRow

KEPT = ("name", "displayName", "locale", "timezone", "emails", "active")
"""What is kept as the directory stated it, for it to read again."""


def user_of(account: Account) -> User:
    """A member; what no directory stated is said in our words."""
    member, provision = account.member, account.provision
    profile: Mapping[str, Any] = provision.profile if provision else {}
    user = User.model_validate(_told(account, profile))
    user.id, user.user_name = str(member.id), member.email
    if user.active is not None:
        user.active = account.standing.is_active
    user.external_id = (provision.external_id if provision else "") or None
    user.groups = [
        UserGroup(value=each.value, display=each.value) for each in sorted(account.standing.groups)
    ] or None
    user.meta = Meta(
        resource_type="User", created=member.created_at, last_modified=account.updated_at
    )
    user.meta.version = version_of(user)
    return user


def _told(account: Account, profile: Mapping[str, Any]) -> dict[str, Any]:
    """What the directory stated; a name that was changed here since is the one that counts."""
    member = account.member
    if account.provision is None:
        emails = [{"value": member.email, "primary": True}]
        spoken = {"locale": member.locale, "timezone": member.zone, "active": True}
        return {"displayName": member.name, "emails": emails} | spoken
    if name_of(profile, member.email) == member.name:
        return dict(profile)
    return {**profile, "displayName": member.name}


def name_of(profile: Mapping[str, Any], email: str) -> str:
    """What others read of somebody."""
    name = profile.get("name") or {}
    parts = [name.get(each) or "" for each in ("givenName", "familyName")]
    found = profile.get("displayName") or name.get("formatted") or " ".join(parts)
    return found.strip() or email


def fields_of(user: User) -> ProvisionFields:
    """What a directory states of a user; raises `InvalidValueException` for what cannot be kept."""
    told = user.model_dump()
    profile = {each: told[each] for each in KEPT if told.get(each) not in (None, [], {})}
    email, external_id = (user.user_name or "").strip(), user.external_id or ""
    try:
        storable([profile, email, external_id])
    except ValueError as error:
        raise InvalidValueException(detail=str(error)) from error
    locale = (user.locale or "").replace("_", "-")
    return ProvisionFields(
        email=email,
        name=name_of(profile, email),
        active=user.active,
        locale=locale if LOCALE.fullmatch(locale) else "",
        zone=user.timezone if user.timezone and is_zone(user.timezone) else "",
        external_id=external_id,
        profile=profile,
    )


def group_of(role: Role, workspace: WorkspaceRow, known: Sequence[Account]) -> Group:
    """A role with the members who are in it."""
    group = Group(id=role.value, display_name=role.value)
    present = [each.member for each in known if role in each.standing.groups]
    group.members = [
        GroupMember(value=str(each.id), ref=f"Users/{each.id}", type="User", display=each.name)
        for each in present
    ] or None
    group.meta = Meta(
        resource_type="Group",
        created=workspace.created_at,
        last_modified=max([workspace.created_at, *(each.updated_at for each in known)]),
    )
    group.meta.version = version_of(group)
    return group


def version_of(resource: User | Group) -> str:
    """The entity tag of what a resource says: it changes with that, whoever changed it."""
    told = resource.model_dump()
    told.pop("meta", None)
    text = json.dumps(told, sort_keys=True, default=str)
    return f'W/"{hashlib.sha256(text.encode()).hexdigest()[:32]}"'


def members_of(group: Group) -> Iterable[str]:
    """The ids of a group's members as they were stated."""
    return [each.value or "" for each in group.members or []]
