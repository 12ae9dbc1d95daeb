"""The step of a sign-in after the password: a code of the second factor, or setting one up."""

from dataclasses import dataclass
from uuid import UUID

from commands.login import LoginOutcome, log_attempt
from commands.member import actor_of
from commands.member_session import Begun, Browser
from commands.password import refused
from commands.second_factor import confirm_enrolment, is_code_right, wrong_code
from commands.setting import effective_settings
from commands.sign_in import admit, count_wrong, lock_policy, step_of
from commands.trusted_device import TrustedBrowser, trust_browser
from commands.work import Work
from domain.member_errors import (
    PasswordFault,
    PasswordRefused,
    SessionLimitReached,
    SignInRefused,
    SomebodyElseSignedIn,
)
from domain.second_factor import Asked
from domain.sign_in import LockPolicy, SignInMode
from store.member import MemberRow
from store.second_factor import factor_of
from store.sign_in_step import SignInStepRow, use_step


@dataclass(frozen=True, slots=True)
class CodeTyped:
    """What somebody typed after the password, in which browser."""

    workspace_id: UUID
    step: str
    code: str
    browser: Browser
    trusts: bool = False


@dataclass(frozen=True, slots=True)
class Proven:
    """What followed the second factor, and what the browser and the person get for it."""

    begun: Begun | SessionLimitReached | SomebodyElseSignedIn
    trusted: TrustedBrowser | None = None
    recovery_codes: tuple[str, ...] = ()


async def sign_in_with_code(work: Work, typed: CodeTyped) -> Proven | PasswordRefused:
    """Goes on with the sign-in; a refusal has a fact, a count, and leaves the step.

    Raises `SignInRefused` when that took too long, was done before, or there is no factor any more.
    """
    step, member = await _step(work, typed, Asked.CODE)
    if await factor_of(work.db, member.id) is None:
        raise SignInRefused
    if refusal := await _judge(work, member, typed):
        return refusal
    await _spend(work, step)
    trusted = await trust_browser(work, member, typed.browser) if typed.trusts else None
    return Proven(await admit(work, member, SignInMode(step.mode), typed.browser), trusted)


async def _step(work: Work, typed: CodeTyped, needs: Asked) -> tuple[SignInStepRow, MemberRow]:
    step, member = await step_of(work, typed.workspace_id, typed.step)
    # It may have been taken while the member's lock was waited for.
    await work.db.refresh(step)
    if step.needs != needs or step.used_at is not None:
        raise SignInRefused
    return step, member


async def _spend(work: Work, step: SignInStepRow) -> None:
    if not await use_step(work.db, step.id, work.at):
        raise SignInRefused


async def _judge(work: Work, member: MemberRow, typed: CodeTyped) -> PasswordRefused | None:
    if refusal := await _refuses_locked(work, member, typed):
        return refusal
    if await is_code_right(work, member, typed.code, actor_of(member)):
        return None
    count_wrong(work, member, await _policy(work, member))
    _log(work, member, typed, LoginOutcome.FAILED)
    return wrong_code()


async def _refuses_locked(
    work: Work, member: MemberRow, typed: CodeTyped
) -> PasswordRefused | None:
    if not member.attempts.is_locked(work.at, await _policy(work, member)):
        return None
    _log(work, member, typed, LoginOutcome.LOCKED)
    return refused("code", PasswordFault.LOCKED, "is locked because of too many attempts")


async def _policy(work: Work, member: MemberRow) -> LockPolicy:
    return lock_policy(await effective_settings(work, member.workspace_id))


def _log(work: Work, member: MemberRow, typed: CodeTyped, outcome: LoginOutcome) -> None:
    log_attempt(work, member.workspace_id, member.id, outcome, typed.browser, SignInMode.PASSWORD)


async def sign_in_enrolling(work: Work, typed: CodeTyped) -> Proven | PasswordRefused:
    """Sets up the second factor that the workspace requires, and goes on with the sign-in.

    Raises as `sign_in_with_code` does, and `NotFound` where a newer sign-in shows another key.
    """
    step, member = await _step(work, typed, Asked.ENROLMENT)
    if await factor_of(work.db, member.id) is not None:
        raise SignInRefused
    if refusal := await _refuses_locked(work, member, typed):
        return refusal
    codes = await confirm_enrolment(work, member, step.id, typed.code, actor_of(member))
    if isinstance(codes, PasswordRefused):
        return codes
    await _spend(work, step)
    begun = await admit(work, member, SignInMode(step.mode), typed.browser)
    return Proven(begun, recovery_codes=tuple(codes))
