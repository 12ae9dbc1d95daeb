"""How often links were opened."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import Field, SQLModel, col, select

from store.columns import instant


class VisitRow(SQLModel, table=True):
    """How often a link was opened; scanners open links, so this says nothing about the person."""

    __tablename__ = "visit"

    session_id: UUID = Field(foreign_key="public_session.id", primary_key=True)
    visits: int = 0
    last_at: datetime = instant()


async def count_visit(db: AsyncSession, session_id: UUID, at: datetime) -> None:
    """Counts one opening of the link, in a row of its own that nothing else locks."""
    row = insert(VisitRow).values(session_id=session_id, visits=1, last_at=at)
    await db.execute(
        row.on_conflict_do_update(
            index_elements=["session_id"],
            set_={"visits": VisitRow.__table__.c.visits + 1, "last_at": at},  # type: ignore[attr-defined]  # SQLModel hides __table__
        )
    )


async def visits_of(db: AsyncSession, session_ids: Sequence[UUID]) -> dict[UUID, int]:
    """How often each session's link was opened."""
    found = select(VisitRow.session_id, VisitRow.visits).where(
        col(VisitRow.session_id).in_(session_ids)
    )
    return {row.session_id: row.visits for row in (await db.execute(found)).all()}
