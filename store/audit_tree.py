"""The tree over a workspace's audit log: its inner nodes, and who signs its heads."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    LargeBinary,
    bindparam,
    func,
    insert,
    true,
    tuple_,
    update,
)
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import Field, SQLModel, col, select
from typing_extensions import override

from domain.audit_leaf import Leaf
from domain.audit_tree import Node, Place
from store.audit import AuditRow
from store.audit_checkpoint import AuditCheckpointRow
from store.columns import instant
from store.never_clear import never_clear, refuse_clear
from store.sealed import Owner, OwnerKind, SealedRow, opened, opened_one, sealed


class AuditNodeRow(SQLModel, table=True):
    """The hash of one whole subtree of 2^level leaves; level 0 is in the audit's own rows."""

    __tablename__ = "audit_node"

    workspace_id: UUID = Field(foreign_key="workspace.id", primary_key=True)
    level: int = Field(primary_key=True)
    index: int = Field(primary_key=True, sa_type=BigInteger)
    hash: bytes = Field(sa_type=LargeBinary)


class AuditSignerRow(SealedRow, table=True):
    """The Ed25519 key that signs a workspace's heads; its public half is what auditors pin."""

    __tablename__ = "audit_signer"
    __table_args__ = (never_clear(),)

    workspace_id: UUID = Field(foreign_key="workspace.id", primary_key=True)
    verifier: str
    created_at: datetime = instant()

    seed = sealed("seed", "")

    def __init__(self, **fields: Any) -> None:
        super().__init__(**fields)

    @property
    @override
    def owner(self) -> Owner:
        """The workspace."""
        return Owner(self.workspace_id, self.workspace_id, OwnerKind.WORKSPACE)

    @property
    @override
    def row_name(self) -> str:
        """The primary key."""
        return str(self.workspace_id)


refuse_clear(AuditSignerRow)


def leaf_of(row: AuditRow) -> Leaf:
    """The leaf of an audit row that commits to its contents."""
    return Leaf(
        workspace=str(row.workspace_id),
        id=str(row.id),
        event=row.event,
        actor=row.actor,
        at=row.at,
        session=str(row.session_id) if row.session_id else None,
        party=str(row.party_id) if row.party_id else None,
        subject=row.subject,
        commitment=(row.commitment or b"").hex(),
    )


async def workspaces_to_number(db: AsyncSession) -> Sequence[UUID]:
    """The workspaces with committed events that have no place in their tree yet."""
    found = select(AuditRow.workspace_id).where(
        col(AuditRow.position).is_(None), col(AuditRow.commitment).is_not(None)
    )
    return (await db.scalars(found.distinct())).all()


async def try_to_lock_tree(db: AsyncSession, workspace_id: UUID) -> bool:
    """Whether this transaction is the one that extends the tree; another one is if not."""
    place = func.hashtextextended(f"audit_tree:{workspace_id}", 0)
    return bool((await db.scalars(select(func.pg_try_advisory_xact_lock(place)))).one())


async def lock_tree(db: AsyncSession, workspace_id: UUID) -> None:
    """Waits until this transaction is the one that extends the tree."""
    place = func.hashtextextended(f"audit_tree:{workspace_id}", 0)
    await db.execute(select(func.pg_advisory_xact_lock(place)))


async def tree_size(db: AsyncSession, workspace_id: UUID) -> int:
    """How many leaves the tree has."""
    found = select(func.max(AuditRow.position)).where(AuditRow.workspace_id == workspace_id)
    last = (await db.scalars(found)).one()
    return 0 if last is None else int(last) + 1


async def unnumbered(db: AsyncSession, workspace_id: UUID, most: int) -> Sequence[AuditRow]:
    """The oldest events without a place."""
    found = (
        select(AuditRow)
        .where(
            AuditRow.workspace_id == workspace_id,
            col(AuditRow.position).is_(None),
            col(AuditRow.commitment).is_not(None),
        )
        .order_by(col(AuditRow.id))
        .limit(most)
    )
    return (await db.scalars(found)).all()


async def place_leaves(
    db: AsyncSession, first: int, rows: Sequence[AuditRow], hashes: Sequence[bytes]
) -> None:
    """Gives the events their places in the tree, one after the other."""
    table = AuditRow.__table__  # type: ignore[attr-defined]  # SQLModel hides __table__
    placed = (
        update(table)
        .where(table.c.id == bindparam("row_id"))
        .values(position=bindparam("place"), leaf_hash=bindparam("hash"))
    )
    values = [
        {"row_id": row.id, "place": first + at, "hash": found}
        for at, (row, found) in enumerate(zip(rows, hashes, strict=True))
    ]
    connection = await db.connection()
    await connection.execute(placed, values)


async def add_nodes(db: AsyncSession, workspace_id: UUID, nodes: Sequence[Node]) -> None:
    """Keeps the subtrees that are now whole."""
    if nodes:
        rows = [
            {
                "workspace_id": workspace_id,
                "level": each.level,
                "index": each.index,
                "hash": each.hash,
            }
            for each in nodes
        ]
        await (await db.connection()).execute(insert(AuditNodeRow), rows)


async def nodes_at(
    db: AsyncSession, workspace_id: UUID, places: Collection[Place]
) -> dict[Place, bytes]:
    """The hashes at these places: leaves from the audit's rows, the others as they were kept."""
    leaves = [index for level, index in places if level == 0]
    inner = [place for place in places if place[0] > 0]
    found: dict[Place, bytes] = {}
    if leaves:
        rows = select(AuditRow.position, AuditRow.leaf_hash).where(
            AuditRow.workspace_id == workspace_id, col(AuditRow.position).in_(leaves)
        )
        found |= {(0, position): each for position, each in (await db.execute(rows)).all()}
    if inner:
        kept = select(AuditNodeRow.level, AuditNodeRow.index, AuditNodeRow.hash).where(
            AuditNodeRow.workspace_id == workspace_id,
            tuple_(col(AuditNodeRow.level), col(AuditNodeRow.index)).in_(inner),
        )
        found |= {(level, index): each for level, index, each in (await db.execute(kept)).all()}
    return found


async def signer_of(db: AsyncSession, workspace_id: UUID) -> AuditSignerRow | None:
    """Who signs a workspace's heads, if anybody has yet."""
    found = await db.scalars(
        select(AuditSignerRow).where(AuditSignerRow.workspace_id == workspace_id)
    )
    return await opened_one(db, found.one_or_none())


async def workspaces_to_sign(db: AsyncSession, until: datetime) -> Sequence[UUID]:
    """The workspaces with numbered events since a head that was signed until `until`.

    Each newest head is one step into an index: heads are kept for ever, so nothing may count them.
    """
    head = (
        select(AuditCheckpointRow.size, AuditCheckpointRow.signed_at)
        .where(AuditCheckpointRow.workspace_id == AuditSignerRow.workspace_id)
        .order_by(col(AuditCheckpointRow.size).desc())
        .limit(1)
        .lateral()
    )
    later = (
        select(AuditRow.id)
        .where(
            AuditRow.workspace_id == AuditSignerRow.workspace_id,
            AuditRow.position == head.c.size,
        )
        .exists()
    )
    found = select(AuditSignerRow.workspace_id).join(head, true())
    return (await db.scalars(found.where(head.c.signed_at <= until, later))).all()


async def leaves_page(
    db: AsyncSession, workspace_id: UUID, first: int, last: int
) -> Sequence[AuditRow]:
    """The events with places from `first` on and before `last`, in their order."""
    found = select(AuditRow).where(
        AuditRow.workspace_id == workspace_id,
        col(AuditRow.position) >= first,
        col(AuditRow.position) < last,
    )
    # What lies in the session from before could be older than the table.
    found = found.execution_options(populate_existing=True)
    return (await db.scalars(found.order_by(col(AuditRow.position)))).all()


async def events_of_session(
    db: AsyncSession, session_id: UUID, events: Collection[str]
) -> Sequence[AuditRow]:
    """These events of a session, oldest first."""
    found = select(AuditRow).where(
        AuditRow.session_id == session_id, col(AuditRow.event).in_(events)
    )
    return await opened(db, (await db.scalars(found.order_by(col(AuditRow.id)))).all())
