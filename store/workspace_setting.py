"""What a workspace set differently from its installation."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import Field, SQLModel, select

from store.columns import instant, json_column


class WorkspaceSettingRow(SQLModel, table=True):
    """One setting of one workspace; lengths of time are seconds."""

    __tablename__ = "workspace_setting"

    workspace_id: UUID = Field(foreign_key="workspace.id", primary_key=True)
    name: str = Field(primary_key=True)
    value: Any = json_column()
    changed_at: datetime = instant()


async def settings_of_workspace(
    db: AsyncSession, workspace_id: UUID
) -> Sequence[WorkspaceSettingRow]:
    """Everything a workspace set."""
    return (
        await db.scalars(
            select(WorkspaceSettingRow).where(WorkspaceSettingRow.workspace_id == workspace_id)
        )
    ).all()
