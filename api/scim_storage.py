"""What the SCIM protocol reads and writes: the members of one workspace, and their three roles.

Each operation is one transaction, in which the token is looked up, so that revoking it works at
once. Whoever writes has the workspace's lock from its first look on: nothing changes in between.
"""

from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Any, cast
from uuid import UUID

from scim2_models import (
    ForbiddenException,
    InvalidValueException,
    NotFoundException,
    PreconditionFailedException,
    Resource,
    ResourceType,
    ResponseParameters,
    SCIMException,
    SearchRequest,
    TooManyException,
    UnauthorizedException,
    UniquenessException,
)
from scim2_models.path import CompareOperator, Comparison
from scim2_server.storage import AsyncScimStorage, SearchPage
from typing_extensions import override

from api.errors import is_unavailable
from api.scim_service import Group, User
from api.scim_shapes import fields_of, group_of, members_of, user_of
from commands.caller import recognise_directory
from commands.member import address_digest
from commands.provision import (
    Directory,
    change_account,
    change_group,
    external_digest,
    find_account,
    provision_member,
    remove_account,
)
from commands.work import Transactions, Work
from domain.errors import NotFound, Unauthenticated
from domain.member import Role
from domain.member_errors import LastAdministrator, MemberExists, MemberInvalid
from domain.provision import is_encodable
from store.provision import Sought, accounts, count_accounts
from store.workspace import workspace_by_id
from store.workspace_setting import lock_settings

MOST_LOOKED_THROUGH = 2000
"""A filter that no index answers reads every account; more than this it does not."""
FARTHEST = 2**31
"""A page that begins behind this is as empty, and PostgreSQL can count so far."""
USERS = "User"
FIXED = "The groups are the roles admin, publisher and auditor: none is added, renamed or deleted."


class Refused(SCIMException):
    """A rule of the workspace stands against it."""

    status = 409


class Unavailable(SCIMException):
    """Something is away, or somebody else is writing for long: try again."""

    status = 503


@dataclass(frozen=True, slots=True)
class _Acting:
    """One operation's transaction, and for whom."""

    work: Work
    directory: Directory

    @property
    def workspace_id(self) -> UUID:
        return self.directory.workspace_id


class ProvisionStorage(AsyncScimStorage):
    """The accounts of the workspace that a token is for; what is in another does not exist."""

    def __init__(self, begin: Transactions, token: str, *, writes: bool) -> None:
        """Takes the text of the token, and whether the request may change anything."""
        self._begin = begin
        self._token = token
        self._writes = writes
        self._current: _Acting | None = None

    @override
    @asynccontextmanager
    async def operation(self) -> AsyncIterator[None]:
        """One transaction, committed at its end."""
        async with self._begun() as acting:
            self._current = acting
            try:
                yield
            finally:
                self._current = None

    @asynccontextmanager
    async def _begun(self) -> AsyncIterator[_Acting]:
        with _told():
            async with self._begin.work() as work:
                directory = await recognise_directory(work, self._token)
                if self._writes:
                    await lock_settings(work.db, directory.workspace_id)
                yield _Acting(work, directory)

    @asynccontextmanager
    async def _acting(self) -> AsyncIterator[_Acting]:
        """The operation under way, or one of its own."""
        if self._current is not None:
            yield self._current
            return
        async with self._begun() as acting:
            yield acting

    @override
    async def get(
        self,
        resource_type: ResourceType,
        resource_id: str,
        *,
        response_parameters: ResponseParameters[Any] | None = None,
    ) -> Resource[Any]:
        """One user or group."""
        async with self._acting() as acting:
            return await _found(acting, resource_type, resource_id)

    @override
    async def search(
        self,
        resource_types: list[ResourceType],
        search_request: SearchRequest[Any],
        *,
        position: Any = None,
    ) -> SearchPage:
        """A page of what a filter lets through, and how many that are."""
        kinds = {str(each.name) for each in resource_types}
        async with self._acting() as acting:
            if kinds == {USERS} and not search_request.filter and not search_request.sort_by:
                return await _page(acting, search_request)
            found = await _candidates(acting, kinds, search_request)
        if search_request.filter is not None:
            found = [each for each in found if search_request.filter.match(each)]
        found = search_request.sort(found)
        page = found[_start(search_request) :][: search_request.count]
        return SearchPage(len(found), page)

    @override
    async def create(self, resource_type: ResourceType, resource: Resource[Any]) -> Resource[Any]:
        """A new user, or one that was deleted before; never a group."""
        if not isinstance(resource, User):
            raise ForbiddenException(detail=FIXED)
        stated = resource.model_copy(update={"active": resource.active is not False})
        fields = fields_of(stated)
        async with self._acting() as acting:
            return user_of(await provision_member(acting.work, acting.directory, fields))

    @override
    async def update(
        self,
        resource_type: ResourceType,
        resource: Resource[Any],
        *,
        expected_version: str | None = None,
    ) -> Resource[Any]:
        """A user as it is stated now, or who is in a group."""
        resource_id = resource.id or ""
        async with self._acting() as acting:
            _expect(await _found(acting, resource_type, resource_id), expected_version)
            if isinstance(resource, User):
                fields, member_id = fields_of(resource), UUID(resource_id)
                changed = change_account(acting.work, acting.directory, member_id, fields)
                return user_of(await changed)
            await _write_group(acting, Role(resource_id), cast("Group", resource))
            return await _found(acting, resource_type, resource_id)

    @override
    async def delete(
        self,
        resource_type: ResourceType,
        resource_id: str,
        *,
        expected_version: str | None = None,
    ) -> None:
        """Takes a user out of sight, disabled; never a group."""
        async with self._acting() as acting:
            found = await _found(acting, resource_type, resource_id)
            _expect(found, expected_version)
            if isinstance(found, Group):
                raise ForbiddenException(detail=FIXED)
            await remove_account(acting.work, acting.directory, UUID(resource_id))


@contextmanager
def _told() -> Iterator[None]:
    """Has the protocol tell our refusals as its own."""
    try:
        yield
    except MemberInvalid as refusal:
        faults = "; ".join(f"{each.pointer} {each.message}".strip() for each in refusal.faults)
        raise InvalidValueException(detail=faults) from refusal
    except MemberExists as refusal:
        raise UniquenessException(detail=str(refusal)) from refusal
    except NotFound as refusal:
        raise NotFoundException(detail=str(refusal)) from refusal
    except LastAdministrator as refusal:
        raise Refused(detail=str(refusal)) from refusal
    except Unauthenticated as refusal:
        raise UnauthorizedException(detail=str(refusal)) from refusal
    except Exception as error:
        if not is_unavailable(error):
            raise
        raise Unavailable(detail="Not available at this moment; try again.") from error


def _expect(found: Resource[Any], version: str | None) -> None:
    if version is not None and (found.meta is None or found.meta.version != version):
        raise PreconditionFailedException


async def _found(acting: _Acting, kind: ResourceType, resource_id: str) -> Resource[Any]:
    """A user or group of this workspace; raises `NotFoundException`."""
    try:
        if kind.name == USERS:
            account = find_account(acting.work, acting.workspace_id, UUID(resource_id))
            return user_of(await account)
        role = Role(resource_id)
    except (ValueError, NotFound):
        raise NotFoundException(detail=f"There is no such {kind.name}.") from None
    return (await _groups(acting, [role]))[0]


async def _groups(acting: _Acting, roles: Sequence[Role]) -> list[Group]:
    workspace = await workspace_by_id(acting.work.db, acting.workspace_id)
    known = await accounts(acting.work.db, Sought(acting.workspace_id))
    return [group_of(each, workspace, known) for each in roles]


async def _write_group(acting: _Acting, role: Role, group: Group) -> None:
    if group.display_name != role.value:
        raise ForbiddenException(detail=FIXED)
    try:
        wanted = {UUID(each) for each in members_of(group)}
        await change_group(acting.work, acting.directory, role, wanted)
    except (ValueError, NotFound):
        raise InvalidValueException(detail="A member of it is no user here.") from None


def _start(search: SearchRequest[Any]) -> int:
    return min((search.start_index or 1) - 1, FARTHEST)


async def _page(acting: _Acting, search: SearchRequest[Any]) -> SearchPage:
    """Users in the order in which they came, read a page at a time."""
    db, everybody = acting.work.db, Sought(acting.workspace_id)
    rows = await accounts(db, everybody, _start(search), search.count)
    return SearchPage(await count_accounts(db, everybody), [user_of(each) for each in rows])


async def _candidates(
    acting: _Acting, kinds: set[str], search: SearchRequest[Any]
) -> list[Resource[Any]]:
    """What the filter has to be asked about; raises `TooManyException` where that is too much."""
    found: list[Resource[Any]] = []
    if USERS in kinds:
        rows = await accounts(
            acting.work.db, _sought(acting, search), limit=MOST_LOOKED_THROUGH + 1
        )
        if len(rows) > MOST_LOOKED_THROUGH:
            raise TooManyException(detail="Ask for userName eq or externalId eq.")
        found += [user_of(each) for each in rows]
    if kinds - {USERS}:
        found += await _groups(acting, list(Role))
    return found


def _sought(acting: _Acting, search: SearchRequest[Any]) -> Sought:
    """Those that an index finds for `userName eq` and `externalId eq`; else everybody."""
    node = search.filter.ast if search.filter is not None else None
    if not isinstance(node, Comparison) or node.op != CompareOperator.eq:
        return Sought(acting.workspace_id)
    if isinstance(node.value, str) and not is_encodable(node.value):
        return Sought(acting.workspace_id, email_digest="")  # Half a letter is in no name.
    if isinstance(node.value, str) and node.attr_path.sub_attr is None:
        named, value = node.attr_path.attr.casefold(), node.value
        if named == "username":
            return Sought(acting.workspace_id, email_digest=address_digest(acting.work, value))
        if named == "externalid" and value:
            digest_of = external_digest(acting.work, value)
            return Sought(acting.workspace_id, external_digest=digest_of)
    return Sought(acting.workspace_id)
