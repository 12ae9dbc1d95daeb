"""Lists and counts of public sessions; a status is what row and time say together (PS-22)."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, case, func, or_
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from domain.party import words_to_find
from domain.public_session import OPEN, Status
from store.page import page_of
from store.party import PartyRow, mentions
from store.public_session import OPEN_STATUSES, PublicSessionRow
from store.sealed import blinded, opened


@dataclass(frozen=True, slots=True)
class SessionFilter:
    """Which sessions a list shows at `at`; None shows all."""

    at: datetime
    status: Status | None = None
    template: str | None = None
    party: UUID | None = None
    q: str | None = None
    expires_before: datetime | None = None


async def sessions_page(
    db: AsyncSession, workspace_id: UUID, wanted: SessionFilter, cursor: str | None, limit: int
) -> tuple[Sequence[PublicSessionRow], str | None]:
    """A page of a workspace's sessions, newest first."""
    found = select(PublicSessionRow).where(
        PublicSessionRow.workspace_id == workspace_id, *_conditions(wanted)
    )
    if wanted.q:
        found = found.where(await _mentions(db, workspace_id, wanted.q))
    rows, following = await page_of(db, found, col(PublicSessionRow.id), cursor, limit)
    return await opened(db, rows), following


def _conditions(wanted: SessionFilter) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if wanted.status is not None:
        conditions.append(_has_status(wanted.status, wanted.at))
    if wanted.template is not None:
        conditions.append(col(PublicSessionRow.template_key) == wanted.template)
    if wanted.party is not None:
        conditions.append(col(PublicSessionRow.party_id) == wanted.party)
    if wanted.expires_before is not None:
        conditions.append(col(PublicSessionRow.expires_at) < wanted.expires_before)
    return conditions


def _overdue(at: datetime) -> ColumnElement[bool]:
    """Open in its row and past its deadline: expired, whoever has noticed (PS-29)."""
    return and_(
        col(PublicSessionRow.status).in_(OPEN_STATUSES), col(PublicSessionRow.expires_at) <= at
    )


def _has_status(status: Status, at: datetime) -> ColumnElement[bool]:
    same = col(PublicSessionRow.status) == status.value
    if status == Status.EXPIRED:
        return or_(same, _overdue(at))
    return and_(same, col(PublicSessionRow.expires_at) > at) if status in OPEN else same


async def _mentions(db: AsyncSession, workspace_id: UUID, q: str) -> ColumnElement[bool]:
    """The title has the text, the subject or the party's name its words, or it is the address."""
    parties = select(PartyRow.id).where(
        PartyRow.workspace_id == workspace_id, await mentions(db, workspace_id, q)
    )
    words = await blinded(db, workspace_id, words_to_find(q) or [""])
    return or_(
        col(PublicSessionRow.title).icontains(q, autoescape=True),
        col(PublicSessionRow.words).contains(words),
        col(PublicSessionRow.party_id).in_(parties),
    )


async def outcomes_of(
    db: AsyncSession, workspace_id: UUID, templates: Collection[str], since: datetime, at: datetime
) -> Mapping[str, Mapping[str, int]]:
    """How many sessions issued since `since` have which status at `at`, by template (PS-21)."""
    status: Any = case((_overdue(at), Status.EXPIRED.value), else_=col(PublicSessionRow.status))
    found = (
        select(PublicSessionRow.template_key, status, func.count())
        .where(
            PublicSessionRow.workspace_id == workspace_id,
            col(PublicSessionRow.template_key).in_(templates),
            PublicSessionRow.issued_at >= since,
        )
        .group_by(PublicSessionRow.template_key, status)
    )
    counts: dict[str, dict[str, int]] = {}
    for template, found_status, count in (await db.execute(found)).all():
        counts.setdefault(template, {})[found_status] = count
    return counts
