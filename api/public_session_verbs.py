"""What is done to a public session: revoke, re-issue, extend, resend, correct, advance again."""

from functools import partial
from uuid import UUID

from fastapi import APIRouter, Response

from api.call import ApiCall, Call
from api.errors import refusals
from api.idempotency import IdempotencyKey, once
from api.public_session_views import detail_of
from api.public_sessions import warnings_of
from api.shapes.public_session import (
    CorrectedAddress,
    Extension,
    IssuedPublicSession,
    PublicSessionDetail,
    Reissue,
    Revocation,
)
from commands.public_session import correct_address, extend, reissue, resend, revoke
from commands.settlement import retry_advance
from domain.errors import (
    Erased,
    ExtensionRefused,
    IdempotencyKeyReused,
    MailTooSoon,
    NoContactAddress,
    NotFound,
    NothingToAdvance,
    PartyInvalid,
    ReissueRefused,
    ScopeRefused,
    SessionEnded,
    TemplateNotIssuable,
)

router = APIRouter(prefix="/api/v1/public-sessions/{session_id}", tags=["public-sessions"])


@router.post(
    "/revoke",
    response_model=PublicSessionDetail,
    responses=refusals(NotFound, Erased, SessionEnded, IdempotencyKeyReused),
)
async def post_revoke(
    call: ApiCall, session_id: UUID, wanted: Revocation, _key: IdempotencyKey = None
) -> Response:
    """Ends the session at once (PS-30); revoking what was revoked changes nothing."""
    return await once(call, 200, partial(_revoke, call, session_id, wanted))


async def _revoke(call: Call, session_id: UUID, wanted: Revocation) -> PublicSessionDetail:
    row = await revoke(call.work, call.on(session_id), wanted.rationale, wanted.message)
    return await detail_of(call, row)


@router.post(
    "/reissue",
    status_code=201,
    response_model=IssuedPublicSession,
    responses=refusals(
        NotFound, Erased, ReissueRefused, ScopeRefused, TemplateNotIssuable, IdempotencyKeyReused
    ),
)
async def post_reissue(
    call: ApiCall, session_id: UUID, wanted: Reissue, _key: IdempotencyKey = None
) -> Response:
    """Issues the same template to the same party anew; an open session ends with that (PS-34)."""
    return await once(call, 201, partial(_reissue, call, session_id, wanted))


async def _reissue(call: Call, session_id: UUID, wanted: Reissue) -> IssuedPublicSession:
    issued = await reissue(call.work, call.on(session_id), wanted.rationale)
    detail = await detail_of(call, issued.session)
    warnings = warnings_of(issued)
    return IssuedPublicSession.model_validate(detail.model_dump() | {"warnings": warnings})


@router.post(
    "/extend",
    response_model=PublicSessionDetail,
    responses=refusals(NotFound, Erased, SessionEnded, ExtensionRefused, IdempotencyKeyReused),
)
async def post_extend(
    call: ApiCall, session_id: UUID, wanted: Extension, _key: IdempotencyKey = None
) -> Response:
    """Moves the deadline later; reminders move with it."""
    return await once(call, 200, partial(_extend, call, session_id, wanted))


async def _extend(call: Call, session_id: UUID, wanted: Extension) -> PublicSessionDetail:
    row = await extend(call.work, call.on(session_id), wanted.expires_at, wanted.rationale)
    return await detail_of(call, row)


@router.post(
    "/resend",
    response_model=PublicSessionDetail,
    responses=refusals(
        NotFound, Erased, SessionEnded, NoContactAddress, MailTooSoon, IdempotencyKeyReused
    ),
)
async def post_resend(call: ApiCall, session_id: UUID, _key: IdempotencyKey = None) -> Response:
    """Mails the invitation once more, with the same link (C14)."""
    return await once(call, 200, partial(_resend, call, session_id))


async def _resend(call: Call, session_id: UUID) -> PublicSessionDetail:
    return await detail_of(call, await resend(call.work, call.on(session_id)))


@router.post(
    "/correct-address",
    response_model=PublicSessionDetail,
    responses=refusals(NotFound, Erased, SessionEnded, PartyInvalid, IdempotencyKeyReused),
)
async def post_address(
    call: ApiCall, session_id: UUID, wanted: CorrectedAddress, _key: IdempotencyKey = None
) -> Response:
    """Corrects the party's address: old link dead, browser's place ended, mailed again (C14)."""
    return await once(call, 200, partial(_correct, call, session_id, wanted))


async def _correct(call: Call, session_id: UUID, wanted: CorrectedAddress) -> PublicSessionDetail:
    row = await correct_address(call.work, call.on(session_id), wanted.email)
    return await detail_of(call, row)


@router.post(
    "/advance",
    response_model=PublicSessionDetail,
    responses=refusals(NotFound, Erased, NothingToAdvance, IdempotencyKeyReused),
)
async def post_advance(call: ApiCall, session_id: UUID, _key: IdempotencyKey = None) -> Response:
    """Tries a blocked advance again (PS-39); a new refusal is kept as its reason."""
    return await once(call, 200, partial(_advance, call, session_id))


async def _advance(call: Call, session_id: UUID) -> PublicSessionDetail:
    return await detail_of(call, await retry_advance(call.work, call.on(session_id)))
