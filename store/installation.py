"""The installation itself: one row, by which an object store knows whose it is."""

from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import SQLModel, select

from store.columns import optional_instant, primary_id


class InstallationRow(SQLModel, table=True):
    """What this database is, how far its object store has seen it, and its last restore.

    `seen_at` is noted here before it is noted in the object store: a store that has seen more than
    its database belongs to a database that was restored.
    """

    __tablename__ = "installation"

    id: UUID = primary_id()
    seen_at: datetime | None = optional_instant()
    restored_to: datetime | None = optional_instant()
    orphans_kept_until: datetime | None = optional_instant()


async def installation(db: AsyncSession, *, lock: bool = False) -> InstallationRow:
    """The row, which the migration made; locked if asked."""
    found = select(InstallationRow)
    return (await db.scalars(found.with_for_update() if lock else found)).one()
