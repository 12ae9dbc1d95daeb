"""What is read to export everything that is held about a party, a piece at a time."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import SQLModel, col, select

from store.audit import AuditRow
from store.binding import BindingRow
from store.code import CodeRow
from store.erasure import of_party_itself
from store.page import trail_of
from store.public_session import PublicSessionRow
from store.sealed import opened
from store.upload import UploadRow
from store.visit import VisitRow


async def session_ids_of_party(db: AsyncSession, party_id: UUID) -> Sequence[UUID]:
    """The party's sessions, oldest first."""
    found = select(PublicSessionRow.id).where(PublicSessionRow.party_id == party_id)
    return (await db.scalars(found.order_by(col(PublicSessionRow.id)))).all()


async def party_trail_page(
    db: AsyncSession, party_id: UUID, cursor: str | None, limit: int
) -> tuple[Sequence[AuditRow], str | None]:
    """A page of what the audit tells of a party and of none of its sessions, oldest first."""
    found = select(AuditRow).where(of_party_itself(party_id))
    rows, following = await trail_of(db, found, col(AuditRow.id), cursor, limit)
    return await opened(db, rows), following


async def visitors_of(db: AsyncSession, session_id: UUID) -> dict[str, Sequence[SQLModel]]:
    """Who came by a session's link: its browsers, its codes and how often it was opened."""
    return {
        "bindings": await opened(db, await _of_session(db, BindingRow, session_id)),
        "codes": await _of_session(db, CodeRow, session_id),
        "visits": await _of_session(db, VisitRow, session_id),
    }


async def _of_session(db: AsyncSession, table: Any, session_id: UUID) -> Sequence[Any]:
    found = select(table).where(table.session_id == session_id)
    return (await db.scalars(found)).all()


async def files_of_session(db: AsyncSession, session_id: UUID) -> Sequence[UploadRow]:
    """Every file of a session, those that were taken back or erased too, oldest first."""
    found = select(UploadRow).where(UploadRow.session_id == session_id)
    return await opened(db, (await db.scalars(found.order_by(col(UploadRow.id)))).all())
