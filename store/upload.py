"""Uploaded files: a row for each one that is whole; its bytes lie encrypted in the object store."""

from collections.abc import Collection, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Index,
    UniqueConstraint,
    exists,
    func,
    literal_column,
    text,
    update,
)
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import Field, col, select
from typing_extensions import override

from store.columns import instant, optional_instant, primary_id
from store.never_clear import never_clear, refuse_clear
from store.public_session import OPEN_STATUSES, PublicSessionRow
from store.sealed import Owner, OwnerKind, SealedRow, opened, opened_one, sealed


class UploadState(StrEnum):
    """Whether a file may be used: `checking → ready / infected / unscannable`, or `ready` at once.

    `unscannable` is too large for the virus scanner, which will never judge it.
    """

    CHECKING = "checking"
    READY = "ready"
    INFECTED = "infected"
    UNSCANNABLE = "unscannable"


class UploadRow(SealedRow, table=True):
    """One file of one task. Removed or erased, its row stays and its object goes."""

    __tablename__ = "upload"
    __table_args__ = (
        UniqueConstraint("session_id", "client_id"),
        Index(
            "ix_upload_erase",
            "erase_at",
            postgresql_where=text("erase_at IS NOT NULL AND removed_at IS NULL"),
        ),
        Index(
            "ix_upload_doomed",
            "removed_at",
            postgresql_where=text("removed_at IS NOT NULL AND object_gone_at IS NULL"),
        ),
        Index(
            "ix_upload_checking",
            "id",
            postgresql_where=text("state = 'checking' AND removed_at IS NULL"),
        ),
        never_clear(),
    )

    id: UUID = primary_id()
    client_id: UUID
    workspace_id: UUID = Field(foreign_key="workspace.id")
    session_id: UUID = Field(foreign_key="public_session.id")
    task_id: UUID = Field(foreign_key="task.id", index=True)
    slot: str = ""
    kind: str
    size: int = Field(sa_type=BigInteger)
    state: str = UploadState.READY
    object_name: str = Field(unique=True)
    sealed_sha256: str
    received_at: datetime = instant()
    submitted_at: datetime | None = optional_instant()
    erase_at: datetime | None = optional_instant()
    removed_at: datetime | None = optional_instant()
    object_gone_at: datetime | None = optional_instant()

    name = sealed("name", "")
    sha256 = sealed("sha256", "")
    received_sha256 = sealed("received_sha256", "")

    def __init__(self, **fields: Any) -> None:
        super().__init__(**fields)

    @property
    @override
    def owner(self) -> Owner:
        """The session it was uploaded in."""
        return Owner(self.workspace_id, self.session_id, OwnerKind.PUBLIC_SESSION)

    @property
    def is_erased(self) -> bool:
        """Whether its bytes were let go after it was submitted, which its party cannot do."""
        return self.removed_at is not None and self.submitted_at is not None


refuse_clear(UploadRow)


async def uploads_of_task(db: AsyncSession, task_id: UUID) -> Sequence[UploadRow]:
    """The files of a task that were not taken back, oldest first."""
    found = select(UploadRow).where(
        UploadRow.task_id == task_id, col(UploadRow.removed_at).is_(None)
    )
    return await _opened(db, found)


async def submitted_uploads(db: AsyncSession, session_id: UUID) -> Sequence[UploadRow]:
    """Every file of a session that its party submitted, oldest first; erased ones, too."""
    submitted = col(UploadRow.submitted_at).is_not(None)
    return await _opened(db, select(UploadRow).where(UploadRow.session_id == session_id, submitted))


async def count_uploads(db: AsyncSession, task_id: UUID) -> int:
    """How many files a task ever took, those taken back, too."""
    found = select(func.count()).select_from(UploadRow).where(UploadRow.task_id == task_id)
    return (await db.scalars(found)).one()


async def _opened(db: AsyncSession, found: Any) -> Sequence[UploadRow]:
    ordered = found.order_by(col(UploadRow.id)).execution_options(populate_existing=True)
    return await opened(db, (await db.scalars(ordered)).all())


def waits_for_check(before: datetime) -> Sequence[ColumnElement[bool]]:
    """Whether a file came before `before` and is to be checked; not once its session is over."""
    is_open = exists().where(
        col(PublicSessionRow.id) == col(UploadRow.session_id),
        col(PublicSessionRow.status).in_(OPEN_STATUSES),
    )
    # In so many words, or the index of these rows is not used.
    checking = col(UploadRow.state) == literal_column("'checking'")
    return (
        checking,
        col(UploadRow.removed_at).is_(None),
        col(UploadRow.received_at) < before,
        is_open,
    )


async def upload_by_client_id(
    db: AsyncSession, session_id: UUID, client_id: UUID
) -> UploadRow | None:
    """The file that a browser sent under this id of its own."""
    found = select(UploadRow).where(
        UploadRow.session_id == session_id, UploadRow.client_id == client_id
    )
    return await opened_one(db, (await db.scalars(found)).one_or_none())


async def upload_by_id(
    db: AsyncSession, upload_id: UUID, *, lock: bool = False
) -> UploadRow | None:
    """A file, its row locked if asked."""
    found = select(UploadRow).where(UploadRow.id == upload_id)
    if lock:
        found = found.with_for_update().execution_options(populate_existing=True)
    return await opened_one(db, (await db.scalars(found)).one_or_none())


async def note_object_gone(db: AsyncSession, upload_id: UUID, at: datetime) -> None:
    """The bytes of a removed file are deleted."""
    gone = update(UploadRow).where(col(UploadRow.id) == upload_id).values(object_gone_at=at)
    await db.execute(gone)


async def doomed_uploads(db: AsyncSession, most: int) -> Sequence[UploadRow]:
    """Removed files whose bytes still wait to be deleted."""
    found = select(UploadRow).where(
        col(UploadRow.removed_at).is_not(None), col(UploadRow.object_gone_at).is_(None)
    )
    return (await db.scalars(found.order_by(col(UploadRow.removed_at)).limit(most))).all()


async def known_objects(db: AsyncSession, names: Collection[str]) -> set[str]:
    """Which of these objects a row points to."""
    found = select(UploadRow.object_name).where(col(UploadRow.object_name).in_(names))
    return set((await db.scalars(found)).all())
