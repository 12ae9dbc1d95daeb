"""What a workspace set differently from its installation."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import Field, SQLModel, select

from store.columns import instant, json_column
from store.workspace import WorkspaceRow


class WorkspaceSettingRow(SQLModel, table=True):
    """One setting of one workspace; lengths of time are seconds."""

    __tablename__ = "workspace_setting"

    workspace_id: UUID = Field(foreign_key="workspace.id", primary_key=True)
    name: str = Field(primary_key=True)
    value: Any = json_column()
    changed_at: datetime = instant()


async def lock_settings(db: AsyncSession, workspace_id: UUID) -> None:
    """Lets one change after the other: two would add the same row."""
    found = select(WorkspaceRow.id).where(WorkspaceRow.id == workspace_id)
    await db.execute(found.with_for_update(key_share=True))


async def settings_of_workspace(
    db: AsyncSession, workspace_id: UUID
) -> Sequence[WorkspaceSettingRow]:
    """Everything a workspace set."""
    return (
        await db.scalars(
            select(WorkspaceSettingRow).where(WorkspaceSettingRow.workspace_id == workspace_id)
        )
    ).all()
