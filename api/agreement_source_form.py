"""The source of an agreement as a form has it: a file, or one of the saved documents."""

import re
from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import dataclass, field

from fastapi import HTTPException, Request

from adapters.languages import translations_for
from api.browser import field_of, settings_of
from api.member_call import MemberCall
from api.upload_post import MULTIPART, Part, parts_of
from api.upload_words import refusal_in_words
from commands.agreement_source import MOST_BYTES, Source
from domain.agreement_errors import DocumentRefused
from domain.definition import DefinitionKind
from domain.errors import DomainError
from domain.upload import UploadRefused
from domain.window import LONGEST_WINDOW
from store.definition import DefinitionRow, definitions_page

MOST_DOCUMENTS = 200
MOST_READ = 25 * MOST_BYTES
"""Of a form with a file: one that is too large is read and forgotten, so that what was typed beside
it comes back with the reason."""
WINDOW = re.compile(rf"[A-Za-z0-9_-]{{8,{LONGEST_WINDOW}}}")


@dataclass(slots=True)
class Typed:
    """What was typed; `file` is the PDF with its name, if one was chosen.

    Of one that is too large `file` is only the beginning; `file_size` is the whole.
    """

    texts: list[tuple[str, str]] = field(default_factory=list)
    file: bytes = b""
    file_name: str = ""
    file_size: int = 0

    def text(self, name: str) -> str:
        """One of the fields."""
        return field_of(self.texts, name).replace("\0", "").strip()

    @property
    def signers(self) -> list[str]:
        """Who was typed, in their order."""
        return [value.strip() for name, value in self.texts if name == "signer"]

    @property
    def window(self) -> str:
        """The window to open; raises `HTTPException` 400 for what no page of ours sends."""
        return window_in(self.text("window"))

    @property
    def source(self) -> Source | None:
        """The document: the file goes before a text that was chosen."""
        if self.file_name:
            return Source(pdf=self.file, size=self.file_size)
        return Source(document=self.text("document")) if self.text("document") else None


def window_in(text: str) -> str:
    """A window's id; raises `HTTPException` 400 for what no page of ours sends."""
    if not WINDOW.fullmatch(text):
        raise HTTPException(400, "No window.")
    return text


async def saved_documents(call: MemberCall) -> Sequence[DefinitionRow]:
    """The documents that can be chosen."""
    kind = DefinitionKind.DOCUMENT
    rows, _ = await definitions_page(call.work.db, call.workspace_id, kind, None, MOST_DOCUMENTS)
    return rows


async def read_typed(request: Request) -> Typed:
    """The form and its file; raises `HTTPException` 413 for one of more than `MOST_READ`."""
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type.encode() != MULTIPART:
        raise HTTPException(415)
    typed = Typed()
    request.state.largest_file = MOST_BYTES
    stall = settings_of(request).upload_stall
    async with aclosing(parts_of(request, most_bytes=MOST_READ, stall=stall)) as parts:
        async for part in parts:
            if part.is_file:
                await _take_file(typed, part)
            else:
                typed.texts.append((part.name, await part.text()))
    return typed


async def _take_file(typed: Typed, part: Part) -> None:
    kept, size = bytearray(), 0
    async for chunk in part.chunks:
        size += len(chunk)
        if len(kept) <= MOST_BYTES:
            kept += chunk
    if part.file_name:
        typed.file, typed.file_name, typed.file_size = bytes(kept), part.file_name, size


def in_words(refused: DomainError, locale: str) -> str:
    """Why a document cannot be taken, in the person's language."""
    _ = translations_for(locale).gettext
    if isinstance(refused, UploadRefused):
        return refusal_in_words(refused.refusal, locale)
    if not isinstance(refused, DocumentRefused):
        return _("There is no such document any more.")
    return {
        "encrypted": _("This PDF opens with a password only. Save it without one."),
        "signed": _("This PDF has a signature in it already. Bring it unsigned."),
        "xfa": _("This PDF is an XFA form. Print it to a PDF, then choose that."),
        "dynamic": _(
            "This PDF does not always look the same. Print it to a PDF, then choose that."
        ),
        "too_many_pages": _("This PDF has too many pages: 200 are possible."),
        "too_much_drawn": _(
            "A page of this PDF has too much drawn on it. "
            "Save it as an image in a PDF, then choose that."
        ),
        "page_size": _("A page of this PDF is too large or too small to be signed."),
    }[refused.reason]
