"""`/api/v1/mail-contents`: the words of the workspace's mails (SH-16, SH-17)."""

from fastapi import APIRouter, Response

from api.call import ApiCall, Call
from api.errors import refusals
from api.idempotency import IdempotencyKey, once
from api.shapes.field import Page
from api.shapes.mail_content import (
    MailContentEdited,
    MailContentShape,
    MailContentWanted,
    MailPreview,
)
from commands.mail_content import (
    MailPlace,
    change_mail_content,
    list_mail_contents,
    reset_mail_content,
    show_mail_content,
)
from commands.mail_preview import preview_mail
from domain.errors import IdempotencyKeyReused, NotFound
from domain.mail import MailKind
from domain.member_errors import MailContentMoved, MailContentRefused

router = APIRouter(prefix="/api/v1/mail-contents", tags=["mail"])


def _place(call: Call, kind: MailKind, language: str) -> MailPlace:
    return MailPlace(call.workspace_id, kind, language)


@router.get("", responses=refusals())
async def list_contents(call: ApiCall) -> Page[MailContentShape]:
    """Every mail in every language, each with the text that counts."""
    found = await list_mail_contents(call.work, call.workspace_id)
    return Page(items=[MailContentShape.of(each) for each in found])


@router.get("/{mail}/{language}", responses=refusals(NotFound))
async def get_content(call: ApiCall, mail: MailKind, language: str) -> MailContentShape:
    """The text that counts, and whether there is a newer default (C19)."""
    return MailContentShape.of(await show_mail_content(call.work, _place(call, mail, language)))


@router.put(
    "/{mail}/{language}", responses=refusals(NotFound, MailContentRefused, MailContentMoved)
)
async def put_content(
    call: ApiCall, mail: MailKind, language: str, wanted: MailContentEdited
) -> MailContentShape:
    """Gives the mail the workspace's own text, from the next one sent on."""
    place, text = _place(call, mail, language), wanted.text
    return MailContentShape.of(
        await change_mail_content(call.work, place, text, call.actor, wanted.edition)
    )


@router.post("/{mail}/{language}/preview", responses=refusals(NotFound, MailContentRefused))
async def post_preview(
    call: ApiCall, mail: MailKind, language: str, wanted: MailContentWanted | None = None
) -> MailPreview:
    """The mail with sample data: with this text, or without one with the text that counts."""
    text = wanted.text if wanted else None
    return MailPreview.of(await preview_mail(call.work, _place(call, mail, language), text))


@router.post(
    "/{mail}/{language}/reset",
    response_model=MailContentShape,
    responses=refusals(NotFound, IdempotencyKeyReused),
)
async def post_reset(
    call: ApiCall, mail: MailKind, language: str, _key: IdempotencyKey = None
) -> Response:
    """Discards the workspace's own text and takes the newest default (SH-17)."""

    async def reset() -> MailContentShape:
        place = _place(call, mail, language)
        return MailContentShape.of(await reset_mail_content(call.work, place, call.actor))

    return await once(call, 200, reset)
