"""A signed-in member shows again who it is, before password, factor or account change (ASVS 7.5.1).

No transaction is open while passwords are compared; what follows is judged under the member's lock.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Generic, TypeVar
from uuid import UUID

from commands.member import actor_here
from commands.member_session import SignedIn, recognise_member, renew_secret
from commands.password import is_right, refused
from commands.second_factor import is_code_right, wrong_code
from commands.setting import effective_settings
from commands.sign_in import count_wrong, lock_policy
from commands.work import Transactions, Work
from domain.member_errors import PasswordFault, PasswordRefused, SignedOut
from domain.sign_in import Attempts
from store.member import MemberRow, member_by_id
from store.member_session import member_session_by_id
from store.second_factor import factor_of

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Proof:
    """What a signed-in member typed; `secret` is of its browser.

    `code` is of the second factor, for those who have one.
    """

    workspace_id: UUID
    secret: str
    password: str
    code: str


@dataclass(frozen=True, slots=True)
class Done(Generic[T]):
    """What was done, and the browser's new secret (ASVS 7.2.4)."""

    result: T
    secret: str


Act = Callable[[Work, SignedIn], Awaitable[T]]


async def after_proof(begin: Transactions, proof: Proof, act: Act[T]) -> Done[T]:
    """Does something for a locked member that has shown password and code again.

    Wrong ones count and lock as those at the sign-in do. Raises `PasswordRefused` or `SignedOut`.
    """
    async with begin.work() as work:
        found = await recognise_member(work, proof.workspace_id, proof.secret, acting=True)
    if isinstance(found, SignedOut):
        raise found
    before = found.member.password
    right = await is_right(proof.password, before)
    async with begin.work() as work:
        done = await _do(work, proof, before if right else "", act)
    if isinstance(done, PasswordRefused | SignedOut):
        raise done
    return done


async def _do(
    work: Work, proof: Proof, compared: str, act: Act[T]
) -> Done[T] | PasswordRefused | SignedOut:
    """`compared` is the hash that the password was right for, or ""; a refusal has a fact."""
    found = await locked_member_here(work, proof.workspace_id, proof.secret)
    if isinstance(found, SignedOut):
        return found
    if refusal := await _judge(work, found, proof, compared):
        return refusal
    found.member.note(Attempts())
    return Done(await act(work, found), await renew_secret(work, proof.secret))


async def locked_member_here(work: Work, workspace_id: UUID, secret: str) -> SignedIn | SignedOut:
    """The member of this browser and its session, locked, as they are under these locks.

    Either may have ended while it was waited for; locking reads the rows anew.
    """
    found = await recognise_member(work, workspace_id, secret, acting=False)
    if isinstance(found, SignedOut):
        return found
    member = await member_by_id(work.db, workspace_id, found.member.id, lock=True)
    session = await member_session_by_id(work.db, workspace_id, found.session.id, lock=True)
    if member is None or session is None:
        return SignedOut()
    return await recognise_member(work, workspace_id, secret, acting=False)


async def _judge(
    work: Work, found: SignedIn, proof: Proof, compared: str
) -> PasswordRefused | None:
    member = found.member
    is_same = bool(compared) and member.password == compared
    if refusal := await judge_password(work, member, "password", is_right=is_same):
        return refusal
    if await factor_of(work.db, member.id) is None:
        return None
    if await is_code_right(work, member, proof.code, actor_here(found)):
        return None
    settings = await effective_settings(work, member.workspace_id)
    count_wrong(work, member, lock_policy(settings))
    return wrong_code()


async def judge_password(
    work: Work, member: MemberRow, field: str, *, is_right: bool
) -> PasswordRefused | None:
    """Why a locked member who was asked for its password again may not go on, if so.

    A wrong one counts, which is a fact: the refusal is to be raised after the commit.
    """
    policy = lock_policy(await effective_settings(work, member.workspace_id))
    if member.attempts.is_locked(work.at, policy):
        return refused(field, PasswordFault.LOCKED, "is locked because of too many attempts")
    if is_right:
        return None
    count_wrong(work, member, policy)
    return refused(field, PasswordFault.WRONG, "is not the present password")
