"""Counts the public sessions that settings have to do with (N16)."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Integer, func
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from domain.setting import SettingLevel
from domain.setting_level import OVERRIDING
from domain.settings import CATALOGUE
from store.public_session import OPEN_STATUSES, PublicSessionRow

OF_SESSIONS = tuple(each.name for each in CATALOGUE if SettingLevel.SESSION in each.levels)


async def count_overriding(db: AsyncSession, workspace_id: UUID, at: datetime) -> dict[str, int]:
    """How many open sessions have a value by their template or of their own, by setting."""
    numbers = [func.count().filter(_overrides(name)) for name in OF_SESSIONS]
    row = (await db.execute(select(*numbers).where(*_are_open(workspace_id, at)))).one()
    return dict(zip(OF_SESSIONS, row, strict=True))


async def count_open(db: AsyncSession, workspace_id: UUID, at: datetime) -> int:
    """How many sessions are open."""
    found = select(func.count(type_=Integer)).where(*_are_open(workspace_id, at))
    return (await db.scalars(found)).one()


def _overrides(name: str) -> Any:
    return col(PublicSessionRow.settings)[name]["origin"].as_string().in_(OVERRIDING)


def _are_open(workspace_id: UUID, at: datetime) -> tuple[Any, ...]:
    return (
        col(PublicSessionRow.workspace_id) == workspace_id,
        col(PublicSessionRow.status).in_(OPEN_STATUSES),
        col(PublicSessionRow.expires_at) > at,
    )
