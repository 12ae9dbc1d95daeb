"""Parties and the moves they made in their lifecycles."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Index, UniqueConstraint, func, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import Field, SQLModel, col, select
from typing_extensions import override

from domain.erasure import ERASED_NAME
from domain.party import address_to_find, host_to_find, texts_to_find, words_to_find
from store.columns import instant, optional_instant, primary_id
from store.page import page_of
from store.sealed import (
    Owner,
    OwnerKind,
    SealedRow,
    blinded,
    opened,
    opened_one,
    sealed,
    words_column,
)


class PartyRow(SealedRow, table=True):
    """An outside person or company. `email` is empty while no contact address is known (PS-37)."""

    __tablename__ = "party"
    __table_args__ = (
        Index(None, "workspace_id", "id"),
        Index(None, "words", postgresql_using="gin"),
    )

    id: UUID = primary_id()
    workspace_id: UUID = Field(foreign_key="workspace.id")
    kind: str
    locale: str = "en"
    zone: str = "UTC"
    words: list[bytes] = words_column()
    state: str = ""
    test: bool = False
    failed_verifications: int = 0
    verification_locked_at: datetime | None = optional_instant()
    created_at: datetime = instant()
    updated_at: datetime = instant()
    erased_at: datetime | None = optional_instant()

    name = sealed("name", "")
    email = sealed("email", "")
    attributes = sealed("attributes", dict[str, Any]())

    def __init__(self, **fields: Any) -> None:
        super().__init__(**fields)

    @property
    def listed_name(self) -> str:
        """The name that lists show; an erased party has none of its own."""
        return self.name if self.erased_at is None else ERASED_NAME

    @property
    @override
    def owner(self) -> Owner:
        """The party itself."""
        return Owner(self.workspace_id, self.id, OwnerKind.PARTY)

    @override
    def texts_to_find(self) -> Sequence[str]:
        """The words of its name, and its whole address."""
        return texts_to_find(self.name, self.email)


class PassageRow(SQLModel, table=True):
    """One move of a party: into its first state, or through a transition; once for each cause."""

    __tablename__ = "passage"
    __table_args__ = (UniqueConstraint("workspace_id", "cause"),)

    id: UUID = primary_id()
    workspace_id: UUID = Field(foreign_key="workspace.id")
    party_id: UUID = Field(foreign_key="party.id", index=True)
    lifecycle_version: int
    transition: str | None = None
    origin: str | None = None
    target: str
    cause: str
    passed_at: datetime = instant()


async def party_by_id(
    db: AsyncSession, workspace_id: UUID, party_id: UUID, *, lock: bool = False
) -> PartyRow | None:
    """A party of this workspace; its row locked if asked."""
    found = select(PartyRow).where(PartyRow.workspace_id == workspace_id, PartyRow.id == party_id)
    if lock:
        found = found.with_for_update().execution_options(populate_existing=True)
    return await opened_one(db, (await db.scalars(found)).one_or_none())


async def party_to_name(db: AsyncSession, workspace_id: UUID, party_id: UUID) -> PartyRow | None:
    """A party whose name is written down elsewhere: it is not erased until that is committed.

    Many may hold it so at once; whoever erases it waits, or is waited for.
    """
    found = select(PartyRow).where(PartyRow.workspace_id == workspace_id, PartyRow.id == party_id)
    found = found.with_for_update(read=True, key_share=True)
    found = found.execution_options(populate_existing=True)
    return await opened_one(db, (await db.scalars(found)).one_or_none())


async def forgive_failures(db: AsyncSession, party_id: UUID, guesses: int) -> None:
    """Takes back tries that were counted before they proved right."""
    failed = col(PartyRow.failed_verifications)
    await db.execute(
        update(PartyRow)
        .where(col(PartyRow.id) == party_id)
        .values(failed_verifications=func.greatest(failed - guesses, 0))
    )


async def passage_by_cause(db: AsyncSession, workspace_id: UUID, cause: str) -> PassageRow | None:
    """The move made for this cause."""
    return (
        await db.scalars(
            select(PassageRow).where(
                PassageRow.workspace_id == workspace_id, PassageRow.cause == cause
            )
        )
    ).one_or_none()


async def passages_of(db: AsyncSession, party_id: UUID) -> Sequence[PassageRow]:
    """Every move of a party, oldest first."""
    found = select(PassageRow).where(PassageRow.party_id == party_id)
    return (await db.scalars(found.order_by(col(PassageRow.id)))).all()


async def states_in_use(db: AsyncSession, workspace_id: UUID, kind: str) -> Sequence[str]:
    """The states in which parties of a kind are."""
    return (
        await db.scalars(
            select(PartyRow.state)
            .where(PartyRow.workspace_id == workspace_id, PartyRow.kind == kind)
            .distinct()
        )
    ).all()


@dataclass(frozen=True, slots=True)
class PartyFilter:
    """Which parties a list shows; None shows all."""

    kind: str | None = None
    state: str | None = None
    q: str | None = None
    test: bool | None = None


async def parties_page(
    db: AsyncSession, workspace_id: UUID, wanted: PartyFilter, cursor: str | None, limit: int
) -> tuple[Sequence[PartyRow], str | None]:
    """A page of a workspace's parties, newest first; `q` is words of the name, or the address."""
    found = select(PartyRow).where(PartyRow.workspace_id == workspace_id)
    if wanted.kind is not None:
        found = found.where(PartyRow.kind == wanted.kind)
    if wanted.state is not None:
        found = found.where(PartyRow.state == wanted.state)
    if wanted.test is not None:
        found = found.where(PartyRow.test == wanted.test)
    if wanted.q:
        found = found.where(await mentions(db, workspace_id, wanted.q))
    rows, following = await page_of(db, found, col(PartyRow.id), cursor, limit)
    return await opened(db, rows), following


async def mentions(db: AsyncSession, workspace_id: UUID, q: str) -> ColumnElement[bool]:
    """The party's name has every word of `q`, or `q` is its address or the host of that."""
    words = await blinded(db, workspace_id, words_to_find(q) or [""])
    address, host = await blinded(db, workspace_id, [address_to_find(q), host_to_find(q)])
    found = col(PartyRow.words)
    return found.contains(words) | found.contains([address]) | found.contains([host])


async def without_address(db: AsyncSession, party_ids: Collection[UUID]) -> frozenset[UUID]:
    """Those of several parties that have no contact address, or none any more."""
    found = await db.scalars(select(PartyRow).where(col(PartyRow.id).in_(party_ids)))
    return frozenset(each.id for each in await opened(db, found.all()) if not each.email)


async def party_names(
    db: AsyncSession, workspace_id: UUID, party_ids: Collection[UUID]
) -> dict[UUID, str]:
    """The names of several parties of a workspace, as lists show them; no other's are told."""
    own = select(PartyRow).where(PartyRow.workspace_id == workspace_id)
    found = await db.scalars(own.where(col(PartyRow.id).in_(party_ids)))
    return {each.id: each.listed_name for each in await opened(db, found.all())}
