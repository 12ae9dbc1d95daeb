"""Signed heads of the audit log's trees, and which of them are kept outside."""

from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, Index, LargeBinary, func, text, tuple_, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import Field, SQLModel, col, select

from store.audit import AuditRow
from store.columns import instant, optional_instant


class AuditCheckpointRow(SQLModel, table=True):
    """One signed head of the tree (C2SP checkpoint); never removed.

    `witnessed_at` is when it was kept outside, where there is such a place.
    """

    __tablename__ = "audit_checkpoint"
    __table_args__ = (
        Index(
            "ix_audit_checkpoint_unwitnessed",
            "signed_at",
            postgresql_where=text("witnessed_at IS NULL"),
        ),
    )

    workspace_id: UUID = Field(foreign_key="workspace.id", primary_key=True)
    size: int = Field(primary_key=True, sa_type=BigInteger)
    root: bytes = Field(sa_type=LargeBinary)
    note: str
    signed_at: datetime = instant()
    witnessed_at: datetime | None = optional_instant()


async def newest_checkpoint(db: AsyncSession, workspace_id: UUID) -> AuditCheckpointRow | None:
    """The head that was signed last."""
    found = select(AuditCheckpointRow).where(AuditCheckpointRow.workspace_id == workspace_id)
    newest = await db.scalars(found.order_by(col(AuditCheckpointRow.size).desc()).limit(1))
    return newest.one_or_none()


async def first_checkpoint_over(
    db: AsyncSession, workspace_id: UUID, position: int
) -> AuditCheckpointRow | None:
    """The first signed head whose tree has the leaf at this place."""
    found = select(AuditCheckpointRow).where(
        AuditCheckpointRow.workspace_id == workspace_id, AuditCheckpointRow.size > position
    )
    first = await db.scalars(found.order_by(col(AuditCheckpointRow.size)).limit(1))
    return first.one_or_none()


async def checkpoints_over(
    db: AsyncSession, workspace_id: UUID, first: int, last: int
) -> dict[int, str]:
    """The notes signed over more than `first` and at most `last` events, by their sizes."""
    size = col(AuditCheckpointRow.size)
    found = select(AuditCheckpointRow.size, AuditCheckpointRow.note).where(
        AuditCheckpointRow.workspace_id == workspace_id, size > first, size <= last
    )
    return {row.size: row.note for row in (await db.execute(found)).all()}


async def sealing_sizes(db: AsyncSession, rows: Collection[AuditRow]) -> dict[UUID, int]:
    """The size of the first signed head over each of these events; absent until there is one."""
    first = (
        select(func.min(AuditCheckpointRow.size))
        .where(
            AuditCheckpointRow.workspace_id == AuditRow.workspace_id,
            col(AuditCheckpointRow.size) > AuditRow.position,
        )
        .scalar_subquery()
    )
    found = select(AuditRow.id, first).where(col(AuditRow.id).in_([each.id for each in rows]))
    return {id_: size for id_, size in (await db.execute(found)).all() if size is not None}


async def unwitnessed(db: AsyncSession, most: int) -> Sequence[AuditCheckpointRow]:
    """The heads, of whichever workspace, that are not known to be kept outside; oldest first."""
    found = select(AuditCheckpointRow).where(col(AuditCheckpointRow.witnessed_at).is_(None))
    in_order = found.order_by(col(AuditCheckpointRow.signed_at), col(AuditCheckpointRow.size))
    return (await db.scalars(in_order.limit(most))).all()


async def note_witnessed(
    db: AsyncSession, heads: Collection[AuditCheckpointRow], at: datetime
) -> None:
    """Writes down that these heads are kept outside."""
    keys = [(each.workspace_id, each.size) for each in heads]
    kept = update(AuditCheckpointRow).where(
        tuple_(col(AuditCheckpointRow.workspace_id), col(AuditCheckpointRow.size)).in_(keys)
    )
    await db.execute(kept.values(witnessed_at=at))
