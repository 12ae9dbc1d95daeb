"""Keys of the whole installation, wrapped by the root key: for derived secrets, for Temporal.

Beside them lies what only the root key's holder may say: where clear text of a release without keys
is left.
"""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum

from sqlalchemy import BigInteger, LargeBinary, func
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import Field, SQLModel, col, select

from store.columns import instant


class InstallationKeyKind(StrEnum):
    """What a key is for."""

    DERIVATION = "derivation"
    TEMPORAL = "temporal"
    CLEAR_TEXT = "clear_text"
    """No key, but a record that is wrapped like one."""


class InstallationKeyRow(SQLModel, table=True):
    """One key: found by its number, used for new things from `active_at` on, never removed.

    Links that were mailed and workflow histories go on needing the old ones.
    """

    __tablename__ = "installation_key"

    kind: str = Field(primary_key=True)
    number: int = Field(primary_key=True, sa_type=BigInteger)
    epoch: int
    wrapped: bytes = Field(sa_type=LargeBinary)
    created_at: datetime = instant()
    active_at: datetime = instant()


async def installation_keys(db: AsyncSession) -> Sequence[InstallationKeyRow]:
    """Every key, oldest first."""
    found = (
        select(InstallationKeyRow)
        .where(InstallationKeyRow.kind != InstallationKeyKind.CLEAR_TEXT)
        .order_by(col(InstallationKeyRow.active_at), col(InstallationKeyRow.number))
    )
    return (await db.scalars(found.execution_options(populate_existing=True))).all()


async def clear_text_row(db: AsyncSession) -> InstallationKeyRow | None:
    """The record of what lies in clear, as it came."""
    found = select(InstallationKeyRow).where(
        InstallationKeyRow.kind == InstallationKeyKind.CLEAR_TEXT, InstallationKeyRow.number == 0
    )
    return (await db.scalars(found.execution_options(populate_existing=True))).one_or_none()


async def lock_installation_keys(db: AsyncSession) -> None:
    """Lets one process at a time add or rewrap keys of the installation."""
    await db.execute(
        select(func.pg_advisory_xact_lock(func.hashtextextended("installation_key", 0)))
    )
