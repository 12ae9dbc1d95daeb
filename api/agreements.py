"""`/api/v1/agreements`: made, changed, sent and cancelled (EX-19, EX-20, EX-23).

A document is made fit to be signed before the transaction begins, for that takes up to seconds.
"""

from functools import partial
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Path, Request, Response

from api.agreement_body import CHANGE, NEW, ChangePosted, NewPosted, Posted
from api.call import ApiCall, ApiCaller, Call, acting
from api.context import Begin
from api.errors import refusals
from api.idempotency import IdempotencyKey, once
from api.paging import Pages
from api.shapes.agreement import AgreementDetail, AgreementShape, Cancellation, SentVersion
from api.shapes.field import Page
from commands.agreement import (
    AgreementTarget,
    Whole,
    cancel_agreement,
    change_agreement,
    create_agreement,
    members_agreement,
    send_agreement,
    whole_agreement,
)
from commands.agreement_copy_again import mail_copy_again
from commands.agreement_signer import progress_of
from commands.agreement_source import paper_from
from commands.editing_session import present_editor
from commands.work import Transactions, Work
from domain.agreement import AgreementState, Pinned
from domain.agreement_draft import MOST_SIGNERS
from domain.agreement_errors import (
    AgreementClosed,
    AgreementFaulty,
    AgreementSigned,
    AgreementStale,
    DocumentRefused,
    NoSigningCertificate,
    WindowHeld,
)
from domain.errors import (
    CursorInvalid,
    Erased,
    IdempotencyKeyReused,
    MailTooSoon,
    NoContactAddress,
    NotFound,
)
from domain.paper import Paper
from domain.upload import UploadRefused
from store.agreement import agreements_page

router = APIRouter(prefix="/api/v1/agreements", tags=["agreements"])

Position = Annotated[int, Path(ge=1, le=MOST_SIGNERS, description="Which signer, from 1")]

CHANGED = (AgreementClosed, AgreementSigned, AgreementStale, AgreementFaulty, WindowHeld)
MADE = (NotFound, AgreementFaulty, DocumentRefused, UploadRefused)


@router.post(
    "",
    status_code=201,
    response_model=AgreementDetail,
    responses=refusals(*MADE, IdempotencyKeyReused),
    openapi_extra=NEW,
)
async def post_agreement(
    request: Request,
    caller: ApiCaller,
    posted: NewPosted,
    begin: Begin,
    _key: IdempotencyKey = None,
) -> Response:
    """Makes a draft on a PDF or a saved document; nobody is asked to sign yet."""
    paper, fields = await _paper(begin, caller.workspace_id, posted)
    draft = {"fields": fields} | posted.draft
    async with acting(request, begin) as call:
        return await once(call, 201, partial(_create, call, draft, paper))


async def _paper(
    begin: Transactions, workspace_id: UUID, posted: Posted
) -> tuple[Paper, list[dict[str, Any]]]:
    assert posted.source is not None  # noqa: S101 - the body was read so
    return await paper_from(begin, workspace_id, posted.source, signers=posted.signers)


async def _create(call: Call, draft: dict[str, Any], paper: Paper) -> AgreementDetail:
    whole = await create_agreement(call.work, call.workspace_id, draft, paper, call.actor)
    return await detail_of(call.work, whole)


async def detail_of(work: Work, whole: Whole) -> AgreementDetail:
    """An agreement as programs and the console's pages see it."""
    editor = await present_editor(work, whole.row.id)
    signers = await progress_of(work, whole)
    return AgreementDetail.whole(whole.row, whole.version, signers, editor)


@router.get("", responses=refusals(CursorInvalid))
async def list_agreements(
    call: ApiCall, paging: Pages, state: AgreementState | None = None
) -> Page[AgreementShape]:
    """The workspace's agreements, newest first."""
    rows, following = await agreements_page(
        call.work.db, call.workspace_id, state, paging.cursor, paging.limit
    )
    return Page(items=[AgreementShape.of(each) for each in rows], next=following)


@router.get("/{agreement_id}", responses=refusals(NotFound))
async def get_agreement(call: ApiCall, agreement_id: UUID) -> AgreementDetail:
    """One agreement with its content, its signers' progress and its seal."""
    whole = await whole_agreement(call.work, agreement_id, call.workspace_id)
    return await detail_of(call.work, whole)


@router.patch(
    "/{agreement_id}",
    responses=refusals(NotFound, *CHANGED, DocumentRefused, UploadRefused),
    openapi_extra=CHANGE,
)
async def patch_agreement(
    request: Request, caller: ApiCaller, posted: ChangePosted, begin: Begin, agreement_id: UUID
) -> AgreementDetail:
    """Replaces members, or the document; of one that was sent it makes the next version (EX-19).

    Refused while a member is in its editor, and once somebody has signed.
    """
    given = posted.given or Pinned(0, "")
    async with acting(request, begin) as call:
        await _refuse_early(call, agreement_id, given)
    # Whatever was refused above is refused again below, where it counts.
    paper = (await _paper(begin, caller.workspace_id, posted))[0] if posted.source else None
    async with acting(request, begin) as call:
        target = _target(call, agreement_id)
        whole = await change_agreement(call.work, target, given, posted.draft, paper)
        return await detail_of(call.work, whole)


async def _refuse_early(call: Call, agreement_id: UUID, given: Pinned) -> None:
    """Spares the work on a document that nothing would come of."""
    value = (await members_agreement(call.work, agreement_id, call.workspace_id)).value
    if refusal := value.refuses_edit() or value.refuses_version(given):
        raise refusal


def _target(call: Call, agreement_id: UUID) -> AgreementTarget:
    return AgreementTarget(agreement_id, call.workspace_id, call.actor)


@router.post(
    "/{agreement_id}/send",
    response_model=AgreementDetail,
    responses=refusals(NotFound, *CHANGED, NoSigningCertificate, IdempotencyKeyReused),
)
async def post_send(
    call: ApiCall, agreement_id: UUID, wanted: SentVersion, _key: IdempotencyKey = None
) -> Response:
    """Asks the signers, one after the other or all at once, by a Request to Sign mail (PS-43)."""
    return await once(call, 200, partial(_send, call, agreement_id, wanted))


async def _send(call: Call, agreement_id: UUID, wanted: SentVersion) -> AgreementDetail:
    given = Pinned(wanted.version, wanted.sha256)
    return await detail_of(
        call.work, await send_agreement(call.work, _target(call, agreement_id), given)
    )


@router.post(
    "/{agreement_id}/cancel",
    response_model=AgreementDetail,
    responses=refusals(NotFound, AgreementClosed, IdempotencyKeyReused),
)
async def post_cancel(
    call: ApiCall, agreement_id: UUID, wanted: Cancellation, _key: IdempotencyKey = None
) -> Response:
    """Ends it with everything that was asked of its signers; their links say so (EX-23)."""
    return await once(call, 200, partial(_cancel, call, agreement_id, wanted))


async def _cancel(call: Call, agreement_id: UUID, wanted: Cancellation) -> AgreementDetail:
    target = _target(call, agreement_id)
    return await detail_of(call.work, await cancel_agreement(call.work, target, wanted.rationale))


@router.post(
    "/{agreement_id}/signers/{position}/mail-copy",
    response_model=AgreementDetail,
    responses=refusals(
        NotFound, AgreementClosed, Erased, NoContactAddress, MailTooSoon, IdempotencyKeyReused
    ),
)
async def post_mail_copy(
    call: ApiCall, agreement_id: UUID, position: Position, _key: IdempotencyKey = None
) -> Response:
    """Mails a signer the sealed document once more, to the party's present address (C14)."""
    return await once(call, 200, partial(_mail_copy, call, agreement_id, position))


async def _mail_copy(call: Call, agreement_id: UUID, position: int) -> AgreementDetail:
    await mail_copy_again(call.work, _target(call, agreement_id), position)
    return await detail_of(
        call.work, await members_agreement(call.work, agreement_id, call.workspace_id)
    )
