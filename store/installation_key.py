"""Keys of the whole installation, wrapped by the root key: for derived secrets, for Temporal."""

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
    found = select(InstallationKeyRow).order_by(
        col(InstallationKeyRow.active_at), col(InstallationKeyRow.number)
    )
    return (await db.scalars(found.execution_options(populate_existing=True))).all()


async def lock_installation_keys(db: AsyncSession) -> None:
    """Lets one process at a time add or rewrap keys of the installation."""
    await db.execute(
        select(func.pg_advisory_xact_lock(func.hashtextextended("installation_key", 0)))
    )
