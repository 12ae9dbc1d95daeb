"""Signing in with a password: compared outside, judged and begun under the member's lock.

The answer to a stranger, a wrong password and a locked account is the same, and leaves after the
same time (ASVS 6.3.8). A limit that is reached is told only after the right password, and counts as
no wrong one (SH-5).
"""

import secrets
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from uuid import UUID

from commands.answer_time import answers_at, leaves_at
from commands.login import LoginOutcome, log_attempt
from commands.mail import queue_member_mail
from commands.member import actor_of, address_digest, audit_member
from commands.member_admission import begin_session
from commands.member_session import (
    Begun,
    Browser,
    SessionTarget,
    SignedIn,
    look_for_member,
    make_room,
)
from commands.member_token import first_tokens
from commands.password import is_right
from commands.second_factor import asked_of, begin_enrolment, is_code_right
from commands.setting import effective_settings
from commands.work import Transactions, Work
from domain.actor import SIGN_IN
from domain.audit import AuditEvent
from domain.errors import NotFound
from domain.mail import MailKind
from domain.member import MemberState
from domain.member_errors import (
    SecondFactorAsked,
    SessionLimitReached,
    SignInRefused,
    SomebodyElseSignedIn,
)
from domain.second_factor import Asked
from domain.settings import Settings
from domain.sign_in import Attempts, LockPolicy, SignInMode
from store.member import MemberRow, member_by_address, member_by_id
from store.member_session import MemberSessionRow
from store.sign_in_step import SignInStepRow, step_by_digest, use_step

STEP = "sign-in-step"
STEP_LIFE = timedelta(minutes=5)
NEEDS_ROOM = "room"
NEEDS_SWITCH = "switch"


@dataclass(frozen=True, slots=True)
class PasswordSignIn:
    """What somebody typed, in which browser; `code` is what a program sends along."""

    workspace_id: UUID
    email: str
    password: str
    browser: Browser
    mode: SignInMode = SignInMode.PASSWORD
    code: str = ""


@dataclass(frozen=True, slots=True)
class _Known:
    """Whose address it is, and what the password is compared with."""

    member_id: UUID | None
    kept: str


async def sign_in(begin: Transactions, wanted: PasswordSignIn) -> Begun:
    """Begins a session, or raises `SignInRefused` or what is asked for before.

    That is `SecondFactorAsked`, `SessionLimitReached` or `SomebodyElseSignedIn`.
    Guesses that are made at once are compared at once and judged one after the other: after the
    last wrong one that is allowed, nobody learns any more whether the next was right.
    """
    refusal_at = answers_at()
    async with begin.work() as work:
        known = await _known(work, wanted)
    right = await is_right(wanted.password, known.kept)
    async with begin.work() as work:
        judged = await _judge(work, wanted, known, right=right)
    if isinstance(judged, SignInRefused):
        await leaves_at(refusal_at)
    if isinstance(judged, Exception):
        raise judged
    return judged


async def _known(work: Work, wanted: PasswordSignIn) -> _Known:
    digest = address_digest(work, wanted.email)
    member = await member_by_address(work.db, wanted.workspace_id, digest)
    if member is None or member.state != MemberState.ACTIVE:
        return _Known(None, "")
    return _Known(member.id, member.password)


async def _judge(
    work: Work, wanted: PasswordSignIn, known: _Known, *, right: bool
) -> Begun | SignInRefused | SecondFactorAsked | SessionLimitReached | SomebodyElseSignedIn:
    # Asked for also where nobody was recognised, so that it takes as long.
    member = await active_member(work, wanted.workspace_id, known.member_id or wanted.workspace_id)
    settings = await effective_settings(work, wanted.workspace_id)
    policy = lock_policy(settings)
    if member and member.attempts.is_locked(work.at, policy):
        return _refused(work, wanted, member, LoginOutcome.LOCKED)
    if member is None or not right or member.password != known.kept:
        if member is not None:
            count_wrong(work, member, policy)
        return _refused(work, wanted, member, LoginOutcome.FAILED)
    asked = await asked_of(work, member, settings, wanted.browser)
    if asked is Asked.CODE and wanted.browser.takes_tokens and wanted.code:
        if not await is_code_right(work, member, wanted.code, actor_of(member)):
            count_wrong(work, member, policy)
            return _refused(work, wanted, member, LoginOutcome.FAILED)
        asked = Asked.NOTHING
    if asked is not Asked.NOTHING:
        outcome, browser = LoginOutcome.FACTOR_ASKED, wanted.browser
        log_attempt(work, member.workspace_id, member.id, outcome, browser, wanted.mode)
        return await _ask_factor(work, member, browser, asked)
    return await admit(work, member, wanted.mode, wanted.browser)


async def _ask_factor(
    work: Work, member: MemberRow, browser: Browser, asked: Asked
) -> SecondFactorAsked:
    """Wrong passwords and codes stay counted until both were right: nobody guesses on and on."""
    enrols = asked is Asked.ENROLMENT
    if browser.takes_tokens or browser.keeps_secret:
        return SecondFactorAsked("", enrols)
    step, secret = _step_row(work, member, SignInMode.PASSWORD, asked.value)
    if enrols:
        await begin_enrolment(work, member, step.id)
    return SecondFactorAsked(secret, enrols)


async def admit(
    work: Work, member: MemberRow, mode: SignInMode, browser: Browser
) -> Begun | SessionLimitReached | SomebodyElseSignedIn:
    """Begins the session of a locked member who has shown everything, or asks what comes first."""
    member.note(Attempts())
    if begun := await _begun_meanwhile(work, member, browser):
        return begun
    return await begin_or_ask(work, member, mode, browser)


async def begin_or_ask(
    work: Work, member: MemberRow, mode: SignInMode, browser: Browser
) -> Begun | SessionLimitReached | SomebodyElseSignedIn:
    """Begins the session, unless somebody else's would end for it, who is asked about first."""
    if name := await _somebody_else(work, member, browser):
        return SomebodyElseSignedIn(name, _add_step(work, member, mode, NEEDS_SWITCH))
    return await _begin(work, member, mode, browser)


async def _begun_meanwhile(work: Work, member: MemberRow, browser: Browser) -> Begun | None:
    """What another request of the same client began while this one's password was compared."""
    if not browser.keeps_secret:
        return None
    found = await look_for_member(work, member.workspace_id, browser.secret)
    return Begun(found.session, browser.secret) if isinstance(found, SignedIn) else None


def lock_policy(settings: Settings) -> LockPolicy:
    """When wrong passwords lock, and for how long."""
    return LockPolicy(settings.login_failures, settings.login_lock)


async def _somebody_else(work: Work, member: MemberRow, browser: Browser) -> str:
    """The name of the other member who is signed in in this browser, or ""."""
    found = await look_for_member(work, member.workspace_id, browser.secret)
    if isinstance(found, SignedIn) and found.member.id != member.id:
        return found.member.name
    return ""


def count_wrong(work: Work, member: MemberRow, policy: LockPolicy) -> None:
    """One more wrong password of a locked member; the last that is allowed locks (SX-16)."""
    attempts = member.attempts.failing(work.at, policy)
    member.note(attempts)
    if attempts.locked_at is not None:
        audit_member(work, AuditEvent.MEMBER_LOCKED, member, SIGN_IN, failures=attempts.failures)
        queue_member_mail(work, member, MailKind.MEMBER_LOCKED)


def _refused(
    work: Work, wanted: PasswordSignIn, member: MemberRow | None, outcome: LoginOutcome
) -> SignInRefused:
    member_id = member.id if member else None
    log_attempt(work, wanted.workspace_id, member_id, outcome, wanted.browser, wanted.mode)
    return SignInRefused()


async def active_member(work: Work, workspace_id: UUID, member_id: UUID) -> MemberRow | None:
    """The member, its row locked, if it may sign in."""
    member = await member_by_id(work.db, workspace_id, member_id, lock=True)
    return member if member and member.state == MemberState.ACTIVE else None


async def _begin(
    work: Work, member: MemberRow, mode: SignInMode, browser: Browser
) -> Begun | SessionLimitReached:
    begun = await begin_session(work, member, mode, browser)
    outcome = LoginOutcome.SIGNED_IN if begun.session else LoginOutcome.LIMIT_REACHED
    log_attempt(work, member.workspace_id, member.id, outcome, browser, mode)
    if begun.session is not None:
        return await _with_tokens(work, begun, begun.session) if browser.takes_tokens else begun
    audit_member(
        work, AuditEvent.MEMBER_SESSION_REFUSED, member, actor_of(member), limit=begun.limit
    )
    return SessionLimitReached(begun.limit, _add_step(work, member, mode, NEEDS_ROOM))


async def _with_tokens(work: Work, begun: Begun, session: MemberSessionRow) -> Begun:
    return replace(begun, tokens=await first_tokens(work, session))


def _add_step(work: Work, member: MemberRow, mode: SignInMode, needs: str) -> str:
    """Remembers what was shown; the secret for this browser's next step."""
    return _step_row(work, member, mode, needs)[1]


def _step_row(
    work: Work, member: MemberRow, mode: SignInMode, needs: str
) -> tuple[SignInStepRow, str]:
    secret = secrets.token_urlsafe(32)
    row = SignInStepRow(
        workspace_id=member.workspace_id,
        member_id=member.id,
        digest=work.keyring.digest(STEP, secret),
        key_version=work.keyring.current,
        mode=mode,
        needs=needs,
        created_at=work.at,
        expires_at=work.at + STEP_LIFE,
    )
    work.db.add(row)
    return row, secret


async def step_of(work: Work, workspace_id: UUID, secret: str) -> tuple[SignInStepRow, MemberRow]:
    """The half-done sign-in of a browser and whose it is; raises `SignInRefused`.

    A password that was chosen since then is the end of it.
    """
    digests = work.keyring.digests(STEP, secret) if secret else []
    step = await step_by_digest(work.db, workspace_id, digests) if digests else None
    if step is None or step.used_at is not None or step.expires_at <= work.at:
        raise SignInRefused
    member = await active_member(work, workspace_id, step.member_id)
    if member is None or (member.password_set_at or step.created_at) > step.created_at:
        raise SignInRefused
    return step, member


async def sign_in_instead(
    work: Work, workspace_id: UUID, secret: str, session_id: UUID, browser: Browser
) -> Begun | SessionLimitReached:
    """Ends one of the member's own sessions and begins the one that was refused (SH-5).

    One that is over by now needs no ending. Raises `SignInRefused` when that took too long or was
    done before.
    """
    step, member = await _spend_step(work, workspace_id, secret, NEEDS_ROOM)
    target = SessionTarget(workspace_id, session_id, actor_of(member), owner=member.id)
    with suppress(NotFound):
        await make_room(work, target)
    await work.db.flush()
    return await _begin(work, member, SignInMode(step.mode), browser)


async def sign_in_anyway(
    work: Work, workspace_id: UUID, secret: str, browser: Browser
) -> Begun | SessionLimitReached:
    """Begins the session in whose place somebody else's ends, after the warning (EX-4, C15).

    Raises `SignInRefused` as `sign_in_instead` does.
    """
    step, member = await _spend_step(work, workspace_id, secret, NEEDS_SWITCH)
    return await _begin(work, member, SignInMode(step.mode), browser)


async def _spend_step(
    work: Work, workspace_id: UUID, secret: str, needs: str
) -> tuple[SignInStepRow, MemberRow]:
    step, member = await step_of(work, workspace_id, secret)
    if step.needs != needs or not await use_step(work.db, step.id, work.at):
        raise SignInRefused
    return step, member
