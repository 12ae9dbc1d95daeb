"""Editing sessions: which member's window may change an agreement (EX-15 to EX-17)."""

from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import Field, select
from typing_extensions import override

from store.columns import primary_id
from store.never_clear import never_clear, refuse_clear
from store.sealed import Owner, OwnerKind, opened_one
from store.window import WindowRow


class EditingSessionRow(WindowRow, table=True):
    """The window that holds one agreement for editing, of which member's session."""

    __tablename__ = "editing_session"
    __table_args__ = (never_clear(),)

    id: UUID = primary_id()
    workspace_id: UUID = Field(foreign_key="workspace.id")
    agreement_id: UUID = Field(foreign_key="agreement.id", unique=True)
    member_id: UUID = Field(foreign_key="member.id")
    member_session_id: UUID

    def __init__(self, **fields: Any) -> None:
        super().__init__(**fields)

    @property
    @override
    def owner(self) -> Owner:
        """The agreement it is on: only a member's own has drafts."""
        return Owner(self.workspace_id, self.agreement_id, OwnerKind.AGREEMENT)


refuse_clear(EditingSessionRow)


async def editing_session_of(
    db: AsyncSession, agreement_id: UUID, *, lock: bool = False
) -> EditingSessionRow | None:
    """The editing session of an agreement, if it was ever opened; its row locked if asked."""
    found = select(EditingSessionRow).where(EditingSessionRow.agreement_id == agreement_id)
    found = found.execution_options(populate_existing=True)
    if lock:
        found = found.with_for_update()
    return await opened_one(db, (await db.scalars(found)).one_or_none())
