"""Sign-ins that are half done: the password was right, and something else is still asked for."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import Field, SQLModel, col, select

from store.changed import changed_rows
from store.columns import instant, optional_instant, primary_id


class SignInStepRow(SQLModel, table=True):
    """What one browser has shown so far. It opens nothing but the next step, for a few minutes.

    `needs` says what is still asked for: a `code` of the second factor, its `enrolment`, `room`
    where one of the member's sessions must end first, `switch` where somebody else's in this
    browser will.
    """

    __tablename__ = "sign_in_step"

    id: UUID = primary_id()
    workspace_id: UUID = Field(foreign_key="workspace.id")
    member_id: UUID = Field(foreign_key="member.id", index=True)
    digest: str = Field(unique=True)
    key_version: int
    mode: str
    needs: str
    created_at: datetime = instant()
    expires_at: datetime = instant(index=True)
    used_at: datetime | None = optional_instant()


async def step_by_digest(
    db: AsyncSession, workspace_id: UUID, digests: Sequence[str]
) -> SignInStepRow | None:
    """The step of a browser in a workspace."""
    found = select(SignInStepRow).where(
        SignInStepRow.workspace_id == workspace_id, col(SignInStepRow.digest).in_(digests)
    )
    return (await db.scalars(found)).one_or_none()


async def end_steps(db: AsyncSession, member_id: UUID, at: datetime, but: UUID | None) -> None:
    """Ends every half-done sign-in of a member, `but` one."""
    await db.execute(
        update(SignInStepRow)
        .where(
            col(SignInStepRow.member_id) == member_id,
            col(SignInStepRow.used_at).is_(None),
            col(SignInStepRow.id).is_distinct_from(but),
        )
        .values(used_at=at)
    )


async def use_step(db: AsyncSession, step_id: UUID, at: datetime) -> bool:
    """Uses a step up by one guarded UPDATE: of any number at once, one is told True."""
    used = await db.execute(
        update(SignInStepRow)
        .where(
            col(SignInStepRow.id) == step_id,
            col(SignInStepRow.used_at).is_(None),
            col(SignInStepRow.expires_at) > at,
        )
        .values(used_at=at)
    )
    return changed_rows(used) > 0
