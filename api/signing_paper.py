"""A document's pages as whoever signs it sees them: the PDF, a picture of each page, its fields.

The gate is asked and the PDF read in a short transaction; what takes time comes after it.
"""

from collections.abc import Iterable
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Query, Request, Response

from api.browser import visitor_of
from api.context import Begin
from api.error_pages import answer_parts
from api.page_pictures import WEBP, page_pictures_of
from commands.room import Visitor, enter_to_look
from commands.signing import Signing
from commands.signing_session import signing_in
from commands.work import Transactions, Work
from domain.agreement_field import AgreementField
from domain.errors import Erased, NotFound
from store.agreement import AgreementVersionRow, version_of
from store.paper import paper_pdf

router = APIRouter(dependencies=[Depends(answer_parts)], include_in_schema=False)

TASK = "/sessions/{session_id}/tasks/{key}"
MOST = 2**31 - 1
Version = Annotated[int, Query(ge=0, le=MOST)]
Number = Annotated[int, Path(ge=1, le=MOST)]


@router.get(f"{TASK}/document.pdf")
async def get_pdf(
    request: Request, session_id: str, key: str, begin: Begin, version: Version = 0
) -> Response:
    """The document of the version that is signed, or that was seen before."""
    visitor = visitor_of(request, session_id)
    async with begin.work() as work:
        pdf = await _pdf(work, await _seen(work, visitor, key, version))
    name = f'inline; filename="document-{version}.pdf"'
    return Response(pdf, media_type="application/pdf", headers={"content-disposition": name})


@router.get(f"{TASK}/pages/{{number}}")
async def get_page(
    request: Request,
    session_id: str,
    key: str,
    number: Number,
    begin: Begin,
    version: Version = 0,
) -> Response:
    """A picture of one page; of no version there is none."""
    visitor = visitor_of(request, session_id)
    paper_id, pages = await _paper(begin, visitor, key, version)
    if number > pages:
        raise NotFound("page")
    pictures = page_pictures_of(request.app.state)
    picture = pictures.known(paper_id, number)
    if picture is None:
        async with begin.work() as work:
            pdf = await _pdf(work, await _seen(work, visitor, key, version))
        picture = await pictures.drawn(paper_id, pdf, number, pages)
    return Response(picture, media_type=WEBP)


async def _paper(begin: Transactions, visitor: Visitor, key: str, version: int) -> tuple[UUID, int]:
    async with begin.work() as work:
        row = await _seen(work, visitor, key, version)
        return row.paper_id, len(row.pages)


async def _seen(work: Work, visitor: Visitor, key: str, version: int) -> AgreementVersionRow:
    """A version that this signer is shown: the present one, or the one it saw last."""
    found = await _signing(work, visitor, key)
    seen = found.row.seen_version if found.row else found.agreement.version
    if version not in {found.agreement.version, seen}:
        raise NotFound("document")
    return await version_of(work.db, found.agreement.id, version)


async def _signing(work: Work, visitor: Visitor, key: str) -> Signing:
    # What a page fetches by itself is no activity.
    return await signing_in(work, await enter_to_look(work, visitor), key)


async def _pdf(work: Work, row: AgreementVersionRow) -> bytes:
    pdf = await paper_pdf(work.db, row.paper_id)
    if pdf is None:
        raise Erased
    return pdf


@router.get(f"{TASK}/places.css")
async def get_places(
    request: Request, session_id: str, key: str, begin: Begin, version: Version = 0
) -> Response:
    """Where each field stands on its page: a sheet, because the policy allows no inline style."""
    visitor = visitor_of(request, session_id)
    async with begin.work() as work:
        row = await _seen(work, visitor, key, version)
        css = "".join(_rules(row.value.fields))
    return Response(css, media_type="text/css")


def _rules(fields: Iterable[AgreementField]) -> Iterable[str]:
    for each in fields:
        place = f"inset-inline-start:auto;left:{each.x:.4%};top:{each.y:.4%}"
        size = f"width:{each.width:.4%};height:{each.height:.4%}"
        yield f"#spot-{each.key},#filled-{each.key}{{{place};{size}}}\n"
        yield f"@media (width >= 56rem){{#place-{each.key}{{{place};{size}}}}}\n"
