"""Passkeys of members: made after password and code, and signed in with alone (ASVS 6.3.3).

A question (challenge) is not stored before it is answered: it is derived from what the browser
keeps, so that asking costs nothing; its answer is good once.
"""

import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from adapters.passkey import (
    Holder,
    PasskeyRefused,
    Site,
    creation_options,
    credential_in,
    read_creation,
    request_options,
    sign_count_of,
)
from commands.login import LoginOutcome, log_attempt
from commands.mail import queue_member_mail
from commands.member import actor_here, audit_own
from commands.member_session import (
    LONGEST_BROWSER,
    Begun,
    Browser,
    SignedIn,
    end_sessions_of,
)
from commands.setting import effective_settings
from commands.sign_in import active_member, admit, lock_policy
from commands.work import Work
from domain.audit import AuditEvent
from domain.errors import NotFound
from domain.mail import MailKind
from domain.member_errors import SessionLimitReached, SignInRefused, SomebodyElseSignedIn
from domain.member_session import MemberSessionEnd
from domain.sign_in import SignInMode
from store.member import MemberRow
from store.passkey import (
    PasskeyRow,
    answer_once,
    delete_passkey,
    passkey_by_credential,
    passkeys_of,
)
from store.workspace import WorkspaceRow

PURPOSE = "passkey-question"
QUESTION_LIFE = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Question:
    """What a browser is asked: `kept` stays with it, `options` is for its passkeys."""

    kept: str
    options: str


@dataclass(frozen=True, slots=True)
class _Asked:
    challenge: bytes
    digest: str
    expires_at: datetime


def _new_kept(work: Work) -> str:
    until = int((work.at + QUESTION_LIFE).timestamp())
    return f"{work.keyring.current}.{until}.{secrets.token_urlsafe(24)}"


def _asked(work: Work, kept: str, about: UUID) -> _Asked:
    """What was asked of the browser that keeps this; raises `PasskeyRefused` when it is too late.

    `about` is the workspace, or the session that showed password and code. What was not given
    out by us leads to a question that nobody was ever asked.
    """
    version, _, rest = kept.partition(".")
    until = rest.partition(".")[0]
    if not (version.isdecimal() and until.isdecimal() and len(until) < 12):
        raise PasskeyRefused
    expires_at = datetime.fromtimestamp(int(until), UTC)
    if int(version) not in work.keyring.versions or work.at >= expires_at:
        raise PasskeyRefused
    digest = work.keyring.digest(PURPOSE, f"{about}:{kept}", int(version))
    return _Asked(bytes.fromhex(digest), digest, expires_at)


def _site(work: Work) -> Site:
    return Site.at(work.settings.public_url)


def ask_to_sign_in(work: Work, workspace_id: UUID) -> Question:
    """A question that any passkey of a member answers; it tells nothing of anybody."""
    kept = _new_kept(work)
    challenge = _asked(work, kept, workspace_id).challenge
    return Question(kept, request_options(_site(work), challenge))


async def ask_to_make(work: Work, workspace: WorkspaceRow, found: SignedIn) -> Question:
    """A question to this session, which has just shown password and code."""
    kept, member = _new_kept(work), found.member
    known = [each.credential for each in await passkeys_of(work.db, member.id)]
    holder = Holder(member.id.bytes, member.email, member.name, workspace.name)
    challenge = _asked(work, kept, found.session.id).challenge
    return Question(kept, creation_options(_site(work), holder, challenge, known))


async def add_passkey(work: Work, found: SignedIn, kept: str, answer: str, browser: str) -> None:
    """Keeps the passkey that a device has made for a locked member; raises `PasskeyRefused`."""
    asked = _asked(work, kept, found.session.id)
    made, member = read_creation(_site(work), answer, asked.challenge), found.member
    if not await answer_once(work.db, asked.digest, asked.expires_at):
        raise PasskeyRefused
    if await passkey_by_credential(work.db, member.workspace_id, made.credential) is not None:
        raise PasskeyRefused
    row = PasskeyRow(
        workspace_id=member.workspace_id,
        member_id=member.id,
        credential=made.credential,
        public_key=made.public_key,
        sign_count=made.sign_count,
        created_at=work.at,
        browser=browser[:LONGEST_BROWSER],
    )
    work.db.add(row)
    await work.db.flush()
    audit_own(work, AuditEvent.PASSKEY_ADDED, member, actor_here(found), f"passkey:{row.id}")
    queue_member_mail(work, member, MailKind.MEMBER_SECOND_FACTOR_CHANGED)


async def remove_passkey(work: Work, found: SignedIn, passkey_id: UUID) -> None:
    """Takes one of a locked member's passkeys away; other sessions end. Raises `NotFound`."""
    member = found.member
    if not await delete_passkey(work.db, member.id, passkey_id):
        raise NotFound("passkey")
    killed, actor = MemberSessionEnd.KILLED, actor_here(found)
    await end_sessions_of(work, member, killed, actor, but=found.session.id)
    audit_own(work, AuditEvent.PASSKEY_REMOVED, member, actor, f"passkey:{passkey_id}")
    queue_member_mail(work, member, MailKind.MEMBER_SECOND_FACTOR_CHANGED)


@dataclass(frozen=True, slots=True)
class PasskeySignIn:
    """What a browser's passkey answered to the question it keeps."""

    workspace_id: UUID
    kept: str
    answer: str
    browser: Browser


async def sign_in_with_passkey(
    work: Work, wanted: PasskeySignIn
) -> Begun | SignInRefused | SessionLimitReached | SomebodyElseSignedIn:
    """Begins a session; a refusal has a fact, a line of the login report, and is returned.

    The device has verified the person, so that no second factor is asked for.
    """
    member = await _whose(work, wanted)
    if isinstance(member, MemberRow):
        return await admit(work, member, SignInMode.PASSKEY, wanted.browser)
    passkey = SignInMode.PASSKEY
    log_attempt(work, wanted.workspace_id, None, member, wanted.browser, passkey)
    return SignInRefused()


async def _whose(work: Work, wanted: PasskeySignIn) -> MemberRow | LoginOutcome:
    """The locked member whose passkey answered, or what the attempt came to."""
    try:
        row = await _answered(work, wanted)
    except PasskeyRefused:
        return LoginOutcome.FAILED
    member = await active_member(work, wanted.workspace_id, row.member_id)
    if member is None:
        return LoginOutcome.FAILED
    policy = lock_policy(await effective_settings(work, wanted.workspace_id))
    return LoginOutcome.LOCKED if member.attempts.is_locked(work.at, policy) else member


async def _answered(work: Work, wanted: PasskeySignIn) -> PasskeyRow:
    """The passkey that answered; its question is used up by that. Raises `PasskeyRefused`."""
    asked = _asked(work, wanted.kept, wanted.workspace_id)
    credential = credential_in(wanted.answer)
    row = await passkey_by_credential(work.db, wanted.workspace_id, credential)
    if row is None:
        raise PasskeyRefused
    await work.db.refresh(row, with_for_update=True)
    row.sign_count = sign_count_of(
        _site(work), wanted.answer, asked.challenge, row.public_key, row.sign_count
    )
    row.used_at = work.at
    if not await answer_once(work.db, asked.digest, asked.expires_at):
        raise PasskeyRefused
    return row
