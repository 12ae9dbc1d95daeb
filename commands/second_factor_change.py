"""What a signed-in member does with its own second factor, after showing who it is again."""

from uuid import UUID

from commands.member import actor_here
from commands.member_session import SignedIn, renew_secret
from commands.reauthentication import Done, Proof, after_proof, locked_member_here
from commands.second_factor import (
    begin_enrolment,
    confirm_enrolment,
    make_recovery_codes,
    remove_factor,
)
from commands.setting import effective_settings
from commands.work import Transactions, Work
from domain.errors import NotFound
from domain.member_errors import PasswordRefused, SignedOut
from domain.second_factor import SecondFactorRule


async def begin_setting_up(begin: Transactions, proof: Proof) -> Done[None]:
    """Shows this session, and no other, a new key; the factor before stays until it is confirmed.

    Raises as `after_proof` does, and `NotFound` where the workspace has none.
    """
    return await after_proof(begin, proof, _begin)


async def _begin(work: Work, found: SignedIn) -> None:
    settings = await effective_settings(work, found.member.workspace_id)
    if SecondFactorRule(settings.login_second_factor) is SecondFactorRule.OFF:
        raise NotFound("second factor")
    await begin_enrolment(work, found.member, found.session.id)


async def confirm_setting_up(
    work: Work, workspace_id: UUID, secret: str, code: str
) -> Done[list[str]] | PasswordRefused | SignedOut:
    """Makes the app whose key this session was shown the factor; the recovery codes.

    Raises `NotFound` where nothing is being set up any more.
    """
    found = await locked_member_here(work, workspace_id, secret)
    if isinstance(found, SignedOut):
        return found
    session_id = found.session.id
    codes = await confirm_enrolment(work, found.member, session_id, code, actor_here(found))
    if isinstance(codes, PasswordRefused):
        return codes
    return Done(codes, await renew_secret(work, secret))


async def renew_recovery_codes(begin: Transactions, proof: Proof) -> Done[list[str]]:
    """Ten new recovery codes; raises as `after_proof` does, or `NotFound` without a factor."""

    async def make(work: Work, found: SignedIn) -> list[str]:
        return await make_recovery_codes(work, found.member, actor_here(found))

    return await after_proof(begin, proof, make)


async def give_up_factor(begin: Transactions, proof: Proof) -> Done[None]:
    """Takes the second factor away; raises as `after_proof` does."""

    async def remove(work: Work, found: SignedIn) -> None:
        await remove_factor(work, found.member, actor_here(found), but=found.session.id)

    return await after_proof(begin, proof, remove)
