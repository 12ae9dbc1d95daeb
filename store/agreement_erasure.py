"""Agreements where erasing meets them: a party's part in what nobody sealed."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import or_
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from domain.agreement import OUT, AgreementState
from domain.erasure import ERASED_NAME
from store.agreement import AgreementRow, AgreementSignerRow, sessions_asked
from store.public_session import PublicSessionRow
from store.sealed import opened


async def lock_sessions_beside(db: AsyncSession, party_id: UUID) -> None:
    """Locks a party's sessions, and those of everybody it signs with, in the order of their ids."""
    theirs = await sessions_asked(db, await unfinished_with(db, party_id))
    beside = or_(col(PublicSessionRow.party_id) == party_id, col(PublicSessionRow.id).in_(theirs))
    found = select(PublicSessionRow.id).where(beside).order_by(col(PublicSessionRow.id))
    await db.execute(found.with_for_update())


async def unfinished_with(db: AsyncSession, party_id: UUID) -> Sequence[UUID]:
    """Members' agreements that a party is to sign and that not everybody has signed, by their ids.

    Drafts are not among them: nobody was asked, and their authors choose somebody else.
    """
    found = _unsigned_with(AgreementRow.id, party_id).where(col(AgreementRow.state).in_(OUT))
    ids: Sequence[UUID] = (await db.scalars(found.order_by(col(AgreementRow.id)).distinct())).all()
    return ids


async def lock_drafts_with(db: AsyncSession, party_id: UUID) -> None:
    """Locks the drafts that a party is named in, in the order of their ids: no change undoes it."""
    drafts = _unsigned_with(AgreementRow.id, party_id)
    found = select(AgreementRow.id).where(
        col(AgreementRow.id).in_(drafts), col(AgreementRow.state) == AgreementState.DRAFT
    )
    await db.execute(found.order_by(col(AgreementRow.id)).with_for_update())


async def forget_signer(db: AsyncSession, party_id: UUID) -> None:
    """Takes a party's name, and what it entered and drew, from members' agreements.

    Where all have signed it stays: the document that is sealed is made of it.
    """
    rows = (await db.scalars(_unsigned_with(AgreementSignerRow, party_id))).all()
    for row in await opened(db, rows):
        row.name, row.values, row.evidence = ERASED_NAME, {}, {}


def _unsigned_with(what: Any, party_id: UUID) -> Any:
    signs_in = col(AgreementRow.id) == col(AgreementSignerRow.agreement_id)
    joined = select(what).select_from(AgreementSignerRow).join(AgreementRow, signs_in)
    return joined.where(
        col(AgreementSignerRow.party_id) == party_id,
        col(AgreementRow.session_id).is_(None),
        col(AgreementRow.signed_at).is_(None),
    )
