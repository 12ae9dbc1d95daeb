"""Who calls the JSON API: a program with a token of its workspace, or a member's (PS-41)."""

from dataclasses import dataclass
from uuid import UUID

from commands.basic_sign_in import BasicClient, member_of_basic
from commands.member import actor_of
from commands.member_session import SignedIn
from commands.member_token import ACCESS, member_of_access
from commands.provision import Directory
from commands.token import PURPOSES
from commands.work import Work
from domain.actor import Actor, ActorKind
from domain.errors import Unauthenticated
from domain.member import Role
from domain.token import TokenKind
from store.token import TokenRow, token_by_digest

TOKEN = "token"  # noqa: S105 - a way to sign in, not a secret


@dataclass(frozen=True, slots=True)
class Caller:
    """A token or member of one workspace; `id` is its own, `mode` how it showed who it is."""

    workspace_id: UUID
    id: UUID
    actor: Actor
    role: Role
    mode: str = TOKEN

    @property
    def is_member(self) -> bool:
        """Whether a person is behind it."""
        return self.actor.kind is ActorKind.MEMBER


async def recognise(work: Work, shown: str | BasicClient) -> Caller:
    """The caller behind a bearer token's text, or a Basic client; raises `Unauthenticated`."""
    if isinstance(shown, BasicClient):
        caller = _caller(await member_of_basic(work, shown))
    elif shown.startswith(ACCESS):
        caller = _caller(await member_of_access(work, shown))
    else:
        caller = await _program(work, shown)
    if caller is None:
        raise Unauthenticated
    return caller


async def _program(work: Work, text: str) -> Caller | None:
    row = await _good(work, text, TokenKind.API)
    if row is None:
        return None
    return Caller(row.workspace_id, row.id, _actor(row), Role(row.role))


async def recognise_directory(work: Work, text: str) -> Directory:
    """The directory behind the text of a token for SCIM; raises `Unauthenticated` for any other."""
    row = await _good(work, text, TokenKind.SCIM)
    if row is None:
        raise Unauthenticated
    return Directory(row.workspace_id, _actor(row))


async def _good(work: Work, text: str, kind: TokenKind) -> TokenRow | None:
    row = await token_by_digest(work.db, work.keyring.digests(PURPOSES[kind], text))
    return row if row is not None and row.kind == kind and row.is_good(work.at) else None


def _actor(row: TokenRow) -> Actor:
    return Actor(ActorKind.TOKEN, str(row.id), row.name, row.email or None)


def _caller(found: SignedIn | None) -> Caller | None:
    if found is None:
        return None
    member = found.member
    role = Role(member.role)
    return Caller(member.workspace_id, member.id, actor_of(member), role, found.session.mode)
