"""Signing in through the workspace's identity provider: proved outside, judged under the lock.

The provider is talked to outside every transaction. Only members who exist come in; one is known
by its verified address, or by the subject that was bound to it the first time.
"""

import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from adapters.openid import Provider, address_to_ask, claims_of
from commands.federation import refuse_other_channels
from commands.login import LoginOutcome, log_attempt
from commands.member import address_digest
from commands.member_session import Begun, Browser
from commands.recognised_sign_in import Recognised, sign_in_recognised
from commands.work import Transactions, Work
from domain.errors import NotFound
from domain.federation import (
    FederatedFault,
    MatchBy,
    OnceSecrets,
    is_of_domains,
    text_of,
    verified_address,
)
from domain.member import MemberState
from domain.member_errors import (
    FederatedRefused,
    SessionLimitReached,
    SignInRefused,
    SomebodyElseSignedIn,
)
from domain.sign_in import SignInMode
from store.federation import (
    FederatedSubjectRow,
    FederationRow,
    federation_of,
    is_bound,
    member_of_subject,
)
from store.member import MemberRow, member_by_address
from store.workspace import WorkspaceRow

MODE = SignInMode.FEDERATED
SUBJECT = "federated-subject"


@dataclass(frozen=True, slots=True)
class Going:
    """A browser on its way to the provider: its one-time secret, and where it comes back to."""

    workspace: WorkspaceRow
    secret: str
    back: str
    browser: Browser


@dataclass(frozen=True, slots=True)
class Returned:
    """A browser that came back, and what the provider gave it; no code where it declined."""

    going: Going
    state: str
    code: str
    issuer: str


async def federated_address(begin: Transactions, going: Going) -> str:
    """Where the provider asks who it is; raises `ChannelDenied`, `NotFound`, `FederatedRefused`."""
    async with begin.work() as work:
        row = await _federation(work, going.workspace)
        provider = _provider(work, row, going.back)
        secrets = _once(work, going)
    try:
        return await address_to_ask(provider, secrets)
    except FederatedRefused:
        await _log_refusal(begin, going)
        raise


async def sign_in_federated(begin: Transactions, returned: Returned) -> Begun:
    """Begins a session of whom the provider names.

    Raises `FederatedRefused`, `SessionLimitReached`, `SomebodyElseSignedIn`, and as
    `federated_address` does.
    """
    try:
        claims = await _proved(begin, returned)
    except FederatedRefused:
        await _log_refusal(begin, returned.going)
        raise
    async with begin.work() as work:
        judged = await _judge(work, returned.going, claims)
    if isinstance(judged, Exception):
        raise judged
    return judged


async def _proved(begin: Transactions, returned: Returned) -> Mapping[str, Any]:
    async with begin.work() as work:
        row = await _federation(work, returned.going.workspace)
        provider = _provider(work, row, returned.going.back)
        secrets, at = _once(work, returned.going), work.at
    # The issuer comes along where a provider keeps RFC 9207.
    if not _is_same(returned, secrets) or returned.issuer not in {"", provider.issuer}:
        raise FederatedRefused(FederatedFault.TOO_LATE)
    if not returned.code:
        raise FederatedRefused(FederatedFault.DECLINED)
    return await claims_of(provider, returned.code, secrets, at)


def _is_same(returned: Returned, secrets: OnceSecrets) -> bool:
    """Whether it is the browser that went (RFC 9700 4.7)."""
    is_known = hmac.compare_digest(returned.state.encode(), secrets.state.encode())
    return bool(returned.going.secret) and is_known


async def _federation(work: Work, workspace: WorkspaceRow) -> FederationRow:
    refuse_other_channels(work, workspace)
    row = await federation_of(work.db, workspace.id)
    if row is None:
        raise NotFound("sign-in mode")
    return row


def _provider(work: Work, row: FederationRow, back: str) -> Provider:
    return Provider(row.issuer, row.client_id, row.client_secret, back, work.settings)


def _once(work: Work, going: Going) -> OnceSecrets:
    """Derived from the browser's secret, so that nothing of a sign-in under way is stored."""
    bound = f"{going.workspace.id} {going.secret}"
    named = (work.keyring.digest(f"federated-{each}", bound) for each in OnceSecrets.__slots__)
    return OnceSecrets(*named)


async def _log_refusal(begin: Transactions, going: Going) -> None:
    async with begin.work() as work:
        _log(work, going)


def _log(work: Work, going: Going) -> None:
    log_attempt(work, going.workspace.id, None, LoginOutcome.FAILED, going.browser, MODE)


async def _judge(
    work: Work, going: Going, claims: Mapping[str, Any]
) -> Begun | FederatedRefused | SessionLimitReached | SomebodyElseSignedIn:
    row = await _federation(work, going.workspace)
    found = await _member(work, row, claims)
    if isinstance(found, FederatedFault):
        _log(work, going)
        return FederatedRefused(found)
    recognised = Recognised(going.workspace.id, found, MODE, going.browser)
    outcome = await sign_in_recognised(work, recognised)
    if isinstance(outcome, SignInRefused):
        return FederatedRefused(FederatedFault.UNKNOWN)
    return outcome


async def _member(
    work: Work, row: FederationRow, claims: Mapping[str, Any]
) -> UUID | FederatedFault | None:
    """Whose account this is; None for nobody's."""
    email, is_by_subject = verified_address(claims), row.match == MatchBy.SUBJECT
    if row.domains and not is_of_domains(email, row.domains):
        return FederatedFault.DOMAIN if email else FederatedFault.UNVERIFIED
    subject = f"{row.issuer} {text_of(claims, 'sub')}"
    if is_by_subject and (known := await _known(work, row.workspace_id, subject)):
        return known
    if not email:
        return FederatedFault.UNVERIFIED
    digest = address_digest(work, email)
    member = await member_by_address(work.db, row.workspace_id, digest, lock=True)
    if member is None or not is_by_subject:
        return member.id if member else None
    return await _bound(work, member, subject)


async def _known(work: Work, workspace_id: UUID, subject: str) -> UUID | None:
    return await member_of_subject(work.db, workspace_id, work.keyring.digests(SUBJECT, subject))


async def _bound(work: Work, member: MemberRow, subject: str) -> UUID | None:
    """The member, bound to this subject from now on; None for one who is somebody else there."""
    if member.state != MemberState.ACTIVE or await is_bound(work.db, member.id):
        return None
    row = FederatedSubjectRow(
        member_id=member.id,
        workspace_id=member.workspace_id,
        digest=work.keyring.digest(SUBJECT, subject),
        key_version=work.keyring.current,
        bound_at=work.at,
    )
    work.db.add(row)
    return member.id
