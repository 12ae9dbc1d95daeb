"""Tombstones on their way into the object store, and those that lie there."""

from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import Index, delete, text, tuple_, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import Field, SQLModel, col, select

from domain.tombstone import Fate, Tombstone
from store.columns import instant, optional_instant, primary_id


class TombstoneRow(SQLModel, table=True):
    """One end that a restored backup must not take back; written with the end."""

    __tablename__ = "tombstone"
    __table_args__ = (
        Index("ix_tombstone_waiting", "id", postgresql_where=text("laid_at IS NULL")),
        Index(None, "laid_at"),
    )

    id: UUID = primary_id()
    fate: str
    subject_id: UUID = Field(index=True)
    at: datetime = instant()
    laid_at: datetime | None = optional_instant()

    @property
    def value(self) -> Tombstone:
        """The domain value."""
        return Tombstone(Fate(self.fate), self.subject_id)


async def waiting_tombstones(db: AsyncSession, most: int) -> Sequence[TombstoneRow]:
    """Those that are not in the object store yet, oldest first."""
    found = select(TombstoneRow).where(col(TombstoneRow.laid_at).is_(None))
    return (await db.scalars(found.order_by(col(TombstoneRow.id)).limit(most))).all()


async def note_laid(db: AsyncSession, ids: Collection[UUID], at: datetime) -> None:
    """They are in the object store."""
    laid = update(TombstoneRow).where(col(TombstoneRow.id).in_(ids)).values(laid_at=at)
    await db.execute(laid)


async def unknown_tombstones(db: AsyncSession, found: Collection[Tombstone]) -> set[Tombstone]:
    """Those of which there is no row."""
    place = tuple_(col(TombstoneRow.fate), col(TombstoneRow.subject_id))
    known = select(TombstoneRow).where(place.in_([(each.fate, each.subject_id) for each in found]))
    return set(found) - {each.value for each in (await db.scalars(known)).all()}


async def old_tombstones(db: AsyncSession, before: datetime, most: int) -> Sequence[TombstoneRow]:
    """Those that were laid before a moment."""
    found = select(TombstoneRow).where(col(TombstoneRow.laid_at) < before)
    return (await db.scalars(found.order_by(col(TombstoneRow.laid_at)).limit(most))).all()


async def remove_tombstones(db: AsyncSession, ids: Collection[UUID]) -> None:
    """Forgets them."""
    await db.execute(delete(TombstoneRow).where(col(TombstoneRow.id).in_(ids)))
