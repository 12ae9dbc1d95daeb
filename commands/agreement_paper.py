"""Papers for agreements: of a text that the workspace keeps, or of a PDF that was brought."""

import asyncio
import hashlib
from collections import OrderedDict
from functools import partial

from adapters.pdf_document import document_pdf
from adapters.pdf_pages import Page, page_looks, prepared
from domain.agreement_field import AgreementField
from domain.document import Document
from domain.paper import Paper

LOOK_WIDTH = 500
"""Of the pictures by which a page is known to look the same, in pixels."""
MOST_KEPT = 50

Placed = tuple[Paper, tuple[AgreementField, ...]]
"""A paper, and fields for each signer where it has room for them."""

_papers: OrderedDict[tuple[str, int], Placed] = OrderedDict()
"""A document's version never changes, so that a process may keep the pages it has made of it."""


async def paper_of_pdf(raw: bytes) -> Paper:
    """The paper of an uploaded PDF, without what acts in it; seconds for a long one.

    Raises `PdfRefused`, `UploadRefused` or `FileCheckBroken`.
    """
    ready = await prepared(raw)
    return await _paper(ready.pdf, ready.pages)


async def paper_of_document(document: Document, *, signers: int) -> Placed:
    """The paper of a text, with room at its end for so many signers."""
    known = (document.sha256, signers)
    if known not in _papers:
        _papers[known] = await _made(document, signers)
        if len(_papers) > MOST_KEPT:
            _papers.popitem(last=False)
    return _papers[known]


async def _made(document: Document, signers: int) -> Placed:
    making = partial(document_pdf, document, signers=("",) * signers)
    made = await asyncio.to_thread(making)
    ready = await prepared(made.pdf)
    return await _paper(ready.pdf, ready.pages), made.fields


async def _paper(pdf: bytes, pages: tuple[Page, ...]) -> Paper:
    looks = await page_looks(pdf, pages, width=LOOK_WIDTH)
    return Paper(pdf, tuple(hashlib.sha256(each).hexdigest() for each in looks))
