"""What an agreement is to be on: a PDF that was brought, or a text that the workspace keeps.

Making the paper takes up to seconds, so no transaction is open meanwhile.
"""

import math
from dataclasses import asdict, dataclass, field
from typing import Any
from uuid import UUID

from adapters.pdf_pages import PdfReason, PdfRefused
from commands.agreement_paper import paper_of_document, paper_of_pdf
from commands.definition import definition_by_key
from commands.work import Transactions
from domain.agreement_errors import DocumentRefused
from domain.agreement_field import AgreementField
from domain.definition import DefinitionKind
from domain.document import Document
from domain.paper import LARGEST_SIDE, MOST_PAGES, SMALLEST_SIDE, Paper
from domain.upload import MIB, UploadReason, refused

MOST_BYTES = 10 * MIB
"""Of a PDF that is brought."""
LIMITS = {
    PdfReason.ENCRYPTED: "no password",
    PdfReason.SIGNED: "no signatures in it yet",
    PdfReason.XFA: "no XFA form",
    PdfReason.DYNAMIC: "pages that always look the same",
    PdfReason.TOO_MANY_PAGES: f"{MOST_PAGES} pages at most",
    PdfReason.TOO_MUCH_DRAWN: "8 MiB of content on a page, 32 MiB on all",
    PdfReason.PAGE_SIZE: f"pages of {SMALLEST_SIDE:g} to {LARGEST_SIDE:g} points a side",
}


@dataclass(frozen=True, slots=True)
class Source:
    """Exactly one of the two: the bytes of a PDF, or the key of a document.

    `size` is the PDF's where it was too large to be kept as a whole.
    """

    pdf: bytes | None = field(default=None, repr=False)
    document: str = ""
    size: int = 0


async def paper_from(
    begin: Transactions, workspace_id: UUID, source: Source, *, signers: int
) -> tuple[Paper, list[dict[str, Any]]]:
    """The paper, and the fields that stand in it for so many signers: none in a PDF.

    Raises `NotFound` for an unknown document, and `DocumentRefused` or `UploadRefused`.
    """
    if source.pdf is not None:
        return await _brought(source.pdf, source.size), []
    async with begin.work() as work:
        kind = DefinitionKind.DOCUMENT
        row = await definition_by_key(work, workspace_id, kind, source.document)
    paper, fields = await paper_of_document(Document.of(row.body), signers=signers)
    return paper, [_plain(each) for each in fields]


async def _brought(pdf: bytes, size: int) -> Paper:
    if (size := max(size, len(pdf))) > MOST_BYTES:
        # Rounded up: no file has "10.0 MB" and is too large.
        given = f"{math.ceil(size / MIB * 10) / 10} MB"
        raise refused(UploadReason.TOO_LARGE, f"{MOST_BYTES // MIB} MB", given)
    try:
        return await paper_of_pdf(pdf)
    except PdfRefused as error:
        raise DocumentRefused(error.reason, LIMITS[error.reason]) from error


def _plain(one: AgreementField) -> dict[str, Any]:
    """A field as a publisher writes it."""
    return {name: value for name, value in asdict(one).items() if (name, value) != ("value", "")}
