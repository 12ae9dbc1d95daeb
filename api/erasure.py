"""Erasing parties, public sessions and agreements for good; it cannot be undone."""

from functools import partial
from uuid import UUID

import structlog
from fastapi import APIRouter, Response
from starlette.background import BackgroundTask

from adapters.objects import ObjectStoreAway
from api.agreements import detail_of as agreement_detail
from api.call import ApiCall, Call
from api.context import transactions_in
from api.errors import refusals
from api.idempotency import IdempotencyKey, once
from api.public_session_views import detail_of
from api.shapes.agreement import AgreementDetail
from api.shapes.erasure import ErasureOrder
from api.shapes.party import PartyShape
from api.shapes.public_session import PublicSessionDetail
from commands.agreement import AgreementTarget
from commands.agreement_erasure import erase_agreement
from commands.erasure import discard_files, erase_party, erase_session
from domain.errors import Erased, IdempotencyKeyReused, NotFound
from store.database import is_away

log = structlog.get_logger()
router = APIRouter(prefix="/api/v1")


@router.post(
    "/parties/{party_id}/erase",
    response_model=PartyShape,
    responses=refusals(NotFound, Erased, IdempotencyKeyReused),
    tags=["parties"],
)
async def post_party_erasure(
    call: ApiCall, party_id: UUID, wanted: ErasureOrder, _key: IdempotencyKey = None
) -> Response:
    """Erases a party and all its sessions; open ones are revoked first. Twice is once."""
    answer = await once(call, 200, partial(_erase_party, call, party_id, wanted))
    return _discarding(call, answer, party_id)


async def _erase_party(call: Call, party_id: UUID, wanted: ErasureOrder) -> PartyShape:
    return PartyShape.of(
        await erase_party(call.work, call.workspace_id, party_id, wanted.rationale, call.actor)
    )


@router.post(
    "/public-sessions/{session_id}/erase",
    response_model=PublicSessionDetail,
    responses=refusals(NotFound, Erased, IdempotencyKeyReused),
    tags=["public-sessions"],
)
async def post_session_erasure(
    call: ApiCall, session_id: UUID, wanted: ErasureOrder, _key: IdempotencyKey = None
) -> Response:
    """Erases what was captured in a session; an open one is revoked first. Twice is once."""
    answer = await once(call, 200, partial(_erase_session, call, session_id, wanted))
    return _discarding(call, answer, session_id)


async def _erase_session(call: Call, session_id: UUID, wanted: ErasureOrder) -> PublicSessionDetail:
    row = await erase_session(call.work, call.on(session_id), wanted.rationale)
    return await detail_of(call, row)


@router.post(
    "/agreements/{agreement_id}/erase",
    response_model=AgreementDetail,
    responses=refusals(NotFound, Erased, IdempotencyKeyReused),
    tags=["agreements"],
)
async def post_agreement_erasure(
    call: ApiCall, agreement_id: UUID, wanted: ErasureOrder, _key: IdempotencyKey = None
) -> Response:
    """Erases an agreement with its signers' sessions; an open one is cancelled. Twice is once.

    One that came with a task is erased with its public session.
    """
    return await once(call, 200, partial(_erase_agreement, call, agreement_id, wanted))


async def _erase_agreement(call: Call, agreement_id: UUID, wanted: ErasureOrder) -> AgreementDetail:
    target = AgreementTarget(agreement_id, call.workspace_id, call.actor)
    whole = await erase_agreement(call.work, target, wanted.rationale)
    return await agreement_detail(call.work, whole)


def _discarding(call: Call, answer: Response, subject_id: UUID) -> Response:
    """The answer, behind which the files' objects go: it leaves after the commit."""
    answer.background = BackgroundTask(_discard, call, subject_id)
    return answer


async def _discard(call: Call, subject_id: UUID) -> None:
    request = call.request
    try:
        await discard_files(transactions_in(request), request.app.state.objects, subject_id)
    except Exception as error:
        if not isinstance(error, ObjectStoreAway) and not is_away(error):
            raise
        # Their key is destroyed, and housekeeping deletes them.
        log.warning("objects_not_deleted", subject=str(subject_id), error=type(error).__name__)
