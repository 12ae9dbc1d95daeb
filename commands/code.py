"""One-time codes: mailed to the address on file, counted, and judged (C11 to C13).

Whoever asks for one or types one is known by its place: the digest of the door cookie of its
browser. A code is good for what it was asked for, coming in or one signature; the limits count
both.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from commands.mail import queue_party_mail
from commands.party import find_party
from commands.public_session_terms import code_policy, mail_allowance, settings_in
from commands.work import Work
from domain.actor import Actor
from domain.audit import AuditEvent
from domain.code import MAIL_WINDOW, TO_COME_IN, CodePurpose, CodeUse
from domain.errors import (
    NoContactAddress,
    VerificationLocked,
)
from domain.mail import CODES, MailKind
from domain.party import masked
from store.code import CodeRow, code_value, living_codes, tries_of
from store.mail import MailRow, lock_recipient, mail_times, newest_mail
from store.party import PartyRow
from store.public_session import PublicSessionRow


@dataclass(frozen=True, slots=True)
class CodeMail:
    """The newest code mail as the page tells of it, and when another may be asked for."""

    session_id: UUID
    address: str
    asked_at: datetime | None
    state: str
    code_expires_at: datetime | None
    next_at: datetime
    sent_now: bool


@dataclass(frozen=True, slots=True)
class Asker:
    """Whose browser it is: the digest of its door cookie, its name in the audit, what it asks."""

    place: str
    actor: Actor
    use: CodeUse = TO_COME_IN

    @property
    def mail(self) -> MailKind:
        """The mail that brings a code for that."""
        signs = self.use.purpose is CodePurpose.SIGNING
        return MailKind.SIGNING_CODE if signs else MailKind.CODE


async def mail_code(work: Work, session: PublicSessionRow, asker: Asker) -> CodeMail:
    """Mails a code to the address on file, within the limits of C12 and C13. The row is locked.

    A second click within the interval mails nothing and says when the next is possible. Raises
    `NoContactAddress` or `VerificationLocked`.
    """
    party = await find_party(work, session.workspace_id, session.party_id)
    refuse_locked(party)
    if not party.email:
        raise NoContactAddress
    # The limit is the address's: another session's request for it waits here.
    digest = work.keyring.address_digest(party.email)
    await lock_recipient(work.db, session.workspace_id, digest)
    sent, here = await _code_mails(work, session, party)
    next_at = mail_allowance(settings_in(work, session)).next_at(sent, work.at, here)
    if next_at > work.at:
        return await _code_mail(work, session, party, asker.mail, next_at)
    code = await _code_to_send(work, session, asker)
    cause = f"{code.counter}-{work.at.isoformat()}"
    await queue_party_mail(work, session, party, asker.mail, cause, code_id=code.id)
    work.audit_session(AuditEvent.SESSION_CODE_REQUESTED, session, asker.actor)
    await work.db.flush()
    after = mail_allowance(settings_in(work, session)).next_at([*sent, work.at], work.at, [work.at])
    return replace(await _code_mail(work, session, party, asker.mail, after), sent_now=True)


async def newest_code_mail(work: Work, session: PublicSessionRow, kind: MailKind) -> CodeMail:
    """What a page says of the newest code mail of a kind, and when the next of any may go out.

    Changes nothing. Raises `VerificationLocked`.
    """
    party = await find_party(work, session.workspace_id, session.party_id)
    refuse_locked(party)
    sent, here = await _code_mails(work, session, party)
    next_at = mail_allowance(settings_in(work, session)).next_at(sent, work.at, here)
    return await _code_mail(work, session, party, kind, next_at)


async def _code_mails(
    work: Work, session: PublicSessionRow, party: PartyRow
) -> tuple[Sequence[datetime], Sequence[datetime]]:
    """When code mails were asked for: to the address, and of these the session's newest."""
    digest = work.keyring.address_digest(party.email)
    since = work.at - MAIL_WINDOW
    sent = await mail_times(work.db, session.workspace_id, digest, CODES, since)
    newest = await newest_mail(work.db, session.id, *CODES)
    here = [newest.created_at] if newest and newest.recipient_digest == digest else []
    return sent, here


async def _code_mail(
    work: Work, session: PublicSessionRow, party: PartyRow, kind: MailKind, next_at: datetime
) -> CodeMail:
    mail: MailRow | None = await newest_mail(work.db, session.id, kind)
    code = await work.db.get(CodeRow, mail.code_id) if mail and mail.code_id else None
    return CodeMail(
        session_id=session.id,
        address=masked(party.email),
        asked_at=mail.created_at if mail else None,
        state=mail.state if mail else "",
        code_expires_at=code.expires_at if code else None,
        next_at=next_at,
        sent_now=False,
    )


async def _code_to_send(work: Work, session: PublicSessionRow, asker: Asker) -> CodeRow:
    """The young code once more, or a new one; an older code stays good until its own end (C13)."""
    policy = code_policy(settings_in(work, session))
    living = await living_codes(work.db, session.id, work.at, asker.use)
    tries = await tries_of(work.db, living, asker.place)
    for row in living[:1]:
        if code_value(row, tries.get(row.id, 0)).is_sent_again(work.at, policy):
            return row
    session.code_counter += 1
    row = CodeRow(
        session_id=session.id,
        purpose=asker.use.purpose,
        task_id=asker.use.task_id,
        binding_id=asker.use.binding_id,
        counter=session.code_counter,
        key_version=work.keyring.current,
        created_at=work.at,
        expires_at=min(work.at + policy.life, session.expires_at),
    )
    work.db.add(row)
    await work.db.flush()
    return row


def refuse_locked(party: PartyRow) -> None:
    """Raises `VerificationLocked` after too many wrong codes (C12)."""
    if party.verification_locked_at is not None:
        raise VerificationLocked
