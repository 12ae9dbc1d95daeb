"""The browsers that were, or are, bound to public sessions."""

from collections.abc import Collection
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import UniqueConstraint
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import Field, col, select
from typing_extensions import override

from domain.binding import Binding, BindingEnd
from store.columns import instant, optional_instant, primary_id
from store.sealed import Owner, OwnerKind, SealedRow, sealed


class BindingRow(SealedRow, table=True):
    """One browser that was, or is, bound to a session; `browser` is what it calls itself."""

    __tablename__ = "binding"
    __table_args__ = (UniqueConstraint("session_id", "fence"),)

    id: UUID = primary_id()
    workspace_id: UUID = Field(foreign_key="workspace.id")
    session_id: UUID = Field(foreign_key="public_session.id")
    fence: int
    door_digest: str
    digest: str = Field(unique=True)
    key_version: int
    bound_at: datetime = instant()
    last_seen_at: datetime = instant()
    ended_at: datetime | None = optional_instant()
    end_reason: str | None = None

    browser = sealed("browser", "")

    def __init__(self, **fields: Any) -> None:
        super().__init__(**fields)

    @property
    @override
    def owner(self) -> Owner:
        """The session it is bound to."""
        return Owner(self.workspace_id, self.session_id, OwnerKind.PUBLIC_SESSION)


async def binding_by_id(db: AsyncSession, binding_id: UUID) -> BindingRow:
    """A binding as it is now; it exists."""
    found = select(BindingRow).where(BindingRow.id == binding_id)
    return (await db.scalars(found.execution_options(populate_existing=True))).one()


async def sessions_of(db: AsyncSession, bindings: Collection[UUID]) -> dict[UUID, UUID]:
    """The public session of each of these bindings."""
    found = select(BindingRow.id, BindingRow.session_id).where(col(BindingRow.id).in_(bindings))
    return {row.id: row.session_id for row in await db.execute(found)}


def binding_value(row: BindingRow) -> Binding:
    """The domain value of a binding's row."""
    ended = BindingEnd(row.end_reason) if row.end_reason else None
    return Binding(row.id, row.fence, row.last_seen_at, ended)
