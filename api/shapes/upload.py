"""Uploaded files: as the party's page is told of them, and as the API shows them."""

from datetime import datetime
from typing import Self
from uuid import UUID

from api.shapes.field import Shown
from api.upload_words import size_in_words
from domain.file_kind import FileKind
from store.upload import UploadRow, UploadState


class PartyFile(Shown):
    """A file that is there, for the page it was sent from; `upload_id` is the page's own id."""

    id: UUID
    upload_id: UUID
    slot: str
    name: str
    kind: FileKind
    state: UploadState
    size: int
    size_text: str

    @classmethod
    def of(cls, row: UploadRow, locale: str) -> Self:
        """The shape of a row."""
        text = size_in_words(row.size, locale)
        return cls.showing(row, upload_id=row.client_id, size_text=text)


class PartyFiles(Shown):
    """The files of one task, oldest first."""

    files: list[PartyFile]


class UploadShape(Shown):
    """A file of a public session.

    `size` and `sha256` are those of the file as it is kept and downloaded; what could hide in it
    was taken out before. Of an erased file nothing else is known any more.
    """

    id: UUID
    task: str
    slot: str
    name: str
    kind: FileKind
    media_type: str
    size: int
    sha256: str
    state: UploadState
    received_at: datetime
    submitted_at: datetime | None
    erased: bool

    @classmethod
    def of(cls, row: UploadRow, task: str, *, erased: bool) -> Self:
        """The shape of a row; `erased` also where the whole session is."""
        media_type = FileKind(row.kind).media_type
        is_erased = erased or row.is_erased
        return cls.showing(row, task=task, media_type=media_type, erased=is_erased)
