"""The second factor of members: an authenticator app, and recovery codes for when it is lost.

Each code is good once (ASVS 6.5.1). What changes a factor mails its owner, ends the member's other
sessions, and lets no browser be trusted any longer (ASVS 6.3.7, 7.4.3).
"""

from uuid import UUID

from adapters.authenticator import NO_CODE, new_key, new_recovery_code, time_code_of
from commands.mail import queue_member_mail
from commands.member import audit_member
from commands.member_session import Browser, end_sessions_of
from commands.password import refused
from commands.trusted_device import is_trusted_here
from commands.work import Work
from domain.actor import Actor
from domain.audit import AuditEvent
from domain.errors import NotFound
from domain.mail import MailKind
from domain.member import MemberState
from domain.member_errors import PasswordFault, PasswordRefused
from domain.member_session import MemberSessionEnd
from domain.second_factor import (
    ENROLMENT_LIFE,
    RECOVERY_CODES,
    Asked,
    SecondFactorRule,
    asked_after_password,
    is_app_code,
    plain_code,
    plain_recovery_code,
)
from domain.settings import Settings
from store.member import MemberRow, member_by_id
from store.passkey import delete_passkeys
from store.second_factor import (
    RecoveryCodeRow,
    SecondFactorRow,
    count_recovery_codes,
    delete_enrolments,
    delete_factors,
    delete_recovery_codes,
    enrolment_of,
    factor_of,
    spend_recovery_code,
    spend_time_code,
)
from store.trusted_device import delete_devices

PURPOSE = "recovery-code"


async def asked_of(work: Work, member: MemberRow, settings: Settings, browser: Browser) -> Asked:
    """What a member who has shown the right password is asked for in this browser."""
    has_one = await factor_of(work.db, member.id) is not None
    is_trusted = has_one and await is_trusted_here(work, member, browser)
    rule = SecondFactorRule(settings.login_second_factor)
    return asked_after_password(rule, has_one=has_one, is_trusted=is_trusted)


async def is_code_right(work: Work, member: MemberRow, typed: str, actor: Actor) -> bool:
    """Whether it is a code of the member's app or a recovery code, which is used up by that."""
    plain = plain_code(typed)
    if not is_app_code(plain):
        return await _is_recovery_code(work, member, plain_recovery_code(plain), actor)
    factor = await factor_of(work.db, member.id)
    if factor is None:
        return False
    time_code = time_code_of(factor.key, plain, work.at)
    return time_code != NO_CODE and await spend_time_code(work.db, factor.id, time_code)


async def _is_recovery_code(work: Work, member: MemberRow, code: str, actor: Actor) -> bool:
    digests = work.keyring.digests(PURPOSE, _of_member(member, code))
    if not await spend_recovery_code(work.db, member.id, digests, work.at):
        return False
    left = await count_recovery_codes(work.db, member.id)
    audit_member(work, AuditEvent.MEMBER_RECOVERY_CODE_USED, member, actor, left=left)
    return True


def _of_member(member: MemberRow, code: str) -> str:
    return f"{member.id}:{code}"


async def begin_enrolment(work: Work, member: MemberRow, begun_in: UUID) -> SecondFactorRow:
    """A new key for a locked member's app; one that was not confirmed is forgotten."""
    await delete_enrolments(work.db, member.id)
    row = SecondFactorRow(
        workspace_id=member.workspace_id,
        member_id=member.id,
        begun_in=begun_in,
        created_at=work.at,
        expires_at=work.at + ENROLMENT_LIFE,
        key=new_key(),
    )
    work.db.add(row)
    await work.db.flush()
    return row


async def confirm_enrolment(
    work: Work, member: MemberRow, begun_in: UUID, typed: str, actor: Actor
) -> list[str] | PasswordRefused:
    """Makes the app that shows this code the locked member's second factor; its recovery codes.

    It takes the place of the one before. Sessions and half-done sign-ins end, but the one that it
    was begun in. Raises `NotFound` where nothing is being set up, or that took too long.
    """
    row = await enrolment_of(work.db, member.id, begun_in, work.at)
    if row is None:
        raise NotFound("second factor")
    time_code = time_code_of(row.key, plain_code(typed), work.at)
    if time_code == NO_CODE:
        return wrong_code()
    key = row.key
    work.db.expunge(row)
    replaced = await delete_factors(work.db, member.id)
    work.db.add(_confirmed(work, member, begun_in, key, time_code))
    event = AuditEvent.MEMBER_FACTOR_REPLACED if replaced else AuditEvent.MEMBER_FACTOR_ADDED
    await _changed(work, member, event, actor, begun_in)
    return await _new_codes(work, member)


def _confirmed(
    work: Work, member: MemberRow, begun_in: UUID, key: str, time_code: int
) -> SecondFactorRow:
    return SecondFactorRow(
        workspace_id=member.workspace_id,
        member_id=member.id,
        begun_in=begun_in,
        time_code=time_code,
        created_at=work.at,
        expires_at=work.at,
        confirmed_at=work.at,
        key=key,
    )


def wrong_code() -> PasswordRefused:
    """The refusal of a code, for programs and for pages."""
    return refused("code", PasswordFault.WRONG, "is not a code of now, or was used before")


async def _changed(
    work: Work, member: MemberRow, event: AuditEvent, actor: Actor, but: UUID | None
) -> None:
    await delete_devices(work.db, member.id)
    await end_sessions_of(work, member, MemberSessionEnd.KILLED, actor, but=but)
    audit_member(work, event, member, actor)
    queue_member_mail(work, member, MailKind.MEMBER_SECOND_FACTOR_CHANGED)


async def _new_codes(work: Work, member: MemberRow) -> list[str]:
    await delete_recovery_codes(work.db, member.id)
    codes = [new_recovery_code() for _ in range(RECOVERY_CODES)]
    work.db.add_all(_code_row(work, member, each) for each in codes)
    return codes


def _code_row(work: Work, member: MemberRow, code: str) -> RecoveryCodeRow:
    return RecoveryCodeRow(
        workspace_id=member.workspace_id,
        member_id=member.id,
        digest=work.keyring.digest(PURPOSE, _of_member(member, code)),
        key_version=work.keyring.current,
        created_at=work.at,
    )


async def make_recovery_codes(work: Work, member: MemberRow, actor: Actor) -> list[str]:
    """Ten new recovery codes of a locked member; those before are good no longer.

    Raises `NotFound` where there is no second factor.
    """
    if await factor_of(work.db, member.id) is None:
        raise NotFound("second factor")
    audit_member(work, AuditEvent.MEMBER_RECOVERY_CODES_MADE, member, actor)
    queue_member_mail(work, member, MailKind.MEMBER_SECOND_FACTOR_CHANGED)
    return await _new_codes(work, member)


async def remove_factor(work: Work, member: MemberRow, actor: Actor, *, but: UUID) -> None:
    """Takes a locked member's second factor away, which the member has just shown."""
    if await delete_factors(work.db, member.id):
        event = AuditEvent.MEMBER_FACTOR_REMOVED
        await _changed(work, member, event, actor, but)


async def reset_factor(work: Work, workspace_id: UUID, member_id: UUID, actor: Actor) -> MemberRow:
    """Takes away app and passkeys of somebody who has lost them; every session ends."""
    member = await member_by_id(work.db, workspace_id, member_id, lock=True)
    if member is None or member.state == MemberState.DELETED:
        raise NotFound("member")
    had_app = await delete_factors(work.db, member.id)
    if await delete_passkeys(work.db, member.id) or had_app:
        await _changed(work, member, AuditEvent.MEMBER_FACTOR_RESET, actor, None)
    return member
