"""The gate of agreements' editors, asked for many at once: who may change which version (EX-22)."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Text, cast, func
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from store.agreement import AgreementRow
from store.editing_session import EditingSessionRow


@dataclass(frozen=True, slots=True)
class Editing:
    """The fence that may write, whose window has it, and what it writes on.

    `member` is "" as long as nobody has opened it. A window's own id is told to nobody: each knows
    its fence.
    """

    fence: int
    member: str
    version: int


async def editing_gates_of(db: AsyncSession, agreements: Sequence[UUID]) -> dict[UUID, Editing]:
    """What each of these agreements' open editors is told."""
    fence = func.coalesce(col(EditingSessionRow.fence), 0)
    member = func.coalesce(cast(EditingSessionRow.member_id, Text), "")
    found = (
        select(AgreementRow.id, fence, member, AgreementRow.version)
        .outerjoin(EditingSessionRow, col(EditingSessionRow.agreement_id) == AgreementRow.id)
        .where(col(AgreementRow.id).in_(agreements))
    )
    return {
        agreement: Editing(fence, member, version)
        for agreement, fence, member, version in (await db.execute(found)).all()
    }
